"""A view plan put to the test on a folder's images, with a sentence for whatever is odd, and a way out."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray

from workbench.augment.pixels import as_floats
from workbench.augment.plan import ViewPlan
from workbench.evaluate.interval import wilson
from workbench.inspect.overlap import APART, BINS, outside, pair_overlaps
from workbench.inspect.views import (
    Effect,
    Ops,
    Sample,
    clipped,
    coarse,
    colors,
    effects,
    identical,
    make,
    matched,
    readable,
)
from workbench.spec.experiment import OpSpec, ViewSpec
from workbench.spec.progress import Report, ignore
from workbench.spec.viewfacts import FactorReading, ViewFacts, ViewFinding

SAMPLE = 128
"""Images that are looked at; factors take up to three times as many."""

_RARELY = 0.2
"""Share of pairs that may miss each other; SimCLR's own crops (0.08 to 1) are at about this."""
_GOAL = 0.05
_EASY = 0.8
"""Pairs that raw pixels or colors find so often teach a network little else."""
_CLIPPED = 0.15
_OUTSIDE = 0.2
_EFFECTS = 24
_LOST = 0.5
"""A factor is lost where views keep less than this of what originals tell beyond guessing."""
_READABLE = 0.15
"""A factor that pixels and colors tell by less than this beyond guessing is not theirs to lose."""
_MOST_VALUES = 50
_CLIPPING = ("color", "sharpness", "composite")
"""Groups of ops that move values; black and white are what the others are for."""


def check_views(
    views: Sequence[ViewSpec],
    sample: Sample,
    *,
    ops: Ops,
    factors: Mapping[str, Sequence[str]] | None = None,
    report: Report = ignore,
) -> ViewFacts:
    """Measures a plan on a sample. factors: values by column, one per image, '' where unknown.

    Raises as `ViewPlan` does where the plan itself is wrong, and what `report` raises.
    """
    views = tuple(views)
    report("measuring views", 0, 4)
    looked = sample.first(SAMPLE)
    facts, findings = _pairs(views, looked, ops)
    report("measuring views", 1, 4)
    findings += _single_ops(views, effects(views, looked.first(_EFFECTS), ops), ops)
    report("measuring views", 2, 4)
    facts, more = _ends(views, looked, ops, facts)
    findings += more
    report("measuring views", 3, 4)
    readings, lost = _factors(views, sample, ops, factors or {}, report)
    report("measuring views", 4, 4)
    return replace(facts, factors=readings, findings=(*findings, *lost))


def _globals(views: tuple[ViewSpec, ...]) -> tuple[int, int] | None:
    """The first two global views, by their places in the plan."""
    roles = [view.role for view in views for _ in range(view.count)]
    places = [place for place, role in enumerate(roles) if role == "global"]
    return (places[0], places[1]) if len(places) > 1 else None


def _kind_of(views: tuple[ViewSpec, ...], place: int) -> int:
    return [kind for kind, view in enumerate(views) for _ in range(view.count)][place]


def _pairs(views: tuple[ViewSpec, ...], sample: Sample, ops: Ops) -> tuple[ViewFacts, list[ViewFinding]]:
    """What two global views of an image have in common: area, pixels, colors."""
    facts = ViewFacts(images=len(sample.ids), chance=1 / max(1, len(sample.ids)))
    pair = _globals(views)
    if pair is None:
        return facts, []
    channels, height, width = sample.pixels.shape[1:]
    shape = (channels, height, width)
    shared = pair_overlaps(ViewPlan(views, ops), pair, shape=shape, seed=sample.seed)
    counts, _ = np.histogram(shared, bins=BINS, range=(0, 1))
    made = make(views, sample, ops)
    first, second = made[pair[0]], made[pair[1]]
    facts = replace(
        facts,
        overlap=tuple((counts / len(shared)).tolist()),
        overlap_median=float(np.median(shared)),
        apart=float((shared < APART).mean()),
        by_pixels=matched(coarse(first), coarse(second)),
        by_colors=matched(colors(first), colors(second)),
        identical=identical(first, second),
    )
    kind = _kind_of(views, pair[0])
    findings = [found for found in (_same(facts, kind), _easy(facts, kind)) if found is not None]
    if facts.apart > _RARELY:
        findings.append(_rarely_meet(views, pair, facts.apart, shape=shape, seed=sample.seed, ops=ops))
    return facts, findings


def _same(facts: ViewFacts, kind: int) -> ViewFinding | None:
    if facts.identical <= 0.01:
        return None
    share = "every image" if facts.identical > 0.995 else f"{100 * facts.identical:.0f} % of the images"
    return ViewFinding(
        title="Views are identical.",
        text=f"For {share} the two global views are the same picture: nothing is to be learned from them. "
        "Add a crop, or raise a probability.",
        kind=kind,
    )


