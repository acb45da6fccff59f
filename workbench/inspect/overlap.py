"""How much two crops of an image share, from their corners alone."""

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.augment.plan import ViewPlan

_GRID = 48
_PAIRS = 1500
BINS = 20
APART = 0.1
"""Views that share less of the smaller one than this have next to nothing in common."""

Corners = NDArray[np.float64]


def pair_overlaps(plan: ViewPlan, views: tuple[int, int], *, shape: tuple[int, int, int], seed: int) -> Corners:
    """(n,) shares of the smaller of two views that the other one shows too, for many images of `shape` (C, H, W)."""
    first, second = (
        plan.corners(shape, seed=seed, epoch=0, ids=torch.arange(_PAIRS), view=view).double().numpy() for view in views
    )
    return overlap(first, second)


def overlap(first: Corners, second: Corners) -> Corners:
    """(n,) area that both of two convex quadrilaterals (n, 4, 2) in [0, 1] cover, as a share of the smaller one.

    Counted on a grid of points; what lies outside the image shows nothing and does not count.
    """
    one, other = covered(first), covered(second)
    smaller = np.minimum(one.sum(axis=1), other.sum(axis=1))
    both = (one & other).sum(axis=1)
    shares: Corners = np.divide(both, smaller, out=np.zeros(len(first)), where=smaller > 0)
    return shares


def covered(corners: Corners) -> NDArray[np.bool_]:
    """(n, points): which points of a grid over the image lie in each quadrilateral (n, 4, 2), mirrored or not."""
    line = (np.arange(_GRID) + 0.5) / _GRID
    x, y = (axis.ravel() for axis in np.meshgrid(line, line))
    sides = []
    for number in range(4):
        start, end = corners[:, number], corners[:, (number + 1) % 4]
        way = end - start
        sides.append(way[:, 0:1] * (y - start[:, 1:2]) - way[:, 1:2] * (x - start[:, 0:1]))
    turned = np.stack(sides)
    return np.asarray((turned >= 0).all(axis=0) | (turned <= 0).all(axis=0), dtype=np.bool_)


def outside(corners: Corners) -> float:
    """The share of views (n, 4, 2) that lies outside the image, where there is nothing."""
    line = (np.arange(16) + 0.5) / 16
    u, v = (axis.ravel()[:, None] for axis in np.meshgrid(line, line))
    top = (1 - u) * corners[:, None, 0] + u * corners[:, None, 1]
    bottom = (1 - u) * corners[:, None, 3] + u * corners[:, None, 2]
    points = (1 - v) * top + v * bottom
    return float(((points < 0) | (points > 1)).any(axis=2).mean())
