"""What a view plan does to images, measured: nothing, too little, too much."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray
from torch import Tensor

from workbench.augment.op import OpInfo
from workbench.augment.plan import ViewPlan
from workbench.spec.experiment import OpSpec, ViewSpec
from workbench.spec.params import Params, convert, describe

Ops = Mapping[str, OpInfo[Any]]
Floats = NDArray[np.float32]

_SIDE = 16
_COLOR_BINS = 8
_LEVEL = 0.5 / 255


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Images (n, C, S, S), who they are (n,), and the seed of the draws."""

    pixels: Tensor
    ids: Tensor
    seed: int

    def first(self, count: int) -> "Sample":
        """The first of them."""
        return Sample(pixels=self.pixels[:count], ids=self.ids[:count], seed=self.seed)


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What one op does where it acts. mean: change in gray levels; unchanged: share of images that stay as they
    are; clipped: share of values that it drives to black or white; idle: parameters that might as well be 0.
    """

    kind: int
    place: int
    mean: float
    unchanged: float
    clipped: float
    idle: tuple[str, ...] = ()


def make(views: Sequence[ViewSpec], sample: Sample, ops: Ops) -> list[Tensor]:
    """Every view of every image, as training makes them in its first epoch."""
    return ViewPlan(views, ops).make(sample.pixels, seed=sample.seed, epoch=0, ids=sample.ids)


def effects(views: Sequence[ViewSpec], sample: Sample, ops: Ops) -> list[Effect]:
    """Each op that is on, acting on every image: the chain up to it, with it and without it."""
    found = []
    for kind, view in enumerate(views):
        for place, spec in enumerate(view.chain):
            info = ops.get(spec.op)
            if not spec.enabled or info is None:
                continue
            params = convert(spec.params, info.params, where=f"views[{kind}].chain[{place}]")
            if getattr(params, "p", 1.0) == 0:
                continue
            certain = {**spec.params, "p": 1.0} if "p" in info.params.__struct_fields__ else spec.params
            before, after = (
                _after(view, (*view.chain[:place], last), sample, ops)
                for last in (replace(spec, enabled=False), replace(spec, params=certain))
            )
            idle = []
            for name in _that_can_be_off(params):
                without = replace(spec, params={**certain, name: 0.0})
                if not _differ(after, _after(view, (*view.chain[:place], without), sample, ops)):
                    idle.append(name)
            change = (after - before).abs().flatten(1)
            found.append(
                Effect(
                    kind=kind,
                    place=place,
                    mean=float(change.mean()) * 255,
                    unchanged=float((change.amax(dim=1) < _LEVEL).float().mean()),
                    clipped=float((_at_end(after) & ~_at_end(before)).float().mean()),
                    idle=tuple(idle),
                )
            )
    return found


def _that_can_be_off(params: Params) -> tuple[str, ...]:
    """Strengths that are not at 0, where 0 is the least."""
    return tuple(
        info.name
        for info in describe(type(params))
        if info.kind == "float" and info.low == 0 and info.name != "p" and getattr(params, info.name) != 0
    )


def _differ(first: Tensor, second: Tensor) -> bool:
    return bool((first - second).abs().max() >= _LEVEL)


def _after(view: ViewSpec, chain: tuple[OpSpec, ...], sample: Sample, ops: Ops) -> Tensor:
    """The first view of a kind after part of its chain."""
    return make((replace(view, count=1, chain=chain),), sample, ops)[0]


def _at_end(images: Tensor) -> Tensor:
    return (images < _LEVEL) | (images > 1 - _LEVEL)


def clipped(views: Tensor, originals: Tensor) -> float:
    """The share of values at black or white in views, beyond that in the originals."""
    return max(0.0, float(_at_end(views).float().mean()) - float(_at_end(originals).float().mean()))


def identical(first: Tensor, second: Tensor) -> float:
    """The share of images whose two views (n, C, h, w) are one picture; 0 where their sizes differ."""
    if first.shape != second.shape:
        return 0.0
    return float(((first - second).abs().flatten(1).amax(dim=1) < _LEVEL).float().mean())


def coarse(images: Tensor) -> Floats:
    """(n, d): pixels shrunk to 16 x 16 at most, each image's mean taken out and scaled to length one."""
    side = min(_SIDE, *images.shape[2:])
    small = torch.nn.functional.adaptive_avg_pool2d(images, side).flatten(1)
    return _unit((small - small.mean(dim=1, keepdim=True)).numpy())


def colors(images: Tensor) -> Floats:
    """(n, d): the square roots of each channel's histogram, so that a cosine is Bhattacharyya's similarity."""
    n, channels = images.shape[:2]
    bins = (images * _COLOR_BINS).long().clamp_(0, _COLOR_BINS - 1).flatten(2)
    counts = torch.zeros(n, channels, _COLOR_BINS)
    counts.scatter_add_(2, bins, torch.ones(bins.shape))
    return _unit(counts.sqrt().flatten(1).numpy())


def matched(first: Floats, second: Floats) -> float:
    """How often the nearest of all second views is the image's own, both ways, by cosine of unit rows (n, d)."""
    similar = first @ second.T
    own = np.arange(len(first))
    return float(((similar.argmax(axis=1) == own).mean() + (similar.argmax(axis=0) == own).mean()) / 2)


def readable(describe: Callable[[Tensor], Floats], images: Tensor, values: NDArray[np.int64]) -> float:
    """How often the five nearest other images vote for an image's own value. values: (n,) class numbers, -1 unknown."""
    known = values >= 0
    rows, truth = describe(images)[known], values[known]
    similar = rows @ rows.T
    np.fill_diagonal(similar, -np.inf)
    nearest = np.argsort(-similar, axis=1)[:, :5]
    votes = np.zeros((len(truth), int(truth.max()) + 1))
    for column in nearest.T:
        np.add.at(votes, (np.arange(len(truth)), truth[column]), 1.0)
    return float((votes.argmax(axis=1) == truth).mean())


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit
