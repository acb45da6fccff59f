"""Invariance: how far an encoder moves when its images are changed, op by op, stronger and stronger.

Every view teaches an invariance (Xiao et al. 2021, "What should not be contrastive in contrastive learning",
arXiv:2008.05659): what training changed, the encoder learns to ignore. Here it is measured.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from workbench.augment.op import Ladder, OpInfo
from workbench.augment.plan import ViewPlan
from workbench.inspect.embed import embed_batches
from workbench.inspect.encoder import LoadedEncoder
from workbench.runs.audit import LadderResult, Rung
from workbench.spec.experiment import OpSpec, ViewSpec
from workbench.spec.progress import Report, ignore

_BATCH = 128
_HALF_A_LEVEL = 0.5 / 255

Chain = tuple[OpSpec, ...]


@dataclass(frozen=True, kw_only=True)
class Invariance:
    """Every ladder's cosines; the raw mean cosine between different images; the titles that do not apply."""

    ladders: tuple[LadderResult, ...]
    between: float
    skipped: tuple[str, ...]


def invariance(
    loaded: LoadedEncoder,
    pixels: NDArray[np.generic],
    ids: NDArray[np.int64],
    *,
    ops: Mapping[str, OpInfo[Any]],
    device: torch.device,
    report: Report = ignore,
) -> Invariance:
    """The encoder's answers to every op that can be turned up (`OpInfo.ladders`), on images (n, C, S, S).

    Original and changed image are at the size that the encoder was trained at; the op acts at that size. Before
    the cosine is taken, the mean feature of the originals is subtracted from both: encoders that give all images
    nearly the same direction, as untrained ones do, would look blind to everything otherwise. ids: (n,), for the
    draws, which are the same for every encoder. A ladder whose strongest step leaves all of the images as they are
    is skipped: an encoder is not blind to what does not happen.
    """
    ladders = [(info, ladder) for info in ops.values() for ladder in info.ladders]
    steps = 1 + sum(ladder.steps for _, ladder in ladders)
    report("auditing", 0, steps)
    changing = _Changing(loaded, pixels, ids, ops, device)
    plain = list(changing.batches(()))
    original = changing.features(plain)
    done, results, skipped = 1, [], []
    for info, ladder in ladders:
        steps_of = [changing.chain(info, ladder, strength) for strength in strengths(ladder)]
        if changing.does_nothing(plain, steps_of[-1]):
            skipped.append(ladder.title)
            done += ladder.steps
            continue
        rungs = []
        for strength, chain in zip(strengths(ladder), steps_of, strict=True):
            report(f"auditing: {ladder.title.lower()}", done, steps)
            rungs.append(_rung(ladder.words(strength), original, changing.features(changing.batches(chain))))
            done += 1
        key = f"{info.name}/{ladder.name}"
        results.append(LadderResult(key=key, title=ladder.title, group=info.group, rungs=tuple(rungs)))
    report("auditing", steps, steps)
    return Invariance(ladders=tuple(results), between=_between(original), skipped=tuple(skipped))


def strengths(ladder: Ladder[Any]) -> tuple[float, ...]:
    """Evenly up to 1."""
    return tuple((step + 1) / ladder.steps for step in range(ladder.steps))


@dataclass(frozen=True)
class _Changing:
    """The images of an audit, and the encoder that is asked about them."""

    loaded: LoadedEncoder
    pixels: NDArray[np.generic]
    ids: NDArray[np.int64]
    ops: Mapping[str, OpInfo[Any]]
    device: torch.device

    def chain(self, info: OpInfo[Any], ladder: Ladder[Any], strength: float) -> Chain:
        """An op alone, at a strength of a ladder."""
        return (OpSpec(op=info.name, params=msgspec.to_builtins(ladder.params(strength))),)

    def batches(self, chain: Chain) -> Iterator[torch.Tensor]:
        """Every image after the chain; the whole images without one."""
        plan = ViewPlan((ViewSpec(count=1, size=self.loaded.image_size, chain=chain),), self.ops)
        for start in range(0, len(self.pixels), _BATCH):
            part = slice(start, start + _BATCH)
            block = torch.from_numpy(np.ascontiguousarray(self.pixels[part])).to(self.device)
            yield plan.make(block, seed=0, epoch=0, ids=torch.from_numpy(self.ids[part]))[0]

    def features(self, batches: Iterable[torch.Tensor]) -> NDArray[np.float32]:
        """What the encoder makes of them."""
        return embed_batches(self.loaded.encoder, self.loaded.normalization, batches, device=self.device)

    def does_nothing(self, plain: Sequence[torch.Tensor], chain: Chain) -> bool:
        """Whether the chain leaves every pixel of every image as it is, as hue does where all is gray."""
        changed = zip(plain, self.batches(chain), strict=True)
        return all(float((other - images).abs().max()) < _HALF_A_LEVEL for images, other in changed)


def _rung(label: str, original: NDArray[np.float32], changed: NDArray[np.float32]) -> Rung:
    mean = original.mean(axis=0)
    cosines = cosine(original - mean, changed - mean)
    low, high = np.percentile(cosines, [10, 90])
    return Rung(
        label=label,
        cosine=float(cosines.mean()),
        low=float(low),
        high=float(high),
        raw=float(cosine(original, changed).mean()),
    )


def cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) cosine of each row of (n, d) with the same row of the other; 0 where one of them has no direction."""
    one, other = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines: NDArray[np.float64] = np.divide(
        (one * other).sum(axis=1), lengths, out=np.zeros(len(one)), where=lengths > 1e-12
    )
    return cosines


def _between(features: NDArray[np.float32]) -> float:
    """The mean raw cosine of different rows."""
    n = len(features)
    if n < 2:
        return 0.0
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(lengths, 1e-12)
    whole = float(np.square(unit.sum(axis=0, dtype=np.float64)).sum())
    own = float(np.square(unit.astype(np.float64)).sum())
    return (whole - own) / (n * (n - 1))
