"""The nearest neighbors of every image among all others."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32

_BLOCK = 1 << 24
"""Cosines that are held at a time."""


@torch.no_grad()
def nearest_neighbors(z: Tensor, count: int) -> Tensor:
    """(N, count) int64: the rows most similar to each row of z (N, d) by cosine, nearest first, itself left out.

    count < N.
    """
    with float32(z):
        unit = F.normalize(z.float(), dim=1)
        found = []
        for start, part in _blocks(unit):
            cosines = part @ unit.T
            own = torch.arange(start, start + len(part), device=z.device)
            cosines.scatter_(1, own[:, None], float("-inf"))
            found.append(cosines.topk(count, dim=1).indices)
        return torch.cat(found)


def _blocks(unit: Tensor) -> list[tuple[int, Tensor]]:
    rows = max(1, _BLOCK // len(unit))
    return [(start, unit[start : start + rows]) for start in range(0, len(unit), rows)]
