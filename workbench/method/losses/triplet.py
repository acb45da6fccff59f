"""The triplet loss, and which negative to take of those that a batch offers."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def triplet(distances: Tensor, chosen: Tensor, *, margin: float) -> Tensor:
    """[ ‖a − p‖² − ‖a − n‖² + margin ]₊ on the unit sphere (Schroff et al. 2015, arXiv:1503.03832, eq. 3).

    distances: (B, B) as `squared_distances` gives them; row i's positive is column i. chosen: (B,), the column of
    each row's negative. Returns the mean over the batch; `margin` where all embeddings are the same.
    """
    with float32(distances):
        positive = distances.diagonal()
        negative = distances.gather(1, chosen[:, None])[:, 0]
        return F.relu(positive - negative + margin).mean()


def squared_distances(a: Tensor, p: Tensor) -> Tensor:
    """‖a_i − p_j‖² of unit vectors, from 0 to 4. a, p: (B, d), any norm, to (B, B)."""
    with float32(a):
        return 2 - 2 * F.normalize(a.float(), dim=1) @ F.normalize(p.float(), dim=1).T


def hardest(distances: Tensor) -> Tensor:
    """(B, B) to the column (B,) of the nearest negative of each row."""
    return _without_positives(distances, float("inf")).argmin(dim=1)


def semi_hard(distances: Tensor) -> Tensor:
    """(B, B) to the column (B,) of the nearest negative that is farther than the positive (Schroff et al. 2015, eq. 4).

    Where none is farther, the farthest of all.
    """
    negatives = _without_positives(distances, float("inf"))
    farther = negatives.masked_fill(negatives <= distances.detach().diagonal()[:, None], float("inf"))
    farthest = _without_positives(distances, float("-inf")).argmax(dim=1)
    return torch.where(farther.isfinite().any(dim=1), farther.argmin(dim=1), farthest)


def _without_positives(distances: Tensor, instead: float) -> Tensor:
    return distances.detach().clone().fill_diagonal_(instead)
