"""Losses on the statistics of a batch: invariant, spread out, and without redundancy."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32

VARIANCE_EPSILON = 1e-4
"""Under VICReg's square root; so its variance term is at most 1 − √ε = 0.99."""


def barlow_twins(z1: Tensor, z2: Tensor, *, redundancy: float) -> tuple[Tensor, Tensor]:
    """The two terms of Barlow Twins (Zbontar et al. 2021, arXiv:2103.03230, eq. 1); the loss is their sum.

    C is the cross-correlation (d, d) of z1 and z2, each standardized over the batch.
    Invariance Σ_i (1 − C_ii)²; redundancy λ Σ_i Σ_{j≠i} C_ij². z1, z2: (B, d), B >= 2.
    Returns two scalars; (d, 0) where all embeddings are the same.
    """
    with float32(z1):
        correlation = _standardize(z1.float()).T @ _standardize(z2.float()) / len(z1)
        diagonal = torch.diagonal(correlation)
        rest = correlation.square().sum() - diagonal.square().sum()
        return (1 - diagonal).square().sum(), redundancy * rest


def vicreg(z1: Tensor, z2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The three terms of VICReg (Bardes et al. 2022, arXiv:2105.04906, eq. 1 to 6), without their weights.

    Invariance: the mean squared difference; variance: the mean over both of mean_j max(0, 1 − √(Var(z_j) + ε));
    covariance: the sum over both of Σ_{i≠j} Cov_ij² / d. Invariance and variance are means over entries, as in the
    authors' code; eq. 5 and 6 have sums. z1, z2: (B, ..., d), B >= 2; statistics over B, a mean over the axes between.
    Returns three scalars; (0, 0.99, 0) where all embeddings are the same.
    """
    with float32(z1):
        z1, z2 = z1.float(), z2.float()
        variance = (_missing_deviation(z1) + _missing_deviation(z2)) / 2
        return F.mse_loss(z1, z2), variance, _covariance(z1) + _covariance(z2)


def tico(z: Tensor, target: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The two terms of TiCo (Zhu et al. 2022, arXiv:2206.10698), without the weight ρ of the second.

    Invariance: mean of 1 − z·z'; contrast: mean of zᵀ C z. z, target: (B, d), any norm, target without gradient;
    covariance: C (d, d), as `moving_covariance` gives it. Returns two scalars; (0, 1) in the limit where all
    embeddings are the same, and a contrast of 1/d where they are spread evenly.
    """
    with float32(z):
        z, target = F.normalize(z.float(), dim=1), F.normalize(target.detach().float(), dim=1)
        return 1 - (z * target).sum(dim=1).mean(), ((z @ covariance.float()) * z).sum(dim=1).mean()


def moving_covariance(z: Tensor, before: Tensor, *, momentum: float) -> Tensor:
    """C ← β C + (1 − β) ZᵀZ / B of unit vectors (Zhu et al. 2022, arXiv:2206.10698). z: (B, d), any norm.

    Returns (d, d) float32, cut from the graph.
    """
    with float32(z), torch.no_grad():
        unit = F.normalize(z.float(), dim=1)
        return momentum * before.float() + (1 - momentum) * (unit.T @ unit) / len(unit)


def _standardize(z: Tensor) -> Tensor:
    # As batch norm without its affine: biased variance, and its epsilon, so that a dead dimension gives 0 and not nan.
    variance, mean = torch.var_mean(z, dim=0, correction=0)
    return (z - mean) * torch.rsqrt(variance + 1e-5)


def _missing_deviation(z: Tensor) -> Tensor:
    return F.relu(1 - torch.sqrt(z.var(dim=0) + VARIANCE_EPSILON)).mean()


def _covariance(z: Tensor) -> Tensor:
    z = z - z.mean(dim=0)
    covariance = torch.einsum("b...i,b...j->...ij", z, z) / (len(z) - 1)
    squares = covariance.square()
    rest = squares.sum(dim=(-2, -1)) - torch.diagonal(squares, dim1=-2, dim2=-1).sum(dim=-1)
    return rest.mean() / z.shape[-1]
