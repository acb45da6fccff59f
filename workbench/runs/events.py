"""events.jsonl: what happened in a run, one flushed JSON line per event."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec
from msgspec import Struct, field

PhaseName = Literal["created", "preparing", "training", "paused", "finished", "stopped", "failed"]


class Event(Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=False):
    """Base of all events; `time` is seconds since 1970."""

    time: float = field(default_factory=time.time)


class Phase(Event, frozen=True, kw_only=True, tag="phase"):
    """The run entered a phase."""

    phase: PhaseName
    note: str = ""


class Started(Event, frozen=True, kw_only=True, tag="started"):
    """A trainer process took the run up (again).

    It continues after `epoch` whole epochs, at `step` (counted over all epochs): curves that an
    interrupted trainer drew beyond that step are drawn anew.
    """

    pid: int
    host: str
    device: str
    epoch: int = 0
    step: int = 0
    total_epochs: int = 0
    steps_per_epoch: int = 0
    train_images: int = 0
    test_images: int = 0


class Derived(Event, frozen=True, kw_only=True, tag="derived"):
    """Values that followed from what was asked: the scaled learning rate, the resolved device, …"""

    values: dict[str, str | int | float | bool]


class Progressed(Event, frozen=True, kw_only=True, tag="progressed"):
    """How far work before training is (reading images into the pixel store)."""

    what: str
    done: int
    total: int


class Scalars(Event, frozen=True, kw_only=True, tag="scalars"):
    """Curves: 'loss', its parts as 'loss/NAME', 'learning_rate', 'images_per_second', 'waiting', …"""

    step: int
    epoch: float
    values: dict[str, float]


class Health(Event, frozen=True, kw_only=True, tag="health"):
    """Health of the representation (`inspect.health`). `spectrum`: singular values over the largest."""

    epoch: int
    values: dict[str, float]
    spectrum: tuple[float, ...] = ()
    dim: int = 0
    images: int = 0


class Probe(Event, frozen=True, kw_only=True, tag="probe"):
    """A probe's accuracy with its 95 % interval. `subject`: encoder, untrained or pixels."""

    epoch: int
    kind: Literal["knn", "linear"]
    subject: Literal["encoder", "untrained", "pixels"]
    accuracy: float
    low: float
    high: float
    images: int


class Clusters(Event, frozen=True, kw_only=True, tag="clusters"):
    """How well the clusters of a method that makes some match the labels (`evaluate.clusters`).

    `used` of its clusters hold at least one of the `images`; accuracy, nmi and ari are 1 where both divide them alike.
    """

    epoch: int
    accuracy: float
    nmi: float
    ari: float
    used: int
    images: int


class Exam(Event, frozen=True, kw_only=True, tag="exam"):
    """How a method does at a task of its own on held-out images (`Method.exam`), with the 95 % interval.

    `chance` is the accuracy of guessing.
    """

    epoch: int
    task: str
    accuracy: float
    low: float
    high: float
    chance: float
    images: int


class Verdict(Event, frozen=True, kw_only=True, tag="verdict"):
    """What the health figures say, in words."""

    epoch: int
    level: Literal["good", "watch", "bad"]
    title: str
    text: str


class SnapshotTaken(Event, frozen=True, kw_only=True, tag="snapshot"):
    """Embeddings were written to `file` (relative to the run folder)."""

    epoch: int
    file: str
    images: int
    dim: int


class ExhibitTaken(Event, frozen=True, kw_only=True, tag="exhibit"):
    """Pictures of the method's task and of its answers were written to `file` (relative to the run folder)."""

    epoch: int
    file: str
    images: int


class CheckpointSaved(Event, frozen=True, kw_only=True, tag="checkpoint"):
    """A checkpoint to resume from was written to `file` (relative to the run folder)."""

    epoch: int
    step: int
    file: str


class Warned(Event, frozen=True, kw_only=True, tag="warning"):
    """Something a person should know; the run goes on."""

    message: str


class Failure(Event, frozen=True, kw_only=True, tag="failure"):
    """Why the run ended. `details` is the traceback."""

    message: str
    hint: str = ""
    details: str = ""


AnyEvent = (
    Phase
    | Started
    | Derived
    | Progressed
    | Scalars
    | Health
    | Probe
    | Clusters
    | Exam
    | Verdict
    | SnapshotTaken
    | ExhibitTaken
    | CheckpointSaved
    | Warned
    | Failure
)

_DECODER = msgspec.json.Decoder(AnyEvent)


class EventLog:
    """Appends events. Each line goes to the file at once and whole, so another process sees it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        if self._file.tell() > 0 and not _ends_with_newline(path):
            self._write(b"\n")  # The last writer was killed within a line.

    def append(self, event: AnyEvent) -> None:
        """Writes one line; raises OSError where there is no space, and then leaves no part of it behind."""
        self._write(msgspec.json.encode(event) + b"\n")

    def _write(self, line: bytes) -> None:
        start = self._file.seek(0, os.SEEK_END)
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(start)
            raise

    def sync(self) -> None:
        """Makes sure that what was appended survives a power cut."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EventTail:
    """Reads a growing events.jsonl: each call of `read` gives what has come since the last one.

    A torn last line is left for the next call; a line that is not an event (damage, or an event of
    a newer version) is skipped and counted in `skipped`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped = 0
        self._offset = 0

    def read(self, limit: int = -1) -> list[AnyEvent]:
        """The complete events since the last call, oldest first; of about `limit` bytes where that is given."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                block = file.read(limit)
                if limit >= 0 and not block.endswith(b"\n"):
                    block += file.readline()
        except FileNotFoundError:
            return []
        complete = block.rfind(b"\n") + 1
        self._offset += complete
        return list(self._decode(block[:complete]))

    def _decode(self, block: bytes) -> Iterator[AnyEvent]:
        for line in block.splitlines():
            if not line.strip():
                continue
            try:
                yield _DECODER.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.skipped += 1


def read_events(path: Path) -> list[AnyEvent]:
    """All complete events of a file."""
    return EventTail(path).read()


def losses_of(values: Mapping[str, float]) -> dict[str, float]:
    """Of the values of `Scalars` the loss and its parts: 'loss' and 'loss/NAME'."""
    return {name: value for name, value in values.items() if name.split("/")[0] == "loss"}


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
