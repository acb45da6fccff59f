"""The rows of the Runs page. Reading a run means folding its events, so what was read is kept beside the cache.

The run folders are the truth: a row is taken from the cache only while the run's files have the size and
the time that they had, and the cache may be deleted at any moment.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from workbench.runs import control
from workbench.runs.folder import RunFolder, write_whole
from workbench.runs.index import read_entry
from workbench.runs.results import load_evaluations
from workbench.runs.state import RunState, StatusName
from workbench.spec import places
from workbench.spec.errors import WorkbenchError

_VERSION = 1
_AT_WORK = ("preparing", "training", "paused")


class RunRow(Struct, frozen=True, kw_only=True):
    """One run as the table shows it. Times are seconds since 1970; accuracies are -1 where unknown."""

    path: str
    name: str
    status: StatusName
    phase: str
    method: str = ""
    backbone: str = ""
    data: str = ""
    epoch: float = 0.0
    total_epochs: int = 0
    knn: float = -1.0
    knn_low: float = -1.0
    knn_high: float = -1.0
    linear: float = -1.0
    seconds: float = 0.0
    training_since: float | None = None
    created: float = 0.0
    problem: str = ""
    unreadable: bool = False

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.path)

    @property
    def at_work(self) -> bool:
        """Whether a trainer works on it (paused included)."""
        return self.status in _AT_WORK

    def spent(self, now: float) -> float:
        """Seconds of training, those that are running now included."""
        return self.seconds + (now - self.training_since if self.at_work and self.training_since else 0.0)


class _Kept(Struct, frozen=True):
    stamp: str
    row: RunRow


class _Cache(Struct, frozen=True):
    version: int
    rows: dict[str, _Kept]


class RowReader:
    """Reads the rows of runs folders; not for two threads at once."""

    def __init__(self) -> None:
        self._rows: dict[str, _Kept] = {}
        self._loaded: set[Path] = set()

    def read(self, runs: Path) -> list[RunRow]:
        """Every run of a folder, newest first. Damage is a row with a `problem`."""
        if runs not in self._loaded:
            self._loaded.add(runs)
            self._rows.update(_load(runs))
        kept = {str(path): self._row(path) for path in _run_paths(runs)}
        fresh = {name: row for name, row in kept.items() if self._rows.get(name) is not row}
        self._rows.update(kept)
        if fresh:
            _save(runs, kept)
        rows = [_alive(entry.row) for entry in kept.values()]
        return sorted(rows, key=lambda row: row.created, reverse=True)

    def _row(self, path: Path) -> _Kept:
        stamp = _stamp(path)
        known = self._rows.get(str(path))
        return known if known and known.stamp == stamp else _Kept(stamp, read_row(path))


def read_row(path: Path) -> RunRow:
    """One run, read in full."""
    entry = read_entry(path)
    experiment, state = entry.experiment, entry.state
    if experiment is None:
        return RunRow(
            path=str(path), name=path.name, status="failed", phase="failed", problem=entry.problem, unreadable=True
        )
    best = state.best("knn")
    return RunRow(
        path=str(path),
        name=path.name,
        status=entry.status,
        phase=state.phase,
        method=experiment.method.words,
        backbone=experiment.backbone.name,
        data=Path(experiment.data.folder).name,
        epoch=state.epoch,
        total_epochs=state.total_epochs or experiment.train.epochs,
        knn=best.accuracy if best else -1.0,
        knn_low=best.low if best else -1.0,
        knn_high=best.high if best else -1.0,
        linear=_linear(RunFolder(path), state),
        seconds=state.trained_seconds() if entry.status == "interrupted" else state.seconds,
        training_since=state.training_since,
        created=state.created,
        problem=state.failure.message if state.failure and entry.status == "failed" else "",
    )


def newest_at_work(rows: Iterable[RunRow]) -> RunRow | None:
    """The newest run that a trainer works on."""
    return next((row for row in rows if row.at_work), None)


def _linear(run: RunFolder, state: RunState) -> float:
    probes = [probe.accuracy for probe in (state.best("linear"),) if probe]
    try:
        results = [evaluation.result("linear") for evaluation in load_evaluations(run) if evaluation.column == "label"]
    except WorkbenchError:
        results = []
    return max([*probes, *(result.accuracy for result in results if result)], default=-1.0)


def _alive(row: RunRow) -> RunRow:
    """The same row with the truth about its trainer, which no file's time tells."""
    if row.phase not in _AT_WORK:
        return row
    alive = control.is_alive(RunFolder(row.folder))
    return msgspec.structs.replace(row, status=row.phase if alive else "interrupted")


def _run_paths(runs: Path) -> list[Path]:
    try:
        return [path for path in runs.iterdir() if (path / "experiment.toml").is_file()]
    except OSError:
        return []


def _stamp(path: Path) -> str:
    parts = []
    for name in ("events.jsonl", "experiment.toml", "evaluation.json"):
        try:
            facts = (path / name).stat()
            parts.append(f"{facts.st_mtime_ns}:{facts.st_size}")
        except OSError:
            parts.append("-")
    return " ".join(parts)


def _cache_file(runs: Path) -> Path:
    name = hashlib.sha256(str(runs.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return places.cache_folder() / "runs" / f"{name}.msgpack"


def _load(runs: Path) -> dict[str, _Kept]:
    try:
        cache = msgspec.msgpack.decode(_cache_file(runs).read_bytes(), type=_Cache)
    except (OSError, msgspec.DecodeError):
        return {}
    return cache.rows if cache.version == _VERSION else {}


def _save(runs: Path, rows: dict[str, _Kept]) -> None:
    file = _cache_file(runs)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.msgpack.encode(_Cache(_VERSION, rows)))
    except (OSError, UnicodeError):
        return  # Only the next start is slower.
