"""Sharing images out evenly among clusters: Sinkhorn's iteration on a batch (SwAV) and on a whole set (SeLa)."""

import torch
from torch import Tensor

from workbench.method.losses.precision import float32

_SMALLEST = -80.0
"""Exponent under which a weight counts as e⁻⁸⁰: float32 can still divide by it."""


@torch.no_grad()
def sinkhorn(scores: Tensor, *, epsilon: float, iterations: int) -> Tensor:
    """Soft assignments that use all clusters evenly (Caron et al. 2020, arXiv:2006.09882, eq. 3 to 5).

    Q = diag(u) exp(scores / ε) diag(v), where u and v make every cluster receive B / K images and every image give
    1 in all, after `iterations` rounds of both, images last. scores: (B, K), cosines of images and clusters.
    Returns (B, K) float32 without gradient, rows that add up to 1. It works on logarithms, so no score is too large.
    """
    with float32(scores):
        logarithm = scores.float() / epsilon
        for _ in range(iterations):
            logarithm = logarithm - logarithm.logsumexp(dim=0, keepdim=True)
            logarithm = logarithm - logarithm.logsumexp(dim=1, keepdim=True)
        return logarithm.exp()


@torch.no_grad()
def balanced_labels(
    logits: Tensor, *, sharpness: float, tolerance: float = 1e-2, most_rounds: int = 1000
) -> tuple[Tensor, Tensor]:
    """Hard labels of a whole set that fit the predictions best while all clusters are equally large.

    Sinkhorn-Knopp on P^λ with P = softmax(logits) / N (Asano et al. 2020, arXiv:1911.05371, eq. 7 and 8): α and β are
    fitted in turn until each cluster receives 1 / K up to the share `tolerance` of it, then every image takes its
    largest entry of diag(α) P^λ diag(β). logits: (N, K). Returns labels (N,) int64, and the worst deviation that was
    left, as a share of 1 / K.
    """
    with float32(logits):
        exponents = sharpness * torch.log_softmax(logits.float(), dim=1)
        # A factor for a cluster is taken up by α, and one for an image by β, so that nothing gets too small to count.
        exponents = exponents - exponents.amax(dim=0, keepdim=True)
        weights = (exponents - exponents.amax(dim=1, keepdim=True)).clamp(min=_SMALLEST).exp()
        count, clusters = weights.shape
        alpha = weights.new_full((clusters,), 1 / clusters)
        left = weights.new_tensor(torch.inf)
        for _ in range(most_rounds):
            beta = 1 / (count * (weights @ alpha))
            received = alpha * (beta @ weights)
            left = (received * clusters - 1).abs().max()
            if left < tolerance:
                break
            alpha = alpha / (received * clusters)
        labels: Tensor = (weights * alpha).argmax(dim=1)
        return labels, left
