"""Losses that compare an image with others: its own other view attracts, the rest repel."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def nt_xent(z1: Tensor, z2: Tensor, *, temperature: float, memory: Tensor | None = None) -> Tensor:
    """NT-Xent (Chen et al. 2020, arXiv:2002.05709, eq. 1).

    l_i = −log( exp(z_i·z_j / T) / Σ_{k≠i} exp(z_i·z_k / T) ), the mean over all 2B embeddings.
    z1, z2: (B, d), any norm; row i of one is the positive of row i of the other. memory: (K, d) unit norm, which
    join every sum (Chen et al. 2020, arXiv:2006.10029, section 2). Returns a scalar; ln(2B − 1 + K) where all
    embeddings are the same.
    """
    with float32(z1):
        z = F.normalize(torch.cat((z1.float(), z2.float())), dim=1)
        logits = z @ z.T / temperature
        logits.fill_diagonal_(float("-inf"))
        if memory is not None:
            logits = torch.cat((logits, z @ memory.float().T / temperature), dim=1)
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


def in_batch(q: Tensor, k: Tensor, *, temperature: float) -> Tensor:
    """InfoNCE among the rows of one batch (van den Oord et al. 2018, arXiv:1807.03748, eq. 4).

    −log( exp(q_i·k_i / T) / Σ_j exp(q_i·k_j / T) ), the mean over i. q, k: (B, d), any norm, of which either may
    be without gradient. Returns a scalar; ln B where all embeddings are the same.
    """
    with float32(q):
        logits = F.normalize(q.float(), dim=1) @ F.normalize(k.float(), dim=1).T / temperature
        return F.cross_entropy(logits, torch.arange(len(q), device=q.device))


def dcl(z1: Tensor, z2: Tensor, *, temperature: float, sigma: float = 0.0) -> Tensor:
    """Decoupled contrastive loss (Yeh et al. 2022, arXiv:2110.06848, eq. 6), the mean over all 2B embeddings.

    l_i = −w_i z_i·z_j / T + log Σ_k exp(z_i·z_k / T), with k over both views of the other images: without the
    positive pair, which NT-Xent has in its sum. w = 1, or, with a `sigma`, w_i = 2 − exp(z_i·z_j / σ) / mean_i of
    that, without gradient (DCLW, section 3.2). z1, z2: (B, d), B >= 2, any norm. Returns a scalar; ln(2B − 2) where
    all embeddings are the same.
    """
    with float32(z1):
        half = len(z1)
        z = F.normalize(torch.cat((z1.float(), z2.float())), dim=1)
        cosines = z @ z.T
        positive = cosines.diagonal(half)
        image = torch.arange(half, device=z.device).repeat(2)
        others = (cosines / temperature).masked_fill(image[:, None] == image, float("-inf"))
        weight = 2 - half * torch.softmax(positive.detach() / sigma, dim=0) if sigma else torch.ones_like(positive)
        return others.logsumexp(dim=1).mean() - (weight * positive).mean() / temperature


def supcon(views: Sequence[Tensor], labels: Tensor, *, temperature: float) -> Tensor:
    """Supervised contrastive loss, L_out (Khosla et al. 2020, arXiv:2004.11362, eq. 2), the mean over all V·B vectors.

    l_i = −1/|P(i)| Σ_{p∈P(i)} log( exp(z_i·z_p / T) / Σ_{a≠i} exp(z_i·z_a / T) ), with P(i) all other views of
    images of the same label. views: V >= 2 of (B, d), any norm; labels: (B,) int64; an image whose label is −1 has
    but its own other views in P(i). Returns a scalar; ln(V·B − 1) where all embeddings are the same.
    """
    with float32(views[0]):
        z = F.normalize(torch.cat(list(views)).float(), dim=1)
        logits = z @ z.T / temperature
        logits.fill_diagonal_(float("-inf"))
        label = labels.repeat(len(views))
        image = torch.arange(len(labels), device=z.device).repeat(len(views))
        alike = (image[:, None] == image) | ((label[:, None] == label) & (label >= 0))
        alike.fill_diagonal_(fill_value=False)
        log_p = torch.log_softmax(logits, dim=1).masked_fill(~alike, 0.0)
        return -(log_p.sum(dim=1) / alike.sum(dim=1)).mean()
