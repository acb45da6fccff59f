"""Losses on the statistics of a batch: invariant, spread out, and without redundancy."""

import torch
from torch import Tensor

from workbench.method.losses.precision import float32


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


def _standardize(z: Tensor) -> Tensor:
    # As batch norm without its affine: biased variance, and its epsilon, so that a dead dimension gives 0 and not nan.
    variance, mean = torch.var_mean(z, dim=0, correction=0)
    return (z - mean) * torch.rsqrt(variance + 1e-5)
