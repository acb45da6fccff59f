"""Invariance: how far an encoder moves when its images are changed, op by op, stronger and stronger.

Every view teaches an invariance (Xiao et al. 2021, "What should not be contrastive in contrastive learning",
arXiv:2008.05659): what training changed, the encoder learns to ignore. Here it is measured.
"""

from collections.abc import Iterator, Mapping
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
    draws, which are the same for every encoder.
    """
    channels = pixels.shape[1]
    ladders = [(info, ladder) for info in ops.values() for ladder in info.ladders]
    skipped = tuple(ladder.title for _, ladder in ladders if not ladder.does_something_to(channels))
    ladders = [(info, ladder) for info, ladder in ladders if ladder.does_something_to(channels)]
    steps = 1 + sum(ladder.steps for _, ladder in ladders)
    report("auditing", 0, steps)
    original = _features(loaded, pixels, ids, (), ops=ops, device=device)
    done, results = 1, []
    for info, ladder in ladders:
        rungs = []
        for strength in strengths(ladder):
            report(f"auditing: {ladder.title.lower()}", done, steps)
            spec = OpSpec(op=info.name, params=msgspec.to_builtins(ladder.params(strength)))
            changed = _features(loaded, pixels, ids, (spec,), ops=ops, device=device)
            rungs.append(_rung(ladder.words(strength), original, changed))
            done += 1
        key = f"{info.name}/{ladder.name}"
        results.append(LadderResult(key=key, title=ladder.title, group=info.group, rungs=tuple(rungs)))
    report("auditing", steps, steps)
    return Invariance(ladders=tuple(results), between=_between(original), skipped=skipped)


def strengths(ladder: Ladder[Any]) -> tuple[float, ...]:
    """Evenly up to 1."""
    return tuple((step + 1) / ladder.steps for step in range(ladder.steps))


def _features(
    loaded: LoadedEncoder,
    pixels: NDArray[np.generic],
    ids: NDArray[np.int64],
    chain: tuple[OpSpec, ...],
    *,
    ops: Mapping[str, OpInfo[Any]],
    device: torch.device,
) -> NDArray[np.float32]:
    """Features of every image after the chain; of the whole image without one."""
    plan = ViewPlan((ViewSpec(count=1, size=loaded.image_size, chain=chain),), ops)

    def batches() -> Iterator[torch.Tensor]:
        for start in range(0, len(pixels), _BATCH):
            part = slice(start, start + _BATCH)
            block = torch.from_numpy(np.ascontiguousarray(pixels[part])).to(device)
            yield plan.make(block, seed=0, epoch=0, ids=torch.from_numpy(ids[part]))[0]

    return embed_batches(loaded.encoder, loaded.normalization, batches(), device=device)


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
