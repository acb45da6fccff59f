"""How well an encoder outlines what somebody has outlined: scores against masks, kept in the run's folder."""

from typing import Literal

import msgspec
from msgspec import Struct

from workbench.runs.folder import RunFolder, write_whole
from workbench.spec.errors import RunError

Outline = Literal["trained", "untrained", "box in the middle"]
"""Whose outline: the encoder's, the untrained one's, or a box of the masks' mean area."""


class MaskScore(Struct, frozen=True, kw_only=True):
    """Mean Jaccard index of outlines with the masks, with its 95 % bootstrap interval over images."""

    subject: Outline
    images: int
    jaccard: float
    low: float
    high: float


class MaskComparison(Struct, frozen=True, kw_only=True):
    """Scores of the encoder of an epoch against the masks in a folder.

    by: what outlines the object, attention of a transformer or the saliency of another network.
    """

    folder: str
    epoch: int
    by: Literal["attention", "saliency"]
    scores: tuple[MaskScore, ...]
    time: float

    def score(self, subject: Outline) -> MaskScore:
        """One of them."""
        return next(score for score in self.scores if score.subject == subject)


def save_comparison(run: RunFolder, comparison: MaskComparison) -> None:
    """Keeps it in the run folder, in place of an older one."""
    write_whole(run.masks_file, msgspec.json.format(msgspec.json.encode(comparison)))


def load_comparison(run: RunFolder) -> MaskComparison | None:
    """The last one of a run, None where there is none. Raises `RunError` where the file is damaged."""
    if not run.masks_file.exists():
        return None
    try:
        return msgspec.json.decode(run.masks_file.read_bytes(), type=MaskComparison)
    except (OSError, msgspec.DecodeError) as error:
        raise RunError(
            f"{run.masks_file} cannot be read: {error}.", hint="Delete it, and compare with the masks again."
        ) from error


def in_words(comparison: MaskComparison) -> str:
    """Whether the encoder outlines better than an untrained one and than a box, as far as the intervals tell."""
    mine = comparison.score("trained")
    beaten: list[str] = []
    other: list[str] = []
    rivals: tuple[tuple[Outline, str], ...] = (
        ("untrained", "the untrained encoder"),
        ("box in the middle", "a box in the middle"),
    )
    for subject, title in rivals:
        (beaten if mine.low > comparison.score(subject).high else other).append(title)
    if not beaten:
        return f"Not better than {' or '.join(other)}, as far as the intervals tell."
    if other:
        return f"Better than {beaten[0]}, not than {other[0]}, as far as the intervals tell."
    return f"Better than {' and than '.join(beaten)}: the intervals do not meet."
