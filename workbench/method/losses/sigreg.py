"""LeJEPA: vectors shall be spread as a standard normal distribution, seen along many random directions."""

import torch
from torch import Tensor

from workbench.method.losses.precision import float32


def sigreg(z: Tensor, directions: Tensor, *, knots: int = 17, limit: float = 3.0) -> Tensor:
    """SIGReg with the Epps-Pulley statistic (Balestriero & LeCun 2025, arXiv:2511.08544).

    B ∫ |φ(t) − exp(−t²/2)|² exp(−t²/2) dt over −limit to limit, φ the characteristic function of the B projections
    z·a; the trapezoidal rule on `knots` points from 0 to the limit, doubled by symmetry; the mean over directions.
    z: (B, d); directions: (d, M), unit columns. Returns a scalar; `sigreg_of_a_point` is its value when all
    vectors are zero.
    """
    with float32(z):
        t, weights = _quadrature(knots, limit, z.device)
        angles = (z.float() @ directions.float())[..., None] * t  # (B, M, knots)
        normal = torch.exp(-t.square() / 2)
        error = (angles.cos().mean(dim=0) - normal).square() + angles.sin().mean(dim=0).square()
        statistic: Tensor = len(z) * (error @ (weights * normal)).mean()
        return statistic


def sigreg_of_a_point(images: int, *, knots: int = 17, limit: float = 3.0) -> float:
    """What `sigreg` is for `images` vectors of zeros: where it stands when everything has collapsed."""
    return float(sigreg(torch.zeros(images, 1), torch.ones(1, 1), knots=knots, limit=limit))


def random_directions(dim: int, count: int, generator: torch.Generator) -> Tensor:
    """(dim, count) float32 on the CPU: unit columns, even over the sphere."""
    columns = torch.randn(dim, count, generator=generator)
    norms: Tensor = columns.norm(dim=0)
    return columns / norms


def to_the_center(views: Tensor, global_views: int) -> Tensor:
    """Mean squared distance to the mean of an image's global views (Balestriero & LeCun 2025, arXiv:2511.08544).

    views: (V, B, d), the global ones first. Returns a scalar, a mean over entries too.
    """
    with float32(views):
        views = views.float()
        return (views - views[:global_views].mean(dim=0)).square().mean()


def _quadrature(knots: int, limit: float, device: torch.device) -> tuple[Tensor, Tensor]:
    t = torch.linspace(0, limit, knots, device=device)
    weights = torch.full_like(t, 2 * limit / (knots - 1))
    weights[[0, -1]] /= 2
    return t, weights
