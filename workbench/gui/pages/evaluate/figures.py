"""What an evaluation says, as groups of bars, rows of a table and sentences. No Qt."""

from dataclasses import dataclass

import numpy as np

from workbench.gui import words
from workbench.gui.theme import Level
from workbench.gui.widgets.bars import Bar, BarGroup
from workbench.runs.results import Evaluation, ProbeResult
from workbench.runs.split import SplitTable

PROBES = {"knn": "kNN", "linear": "linear probe"}
SUBJECTS = {"encoder": "trained encoder", "untrained": "untrained encoder", "pixels": "raw pixels"}
_MOST_CLASSES = 1000


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One class: precision and recall from 0 to 1 (None where nothing was predicted as it, or none is there)."""

    name: str
    precision: float | None
    recall: float | None
    images: int


def groups(evaluation: Evaluation) -> list[BarGroup]:
    """One group a probe, the trained encoder first."""
    made = []
    for kind, title in PROBES.items():
        bars = [
            Bar(label=label, value=result.accuracy, low=result.low, high=result.high, strong=subject == "encoder")
            for subject, label in SUBJECTS.items()
            if (result := evaluation.result(kind, subject)) is not None
        ]
        if bars:
            made.append(BarGroup(title=title[0].upper() + title[1:] if title != "kNN" else title, bars=tuple(bars)))
    return made


def chance(evaluation: Evaluation) -> float:
    """The accuracy of always guessing the most frequent class of the test images."""
    for result in evaluation.results:
        counts = np.array(result.confusion, np.int64)
        if counts.size and counts.sum():
            return float(counts.sum(axis=1).max() / counts.sum())
    return 0.0


def class_rows(result: ProbeResult, classes: tuple[str, ...]) -> list[ClassRow]:
    """Precision, recall and number of test images of every class."""
    counts = np.array(result.confusion, np.int64).reshape(len(classes), len(classes))
    right, true, taken = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    return [
        ClassRow(
            name=name,
            precision=float(right[row] / taken[row]) if taken[row] else None,
            recall=float(right[row] / true[row]) if true[row] else None,
            images=int(true[row]),
        )
        for row, name in enumerate(classes)
    ]


def verdict(evaluation: Evaluation) -> tuple[Level, str, str]:
    """Level, title, sentence: the best probe of the encoder, against the best baseline, honest about overlap."""
    best = max(
        (result for result in evaluation.results if result.subject == "encoder"),
        key=lambda result: result.accuracy, default=None,
    )  # fmt: skip
    if best is None:
        return "note", "No probe was run", ""
    with_what = {"knn": "kNN", "linear": "a linear probe"}[best.kind]
    title = f"{words.percent(best.accuracy)} with {with_what}"
    where = f"{words.counted(evaluation.test_images, 'test image')} of {len(evaluation.classes)} classes"
    rivals = [
        result for result in evaluation.results if result.kind == best.kind and result.subject != "encoder"
    ]  # fmt: skip
    if not rivals:
        return "note", title, f"On {where}."
    rival = max(rivals, key=lambda result: result.accuracy)
    gain = 100 * (best.accuracy - rival.accuracy)
    name = {"untrained": "the untrained encoder", "pixels": "raw pixels"}[rival.subject]
    if best.low > rival.high:
        return "good", title, f"On {where}: {gain:.1f} points above {name}, more than chance explains."
    if best.high < rival.low:
        return "bad", title, f"On {where}: {-gain:.1f} points below {name}. Training has not helped this label."
    return "watch", title, f"On {where}: level with {name}. The intervals overlap, so the difference may be chance."


def frozen_words(evaluation: Evaluation) -> tuple[Level, str, str]:
    """Level, title and text of the proof that probing did not train the encoder."""
    short = evaluation.encoder_hash[:16]
    if evaluation.frozen:
        return "good", "The encoder was frozen", f"Its weights have the same hash before and after: {short}…"
    return "bad", "The encoder changed while it was probed", f"The hash before was {short}…; do not trust the figures."


def target(column: str) -> str:
    """What a column of the split is called: the classes are in the one named 'label'."""
    return "class label" if column == "label" else column


def columns(table: SplitTable) -> list[str]:
    """Columns that can be probed: the label, then factors, with at least two and not too many classes."""
    named = {"label": table.labels, **table.factors}
    return [name for name, values in named.items() if 2 <= len(set(values) - {""}) <= _MOST_CLASSES]
