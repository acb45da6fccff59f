"""Places of two views that show the same: where they lie on the image, and which of their vectors are alike."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def cell_positions(corners: Tensor, rows: int, columns: int) -> Tensor:
    """Where the cells of a view's feature map have their centers on the stored image.

    corners: (B, 4, 2), as in `Batch.corners`. Returns (B, rows × columns, 2), row by row: exact for crops, flips and
    turns, and for what else keeps parallels parallel.
    """
    down = (torch.arange(rows, device=corners.device) + 0.5) / rows
    along = (torch.arange(columns, device=corners.device) + 0.5) / columns
    y, x = (grid.flatten()[:, None] for grid in torch.meshgrid(down, along, indexing="ij"))
    top_left, top_right, bottom_right, bottom_left = (corner[:, None] for corner in corners.float().unbind(dim=1))
    return (1 - y) * ((1 - x) * top_left + x * top_right) + y * ((1 - x) * bottom_left + x * bottom_right)


def matching_pairs(
    z1: Tensor, z2: Tensor, positions1: Tensor, positions2: Tensor, *, matches: int
) -> list[tuple[Tensor, Tensor]]:
    """Vectors of the two views that belong together (Bardes et al. 2022, arXiv:2210.01571).

    z1: (B, n, d) and z2: (B, m, d), the vectors of the cells; positions1, positions2: (B, n, 2) and (B, m, 2).
    Returns four pairs of (B, at most `matches`, d), the closest first: each cell of view 1 with the cell of view 2 that
    lies nearest on the image, the same from view 2, and both again with the cell whose vector is nearest.
    """
    with float32(z1), torch.no_grad():
        by_place = torch.cdist(positions1.float(), positions2.float())
        by_feature = torch.cdist(z1.float(), z2.float())
    pairs = []
    for distances in (by_place, by_feature):
        pairs.append(_closest(z1, z2, distances, matches))
        pairs.append(_closest(z2, z1, distances.transpose(1, 2), matches))
    return pairs


def most_alike(z: Tensor, others: Tensor) -> Tensor:
    """For each vector of z (B, n, d) the place of the one of others (B, m, d) with the largest cosine: (B, n) int64."""
    with float32(z), torch.no_grad():
        cosines = F.normalize(z.float(), dim=2) @ F.normalize(others.float(), dim=2).transpose(1, 2)
        return cosines.argmax(dim=2)


def _closest(z: Tensor, others: Tensor, distances: Tensor, matches: int) -> tuple[Tensor, Tensor]:
    """The `matches` cells of z whose nearest among the others is nearest of all, and those."""
    nearest = distances.min(dim=2)
    chosen = nearest.values.topk(min(matches, z.shape[1]), dim=1, largest=False).indices
    return _pick(z, chosen), _pick(others, nearest.indices.gather(1, chosen))


def _pick(z: Tensor, cells: Tensor) -> Tensor:
    return z.gather(1, cells[..., None].expand(-1, -1, z.shape[2]))
