"""A run folder: where its files are, how one is made, and how whole files are written."""

import os
import re
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from workbench.runs.events import EventLog, Phase
from workbench.spec import toml
from workbench.spec.errors import NotFoundError, RunError, why
from workbench.spec.experiment import Experiment

_PATIENCE = (0.01, 0.05, 0.2, 0.5, 1.0) if os.name == "nt" else ()
"""Seconds between tries: Windows refuses to replace a file while another process has it open."""


class RunFolder:
    """Paths of one run. Making an object touches nothing; `create` and `open` check."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.experiment_file = path / "experiment.toml"
        self.environment_file = path / "environment.json"
        self.split_file = path / "split.csv"
        self.events_file = path / "events.jsonl"
        self.log_file = path / "trainer.log"
        self.control = path / "control"
        self.snapshots = path / "snapshots"
        self.exhibits = path / "exhibits"
        self.checkpoints = path / "checkpoints"
        self.exports = path / "exports"
        self.evaluation_file = path / "evaluation.json"
        self.audit_file = path / "audit.json"
        self.masks_file = path / "masks.json"
        self.report_file = path / "report.html"

    @classmethod
    def create(cls, runs: Path, experiment: Experiment) -> "RunFolder":
        """A new folder under `runs`, with the experiment in it. Raises `RunError` where it cannot be written."""
        try:
            runs.mkdir(parents=True, exist_ok=True)
            run = cls(_fresh_folder(runs, experiment.name))
            for folder in (run.control, run.snapshots, run.checkpoints, run.exports):
                folder.mkdir()
            write_whole(run.experiment_file, _encoded(experiment))
            with EventLog(run.events_file) as log:
                log.append(Phase(phase="created"))
        except OSError as error:
            raise RunError(
                f"The run cannot be written to {runs}: {why(error)}.",
                hint="Choose another folder for runs (--runs DIR, or Runs > Change folder), or free some space.",
            ) from error
        return run

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run. Raises `NotFoundError` where `path` is not one."""
        run = cls(path.resolve())
        if not run.experiment_file.is_file():
            raise NotFoundError(f"{path} is not a run folder: it holds no experiment.toml.")
        return run

    def experiment(self) -> Experiment:
        """What was asked of this run."""
        return toml.load(self.experiment_file)

    def snapshot_file(self, epoch: int) -> Path:
        """Where the embeddings of an epoch are."""
        return self.snapshots / f"epoch-{epoch:04d}.h5"

    def exhibit_file(self, epoch: int) -> Path:
        """Where the pictures of the task at an epoch are."""
        return self.exhibits / f"epoch-{epoch:04d}.h5"

    def layout_file(self, epoch: int, kind: str) -> Path:
        """Where a computed layout (umap) of a snapshot is."""
        return self.snapshots / f"epoch-{epoch:04d}.{kind}.h5"


def write_whole(path: Path, content: bytes | Callable[[Path], None]) -> None:
    """Writes a file that others see whole or not at all: beside it, synced, then renamed.

    `content` is the bytes, or a function that writes a file at the path that it is given.
    """
    beside = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:12]}{path.suffix}")
    try:
        if callable(content):
            content(beside)
        else:
            beside.write_bytes(content)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        put_in_place(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def put_in_place(beside: Path, path: Path) -> None:
    """Renames a file over another. On Windows it waits a little for whoever reads that one just now."""
    for seconds in _PATIENCE:
        try:
            beside.replace(path)
        except PermissionError:
            time.sleep(seconds)
        else:
            return
    beside.replace(path)


def _encoded(experiment: Experiment) -> bytes:
    try:
        return toml.dumps(experiment).encode()
    except UnicodeEncodeError as error:  # A path with bytes that are no text; TOML can hold only text.
        raise RunError(
            f"The experiment cannot be written: {error.object[error.start : error.end]!r} is not valid text.",
            hint="Rename the folder that has this in its name.",
        ) from error


def slug(name: str) -> str:
    """A name as a part of a folder's name: lower case, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48] or "run"


def _fresh_folder(runs: Path, name: str) -> Path:
    stem = f"{datetime.now():%Y-%m-%d-%H%M}-{slug(name)}"
    for number in range(1, 10_000):
        path = runs / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise RunError(f"There are too many runs named {stem} in {runs}.")


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows has no handle on a folder to sync; the rename itself is durable enough there.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
