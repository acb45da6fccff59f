"""What a view plan does to the images of a folder, as it was measured, and what is to be said about it."""

from typing import Literal

from msgspec import Struct

from workbench.spec.experiment import ViewSpec


class ViewFinding(Struct, frozen=True, kw_only=True):
    """One thing worth knowing, with its figures. `kind` is a place in the views, `place` one in its chain (-1: none).

    `fix` says in a few words what `views`, the changed plan, would do; both are empty where there is none.
    """

    level: Literal["warning", "note"] = "warning"
    title: str
    text: str
    kind: int = 0
    place: int = -1
    fix: str = ""
    views: tuple[ViewSpec, ...] = ()


class FactorReading(Struct, frozen=True, kw_only=True):
    """How often the nearest images by pixels or color have the same value: in originals, and in views."""

    column: str
    originals: float
    views: float
    guessing: float


class ViewFacts(Struct, frozen=True, kw_only=True):
    """Measured on `images` images. Shares are from 0 to 1, -1 where there are no two global views to compare.

    overlap: the share of pairs in each of twenty steps of shared area, of the smaller view; `apart` is the share
    of pairs that share less than a tenth. by_pixels, by_colors: how often the other view of an image is the
    nearest of all, by coarse pixels and by color histogram, where guessing has `chance`. clipped: values at
    black or white that were not so in the images. outside: share of the views that shows nothing.
    """

    images: int
    overlap: tuple[float, ...] = ()
    overlap_median: float = -1.0
    apart: float = -1.0
    by_pixels: float = -1.0
    by_colors: float = -1.0
    chance: float = 0.0
    identical: float = -1.0
    clipped: float = 0.0
    outside: float = 0.0
    factors: tuple[FactorReading, ...] = ()
    findings: tuple[ViewFinding, ...] = ()
