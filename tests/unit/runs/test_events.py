"""events.jsonl: whole lines, whatever happens to the writer."""

import errno
from pathlib import Path

import pytest

from workbench.runs.events import (
    AnyEvent,
    CheckpointSaved,
    Clusters,
    Derived,
    EventLog,
    EventTail,
    Exam,
    Failure,
    Health,
    Phase,
    Probe,
    Progressed,
    Scalars,
    SnapshotTaken,
    Started,
    Verdict,
    Warned,
    read_events,
)

ONE_OF_EACH: list[AnyEvent] = [
    Phase(phase="created", note="n"),
    Started(pid=1, host="h", device="cpu", epoch=2, step=9),
    Derived(values={"learning_rate": 0.1, "device": "cpu", "on": True, "n": 3}),
    Progressed(what="reading", done=1, total=2),
    Scalars(step=1, epoch=0.5, values={"loss": 1.5}),
    Health(epoch=1, values={"rankme": 3.0}, spectrum=(1.0, 0.5), dim=2, images=9),
    Probe(epoch=1, kind="knn", subject="encoder", accuracy=0.5, low=0.4, high=0.6, images=100),
    Clusters(epoch=1, accuracy=0.7, nmi=0.5, ari=-0.1, used=9, images=100),
    Exam(epoch=1, task="rotation", accuracy=0.5, low=0.4, high=0.6, chance=0.25, images=100),
    Verdict(epoch=1, level="good", title="t", text="wörter\n\u2028 mit Zeilen"),
    SnapshotTaken(epoch=1, file="snapshots/epoch-0001.h5", images=3, dim=2),
    CheckpointSaved(epoch=1, step=9, file="checkpoints/last.pt"),
    Warned(message="m"),
    Failure(message="m", hint="h", details="line\nline"),
]


def test_every_event_comes_back(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl") as log:
        for event in ONE_OF_EACH:
            log.append(event)
        log.sync()
    assert read_events(tmp_path / "events.jsonl") == ONE_OF_EACH


def test_a_torn_last_line_waits_for_its_rest(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        log.append(ONE_OF_EACH[0])
        log.append(ONE_OF_EACH[1])
    whole = path.read_bytes()
    tail = EventTail(path)
    path.write_bytes(whole[:-7])
    assert tail.read() == ONE_OF_EACH[:1]
    assert tail.read() == []
    path.write_bytes(whole)
    assert tail.read() == ONE_OF_EACH[1:2]
    assert tail.skipped == 0


def test_every_cut_of_a_file_gives_its_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        for event in ONE_OF_EACH[:3]:
            log.append(event)
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        assert read_events(path) == ONE_OF_EACH[: whole[:length].count(b"\n")]


def test_a_writer_begins_a_new_line_after_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event":"phase","ti')
    with EventLog(path) as log:
        log.append(ONE_OF_EACH[0])
    tail = EventTail(path)
    assert tail.read() == ONE_OF_EACH[:1]
    assert tail.skipped == 1


def test_damage_and_events_of_newer_versions_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        log.append(ONE_OF_EACH[0])
    with path.open("ab") as file:
        file.write(
            b'{"event":"teleported","time":1}\n\xff\xfe garbage\n\n{"event":"warning","time":1,"new":2,"message":"m"}\n'
        )
    tail = EventTail(path)
    assert tail.read() == [ONE_OF_EACH[0], Warned(time=1, message="m")]
    assert tail.skipped == 2


def test_no_file_has_no_events(tmp_path: Path) -> None:
    assert read_events(tmp_path / "none.jsonl") == []


class _FullDisk:
    """A raw file that takes a few bytes more and then none."""

    def __init__(self, file: object, room: int) -> None:
        self._file = file
        self.room = room

    def write(self, data: memoryview) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = data[: self.room]
        self.room -= len(taken)
        return self._file.write(taken)  # type: ignore[attr-defined,no-any-return]

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def test_a_full_disk_leaves_no_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.append(ONE_OF_EACH[0])
    disk = _FullDisk(log._file, room=10)
    log._file = disk  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space"):
        log.append(ONE_OF_EACH[1])
    disk.room = 10_000
    log.append(ONE_OF_EACH[2])
    log.close()
    tail = EventTail(path)
    assert tail.read() == [ONE_OF_EACH[0], ONE_OF_EACH[2]]
    assert tail.skipped == 0
