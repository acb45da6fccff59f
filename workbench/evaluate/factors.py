"""Which factors of the labels views take away: what coarse pixels and colors tell before and after."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray

from workbench.augment.pixels import as_floats
from workbench.evaluate.interval import wilson
from workbench.inspect.views import Ops, Sample, coarse, colors, make, readable
from workbench.spec.experiment import ViewSpec
from workbench.spec.progress import Report
from workbench.spec.viewfacts import FactorReading, ViewFinding

_LOST = 0.5
"""A factor is lost where views keep less than this of what originals tell beyond guessing."""
_READABLE = 0.15
"""A factor that pixels and colors tell by less than this beyond guessing is not theirs to lose."""
_MOST_VALUES = 50


def read_factors(
    views: tuple[ViewSpec, ...], sample: Sample, ops: Ops, factors: Mapping[str, Sequence[str]], report: Report
) -> tuple[tuple[FactorReading, ...], list[ViewFinding]]:
    """Which factors pixels and colors tell in the originals, and which of them the views take away."""
    readings: list[FactorReading] = []
    findings: list[ViewFinding] = []
    kind = next((number for number, view in enumerate(views) if view.role == "global"), 0)
    originals = as_floats(sample.pixels)
    stages: list[tuple[int, torch.Tensor]] = []
    for column, values in factors.items():
        numbers = _numbers(values)
        if numbers is None:
            continue
        known = numbers[numbers >= 0]
        guessing = float(np.bincount(known).max() / len(known))
        whole = _told(originals, numbers)
        if whole - guessing < _READABLE or wilson(round(whole * len(known)), len(known))[0] <= guessing:
            continue
        report(f"measuring views: {column}", 3, 4)
        stages = stages or _stages(views[kind], sample, ops)
        told = [_told(images, numbers) for _, images in stages]
        readings.append(FactorReading(column=column, originals=whole, views=told[-1], guessing=guessing))
        if told[-1] - guessing < _LOST * (whole - guessing):
            findings.append(
                _taken(views, kind, column, readings[-1], [whole, *told], [place for place, _ in stages], ops)
            )
    return tuple(readings), findings


def _taken(
    views: tuple[ViewSpec, ...],
    kind: int,
    column: str,
    reading: FactorReading,
    told: list[float],
    places: list[int],
    ops: Ops,
) -> ViewFinding:
    """Names the op after which the figure falls the most."""
    drops = [before - after for before, after in itertools.pairwise(told)]
    place = places[int(np.argmax(drops))]
    title = ops[views[kind].chain[place].op].title if place >= 0 else "The size of the views"
    return ViewFinding(
        level="note",
        title=f"“{column}” is taken away.",
        text=f"Pixels or colors tell it for {100 * reading.originals:.0f} % of the originals and for "
        f"{100 * reading.views:.0f} % of the views (guessing: {100 * reading.guessing:.0f} %). {title} does the most. "
        "If it matters to you, make that weaker; if not, this is what views are for.",
        kind=kind,
        place=place,
    )


def _stages(view: ViewSpec, sample: Sample, ops: Ops) -> list[tuple[int, torch.Tensor]]:
    """(place of the op, the first view of every image after it) for each op that is on; the last is the view."""
    places = [place for place, spec in enumerate(view.chain) if spec.enabled]
    if not places:
        return [(-1, make((replace(view, count=1),), sample, ops)[0])]
    return [(place, make((replace(view, count=1, chain=view.chain[: place + 1]),), sample, ops)[0]) for place in places]


def _told(images: torch.Tensor, numbers: NDArray[np.int64]) -> float:
    return max(readable(coarse, images, numbers), readable(colors, images, numbers))


def _numbers(values: Sequence[str]) -> NDArray[np.int64] | None:
    """Class numbers, -1 where unknown; None where the column cannot be read from so few images."""
    classes = sorted(set(values) - {""})
    labeled = sum(value != "" for value in values)
    if not 2 <= len(classes) <= min(_MOST_VALUES, labeled / 8):
        return None
    number = {value: place for place, value in enumerate(classes)}
    return np.array([number.get(value, -1) for value in values], dtype=np.int64)
