"""Prototypes: directions that images are assigned to, and figures that tell whether they are used."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.losses.precision import float32

IMAGES_PER_CLUSTER = 10
"""Fewest images for each cluster, on average: with fewer, a cluster says little more than which image it is."""


class Prototypes(nn.Module):
    """`count` unit vectors of `dim` entries (Caron et al. 2020, sec. 3.1); `project` after every step keeps them so."""

    def __init__(self, count: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(F.normalize(torch.randn(count, dim), dim=1))

    def forward(self, z: Tensor) -> Tensor:
        """Cosines (B, count) of vectors (B, dim) of any norm, in float32."""
        with float32(z):
            return F.normalize(z.float(), dim=1) @ self.weight.float().T

    @torch.no_grad()
    def project(self) -> None:
        """Back onto the sphere."""
        self.weight.copy_(F.normalize(self.weight, dim=1))

    def freeze(self) -> None:
        """Withholds this step's gradient, so that neither momentum nor decay moves them."""
        self.weight.grad = None


def fitting_count(asked: int, images: int) -> int:
    """At most one cluster for `IMAGES_PER_CLUSTER` images, and at least two."""
    return max(2, min(asked, images // IMAGES_PER_CLUSTER))


@torch.no_grad()
def clusters_used(probabilities: Tensor) -> Tensor:
    """exp H(mean of the rows) of (B, K): how many clusters the images share, from 1 (all in one) to K (evenly)."""
    with float32(probabilities):
        entropy: Tensor = torch.special.entr(probabilities.float().mean(dim=0)).sum()
        return entropy.exp()


@torch.no_grad()
def doubt(probabilities: Tensor) -> Tensor:
    """Mean entropy of the rows of (B, K) over ln K: 0 where each image is in one cluster, 1 where it is in all."""
    with float32(probabilities):
        entropy: Tensor = torch.special.entr(probabilities.float()).sum(dim=1).mean()
        return entropy / math.log(max(2, probabilities.shape[1]))


@torch.no_grad()
def information(probabilities: Tensor) -> Tensor:
    """H(mean of the rows) − mean H(row) of (B, K), in nats: what a choice tells of the image that it was made for.

    0 where all rows are the same, however soft they are or how many clusters they share; at most ln min(B, K).
    """
    with float32(probabilities):
        rows = probabilities.float()
        told: Tensor = torch.special.entr(rows.mean(dim=0)).sum() - torch.special.entr(rows).sum(dim=1).mean()
        return told
