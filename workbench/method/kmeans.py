"""Spherical k-means: clusters of directions."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32

_BLOCK = 1 << 24
"""Cosines that are held at a time."""


@torch.no_grad()
def spherical_kmeans(z: Tensor, clusters: int, *, iterations: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Unit centroids that the vectors point along, and which one each vector is nearest to (Dhillon & Modha 2001).

    Begins with `clusters` of the vectors, drawn by `generator` (on the CPU); in each iteration a centroid becomes the
    direction of its vectors' sum. One that has none begins anew at the vector that fits its own centroid worst.
    z: (N, d), any norm, N >= clusters. Returns centroids (clusters, d) float32 and assignments (N,) int64.
    """
    with float32(z):
        unit = F.normalize(z.float(), dim=1)
        chosen = torch.randperm(len(unit), generator=generator)[:clusters]
        centroids = unit[chosen.to(unit.device)]
        nearest, fit = _nearest(unit, centroids)
        for _ in range(iterations):
            centroids = _directions(unit, nearest, fit, clusters)
            nearest, fit = _nearest(unit, centroids)
        return centroids, nearest


def _nearest(unit: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    rows = max(1, _BLOCK // len(centroids))
    found = [(part @ centroids.T).max(dim=1) for part in torch.split(unit, rows)]
    return torch.cat([one.indices for one in found]), torch.cat([one.values for one in found])


def _directions(unit: Tensor, nearest: Tensor, fit: Tensor, clusters: int) -> Tensor:
    sums = unit.new_zeros(clusters, unit.shape[1]).index_add_(0, nearest, unit)
    empty = (torch.bincount(nearest, minlength=clusters) == 0).nonzero().flatten()
    if len(empty):
        sums[empty] = unit[fit.topk(len(empty), largest=False).indices]
    return F.normalize(sums, dim=1)
