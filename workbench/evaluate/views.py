"""A view plan put to the test on a folder's images, with a sentence for whatever is odd, and a way out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace

from workbench.augment.op import OpInfo
from workbench.augment.pixels import as_floats
from workbench.augment.plan import ViewPlan
from workbench.evaluate.factors import read_factors
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
)
from workbench.spec.experiment import OpSpec, ViewSpec
from workbench.spec.params import describe
from workbench.spec.progress import Report, ignore
from workbench.spec.viewfacts import ViewFacts, ViewFinding

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
    readings, lost = read_factors(views, sample, ops, factors or {}, report)
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
    """Ops and strengths that do nothing to these images, and ops that destroy many values."""
    findings = []
    for effect in found:
        spec = views[effect.kind].chain[effect.place]
        info = ops[spec.op]
        if effect.unchanged == 1:
            findings.append(
                ViewFinding(
                    title=f"{info.title} changes nothing on these images.",
                    text="Where it acts, no image differs from before by a single gray level. It only costs time.",
                    kind=effect.kind,
                    place=effect.place,
                    fix="Switch it off",
                    views=_with_spec(views, effect.kind, effect.place, replace(spec, enabled=False)),
                )
            )
            continue
        if effect.idle:
            findings.append(_idle(views, effect, info))
        if effect.clipped > _CLIPPED and info.group in _CLIPPING:
            findings.append(
                ViewFinding(
                    title=f"{info.title} clips.",
                    text=f"Where it acts, it drives {100 * effect.clipped:.0f} % of the values to black or white, "
                    "where they are all the same. A smaller strength keeps them apart.",
                    kind=effect.kind,
                    place=effect.place,
                )
            )
    return _told_once(views, findings)


def _told_once(views: tuple[ViewSpec, ...], findings: Sequence[ViewFinding]) -> list[ViewFinding]:
    """What holds for several kinds of view alike, in one finding that mends them all."""
    told: dict[tuple[str, int], list[ViewFinding]] = {}
    for number, found in enumerate(findings):
        earlier = sum(other.title == found.title and other.kind == found.kind for other in findings[:number])
        told.setdefault((found.title, earlier), []).append(found)
    return [_for_all(views, alike) for alike in told.values()]


def _for_all(views: tuple[ViewSpec, ...], alike: Sequence[ViewFinding]) -> ViewFinding:
    first = alike[0]
    if len(alike) == 1:
        return first
    names = [f"“{views[found.kind].name}”" for found in alike]
    mended = list(views)
    for found in alike:
        if found.views:
            mended[found.kind] = found.views[found.kind]
    return replace(
        first,
        text=f"{first.text} It is so in {', '.join(names[:-1])} and {names[-1]}.",
        views=tuple(mended) if first.views else (),
    )


def _idle(views: tuple[ViewSpec, ...], effect: Effect, info: OpInfo[Any]) -> ViewFinding:
    """Saturation and hue of gray images, for one."""
    names = [one.title for one in describe(info.params) if one.name in effect.idle]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    plural = len(names) > 1
    spec, off = views[effect.kind].chain[effect.place], dict.fromkeys(effect.idle, 0.0)
    return ViewFinding(
        title=f"{listed.capitalize()} {'change' if plural else 'changes'} nothing on these images.",
        text=f"{info.title} does the same without {'them' if plural else 'it'}, to the gray level.",
        kind=effect.kind,
        place=effect.place,
        fix="Set them to 0" if plural else "Set it to 0",
        views=_with_spec(views, effect.kind, effect.place, replace(spec, params={**spec.params, **off})),
    )


def _with_spec(views: tuple[ViewSpec, ...], kind: int, place: int, spec: OpSpec) -> tuple[ViewSpec, ...]:
    """The plan with another op at a place."""
    chain = views[kind].chain
    changed = replace(views[kind], chain=(*chain[:place], spec, *chain[place + 1 :]))
    return (*views[:kind], changed, *views[kind + 1 :])


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
        beyond.append(outside(corners.double().numpy()))
        ends.append(max(0.0, clipped(images, originals) - beyond[-1]))  # What is not there is black, not clipped.
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
