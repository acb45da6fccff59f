"""Results that are kept in a run folder: evaluations and exports, as plain data."""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from workbench.runs.folder import RunFolder, write_whole
from workbench.spec.errors import RunError


class ProbeResult(Struct, frozen=True, kw_only=True):
    """One probe of one subject. accuracy with its 95 % Wilson interval (low, high).

    confusion[true][predicted] counts test images, in the order of Evaluation.classes.
    """

    kind: Literal["knn", "linear"]
    subject: Literal["encoder", "untrained", "pixels"]
    accuracy: float
    low: float
    high: float
    confusion: tuple[tuple[int, ...], ...]
    seconds: float = 0.0


class Evaluation(Struct, frozen=True, kw_only=True):
    """Probes of a run on one label column. `frozen`: the encoder's hash was the same before and after."""

    epoch: int
    column: str
    classes: tuple[str, ...]
    train_images: int
    test_images: int
    results: tuple[ProbeResult, ...]
    encoder_hash: str
    frozen: bool
    time: float

    def result(self, kind: str, subject: str = "encoder") -> ProbeResult | None:
        """One of the results."""
        for result in self.results:
            if result.kind == kind and result.subject == subject:
                return result
        return None


class ExportRecord(Struct, frozen=True, kw_only=True):
    """One exported file. `difference` is the largest |original - loaded again| on `images` real images."""

    format: str
    file: str
    size: int = 0
    difference: float | None = None
    tolerance: float = 0.0
    images: int = 0
    verified: bool = False
    problem: str = ""
    note: str = ""


class _Evaluations(Struct, frozen=True):
    evaluations: tuple[Evaluation, ...] = ()


def save_evaluation(run: RunFolder, evaluation: Evaluation) -> None:
    """Keeps it in the run folder, in place of an older one of the same column and epoch."""
    others = tuple(
        old for old in load_evaluations(run) if (old.column, old.epoch) != (evaluation.column, evaluation.epoch)
    )
    write_whole(run.evaluation_file, msgspec.json.format(msgspec.json.encode(_Evaluations((*others, evaluation)))))


def load_evaluations(run: RunFolder) -> tuple[Evaluation, ...]:
    """All evaluations of a run, oldest first."""
    if not run.evaluation_file.exists():
        return ()
    try:
        return msgspec.json.decode(run.evaluation_file.read_bytes(), type=_Evaluations).evaluations
    except (OSError, msgspec.DecodeError) as error:
        raise RunError(f"{run.evaluation_file} cannot be read: {error}.", hint="Evaluate the run again.") from error


class _Exports(Struct, frozen=True):
    exports: tuple[ExportRecord, ...] = ()


def save_exports(run: RunFolder, records: tuple[ExportRecord, ...]) -> None:
    """Keeps them in the run folder, in place of older ones of the same formats."""
    formats = {record.format for record in records}
    others = tuple(old for old in load_exports(run) if old.format not in formats)
    run.exports.mkdir(exist_ok=True)
    write_whole(_exports_file(run), msgspec.json.format(msgspec.json.encode(_Exports((*others, *records)))))


def load_exports(run: RunFolder) -> tuple[ExportRecord, ...]:
    """What was last exported of a run, one record per format. Damage counts as nothing: it is only a note."""
    try:
        return msgspec.json.decode(_exports_file(run).read_bytes(), type=_Exports).exports
    except (OSError, msgspec.DecodeError):
        return ()


def _exports_file(run: RunFolder) -> Path:
    return run.exports / "exports.json"