def _easy(facts: ViewFacts, kind: int) -> ViewFinding | None:
    """Where a shortcut finds the pair, the network will take it."""
    if facts.images < 16 or facts.identical > 0.995 or max(facts.by_pixels, facts.by_colors) < _EASY:
        return None
    chance = f"guessing finds {100 * facts.chance:.1f} %"
    if facts.by_pixels >= facts.by_colors:
        return ViewFinding(
            title="Pairs are easy.",
            text=f"The nearest picture by raw pixels is the other view of the same image in "
            f"{100 * facts.by_pixels:.0f} % of cases ({chance}). Smaller crops or more color change ask for more.",
            kind=kind,
        )
    return ViewFinding(
        title="Colors give pairs away.",
        text=f"The nearest color histogram is the other view of the same image in {100 * facts.by_colors:.0f} % of "
        f"cases ({chance}), so colors may be all that is learned. Stronger color jitter closes this shortcut, at "
        "the price of blindness to color.",
        kind=kind,
    )


def _rarely_meet(
    views: tuple[ViewSpec, ...],
    pair: tuple[int, int],
    apart: float,
    *,
    shape: tuple[int, int, int],
    seed: int,
    ops: Ops,
) -> ViewFinding:
    """The warning, and the smallest crop with which views meet."""
    kinds = {_kind_of(views, place) for place in pair}
    text = (
        f"In {100 * apart:.0f} % of pairs the two global views share less than a tenth of the smaller one: they "
        "may show different things."
    )
    for low in np.arange(0.1, 0.85, 0.05):
        raised = _with_crop(views, kinds, round(float(low), 2))
        if raised == views:
            continue
        shared = pair_overlaps(ViewPlan(raised, ops), pair, shape=shape, seed=seed)
        if (shared < APART).mean() < _GOAL:
            return ViewFinding(
                title="Crops rarely meet.",
                text=f"{text} Raise the smallest crop to {low:.2f}?",
                kind=min(kinds),
                place=next(
                    (place for place, spec in enumerate(views[min(kinds)].chain) if spec.op == "random_resized_crop"),
                    -1,
                ),
                fix=f"Raise it to {low:.2f}",
                views=raised,
            )
    return ViewFinding(title="Crops rarely meet.", text=text, kind=min(kinds))


def _with_crop(views: tuple[ViewSpec, ...], kinds: set[int], low: float) -> tuple[ViewSpec, ...]:
    """No crop of those kinds smaller than `low`."""

    def raised(spec: OpSpec) -> OpSpec:
        if spec.op != "random_resized_crop":
            return spec
        scale = spec.params.get("scale", (0.08, 1.0))
        if scale[0] >= low:
            return spec
        return replace(spec, params={**spec.params, "scale": [low, max(low, float(scale[1]))]})

    return tuple(
        replace(view, chain=tuple(raised(spec) for spec in view.chain)) if kind in kinds else view
        for kind, view in enumerate(views)
    )


def _single_ops(views: tuple[ViewSpec, ...], found: list[Effect], ops: Ops) -> list[ViewFinding]:
    """Ops that do nothing to these images, or destroy many values."""
    findings = []
    for effect in found:
        spec = views[effect.kind].chain[effect.place]
        title = ops[spec.op].title
        if effect.unchanged == 1:
            findings.append(
                ViewFinding(
                    title=f"{title} changes nothing on these images.",
                    text="Where it acts, no image differs from before by a single gray level. It only costs time.",
                    kind=effect.kind,
                    place=effect.place,
                    fix="Switch it off",
                    views=_switched_off(views, effect.kind, effect.place),
                )
            )
        elif effect.clipped > _CLIPPED and ops[spec.op].group in _CLIPPING:
            findings.append(
                ViewFinding(
                    title=f"{title} clips.",
                    text=f"Where it acts, it drives {100 * effect.clipped:.0f} % of the values to black or white, "
                    "where they are all the same. A smaller strength keeps them apart.",
                    kind=effect.kind,
                    place=effect.place,
                )
            )
    return findings


def _switched_off(views: tuple[ViewSpec, ...], kind: int, place: int) -> tuple[ViewSpec, ...]:
    view = views[kind]
    chain = (*view.chain[:place], replace(view.chain[place], enabled=False), *view.chain[place + 1 :])
    return (*views[:kind], replace(view, chain=chain), *views[kind + 1 :])


def _ends(
    views: tuple[ViewSpec, ...], sample: Sample, ops: Ops, facts: ViewFacts
) -> tuple[ViewFacts, list[ViewFinding]]:
    """Values at the ends of the range, and views that show what is not there."""
    plan = ViewPlan(views, ops)
    channels, height, width = sample.pixels.shape[1:]
    originals = as_floats(sample.pixels)
    ends, beyond, findings, done = [], [], [], set()
    made = make(views, sample, ops)
    for place, images in enumerate(made):
        kind = plan.kinds[place]
        corners = plan.corners((channels, height, width), seed=sample.seed, epoch=0, ids=torch.arange(256), view=place)
        ends.append(clipped(images, originals))
        beyond.append(outside(corners.double().numpy()))
        if beyond[-1] > _OUTSIDE and kind not in done:
            done.add(kind)
            findings.append(
                ViewFinding(
                    title="Views reach outside the image.",
                    text=f"{100 * beyond[-1]:.0f} % of “{views[kind].name}” shows nothing: black corners that "
                    "a network may learn instead of the image. A weaker turn, or a crop after it, avoids them.",
                    kind=kind,
                )
            )
    return replace(facts, clipped=float(np.mean(ends)), outside=float(np.mean(beyond))), findings


def _factors(
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
