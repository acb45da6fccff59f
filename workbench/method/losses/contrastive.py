"""Losses that compare an image with others: its own other view attracts, the rest repel."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def nt_xent(z1: Tensor, z2: Tensor, *, temperature: float) -> Tensor:
    """NT-Xent (Chen et al. 2020, arXiv:2002.05709, eq. 1).

    l_i = −log( exp(z_i·z_j / T) / Σ_{k≠i} exp(z_i·z_k / T) ), the mean over all 2B embeddings.
    z1, z2: (B, d), any norm; row i of one is the positive of row i of the other. Returns a scalar;
    ln(2B − 1) where all embeddings are the same.
    """
    with float32(z1):
        z = F.normalize(torch.cat((z1.float(), z2.float())), dim=1)
        logits = z @ z.T / temperature
        logits.fill_diagonal_(float("-inf"))
        half = z1.shape[0]
        positives = torch.arange(2 * half, device=z.device).roll(half)
        return F.cross_entropy(logits, positives)


def info_nce(q: Tensor, k: Tensor, queue: Tensor, *, temperature: float) -> Tensor:
    """InfoNCE against a queue (He et al. 2020, arXiv:1911.05722, eq. 1).

    −log( exp(q·k / T) / (exp(q·k / T) + Σ_queue exp(q·n / T)) ), the mean over the batch.
    q, k: (B, d), any norm, k without gradient; queue: (K, d) unit norm. Returns a scalar; ln(K + 1)
    where all embeddings are the same.
    """
    with float32(q):
        q, k = F.normalize(q.float(), dim=1), F.normalize(k.detach().float(), dim=1)
        positive = (q * k).sum(dim=1, keepdim=True)
        logits = torch.cat((positive, q @ queue.float().T), dim=1) / temperature
        return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long, device=q.device))
