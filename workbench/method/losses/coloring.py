"""Losses of colorization by classes."""

import torch
from torch import Tensor

from workbench.method.losses.precision import float32


def soft_cross_entropy(logits: Tensor, bins: Tensor, shares: Tensor, weights: Tensor) -> Tensor:
    """−Σ v(Z) Σ_q Z_q log softmax(logits)_q, a mean over pixels (Zhang et al. 2016, arXiv:1603.08511, eq. 2).

    logits: (B, Q, h, w); bins: (B, k, h, w) int64, the k classes of a pixel that have a share, largest first; shares:
    (B, k, h, w), of sum 1; weights: (Q,), of which a pixel has that of its largest class (eq. 3). Returns a scalar.
    """
    with float32(logits):
        likely = torch.log_softmax(logits.float(), dim=1).gather(1, bins)
        losses = -(shares * likely).sum(dim=1) * weights[bins[:, 0]]
        return losses.mean()
