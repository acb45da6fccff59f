"""W-MSE: vectors are made white, which no collapse survives, and then compared."""

from collections.abc import Sequence
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def w_mse(views: Sequence[Tensor], slices: Sequence[Tensor], *, shrinkage: float = 0.0) -> Tensor:
    """Squared distance of white unit vectors (Ermolov et al. 2021, arXiv:2007.06346).

    2 − 2 cos(w, w'), the mean over pairs of views, over slices and within them. views: (B, d) each, any norm;
    slices: the rows (w,) int64 that are whitened together, in each view on their own; w >= d.
    Returns a scalar, from 0 (same direction) to 4; 2 where the views have nothing in common.
    """
    distances: list[Tensor] = []
    for rows in slices:
        white = [F.normalize(whiten(view[rows], shrinkage=shrinkage), dim=1) for view in views]
        distances.extend(2 - 2 * (one * other).sum(dim=1).mean() for one, other in combinations(white, 2))
    return torch.stack(distances).mean()


def whiten(z: Tensor, *, shrinkage: float = 0.0) -> Tensor:
    """L⁻¹ (z − mean) with L Lᵀ = (1 − ε) Cov + ε I (Ermolov et al. 2021, arXiv:2007.06346): uncorrelated, variance 1.

    z: (B, d), B > d unless ε > 0. Returns (B, d) float32, not numbers where the covariance has no root.
    """
    with float32(z):
        z = z.float()
        z = z - z.mean(dim=0)
        covariance = z.T @ z / (len(z) - 1)
        identity = torch.eye(z.shape[1], device=z.device)
        # Without the check of `cholesky`, which would end the run where a loss that is not a number stops it in words.
        root = torch.linalg.cholesky_ex((1 - shrinkage) * covariance + shrinkage * identity).L
        white: Tensor = torch.linalg.solve_triangular(root, z.T, upper=False).T
        return white
