"""Losses that predict what a teacher, or the other branch, sees; no negatives."""

import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def negative_cosine(p: Tensor, z: Tensor) -> Tensor:
    """D(p, z) = −cos(p, stop-gradient(z)) (Chen & He 2021, arXiv:2011.10566, eq. 1 and 3).

    p, z: (B, d), any norm. Returns the mean over the batch, from −1 (same direction) to 1.
    """
    with float32(p):
        return -F.cosine_similarity(p.float(), z.detach().float(), dim=1).mean()


def byol(p: Tensor, z: Tensor) -> Tensor:
    """‖p/‖p‖ − z/‖z‖‖² = 2 − 2 cos(p, z), z without gradient (Grill et al. 2020, arXiv:2006.07733, eq. 2).

    p, z: (B, d), any norm. Returns the mean over the batch, from 0 (same direction) to 4.
    """
    return 2 + 2 * negative_cosine(p, z)
