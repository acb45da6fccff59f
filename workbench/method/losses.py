"""Losses as pure functions, each with its paper and equation, computed in float32 also under autocast."""

import torch
import torch.nn.functional as F
from torch import Tensor


def nt_xent(z1: Tensor, z2: Tensor, *, temperature: float) -> Tensor:
    """NT-Xent (Chen et al. 2020, arXiv:2002.05709, eq. 1).

    l_i = −log( exp(z_i·z_j / T) / Σ_{k≠i} exp(z_i·z_k / T) ), the mean over all 2B embeddings.
    z1, z2: (B, d), any norm; row i of one is the positive of row i of the other. Returns a scalar;
    ln(2B − 1) where all embeddings are the same.
    """
    with _float32(z1):
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
    with _float32(q):
        q, k = F.normalize(q.float(), dim=1), F.normalize(k.detach().float(), dim=1)
        positive = (q * k).sum(dim=1, keepdim=True)
        logits = torch.cat((positive, q @ queue.float().T), dim=1) / temperature
        return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long, device=q.device))


def negative_cosine(p: Tensor, z: Tensor) -> Tensor:
    """D(p, z) = −cos(p, stop-gradient(z)) (Chen & He 2021, arXiv:2011.10566, eq. 1 and 3).

    p, z: (B, d), any norm. Returns the mean over the batch, from −1 (same direction) to 1.
    """
    with _float32(p):
        return -F.cosine_similarity(p.float(), z.detach().float(), dim=1).mean()


def byol(p: Tensor, z: Tensor) -> Tensor:
    """‖p/‖p‖ − z/‖z‖‖² = 2 − 2 cos(p, z), z without gradient (Grill et al. 2020, arXiv:2006.07733, eq. 2).

    p, z: (B, d), any norm. Returns the mean over the batch, from 0 (same direction) to 4.
    """
    return 2 + 2 * negative_cosine(p, z)


def barlow_twins(z1: Tensor, z2: Tensor, *, redundancy: float) -> tuple[Tensor, Tensor]:
    """The two terms of Barlow Twins (Zbontar et al. 2021, arXiv:2103.03230, eq. 1); the loss is their sum.

    C is the cross-correlation (d, d) of z1 and z2, each standardized over the batch.
    Invariance Σ_i (1 − C_ii)²; redundancy λ Σ_i Σ_{j≠i} C_ij². z1, z2: (B, d), B >= 2.
    Returns two scalars; (d, 0) where all embeddings are the same.
    """
    with _float32(z1):
        correlation = _standardize(z1.float()).T @ _standardize(z2.float()) / len(z1)
        diagonal = torch.diagonal(correlation)
        rest = correlation.square().sum() - diagonal.square().sum()
        return (1 - diagonal).square().sum(), redundancy * rest


def cross_entropy(logits: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of the labeled rows, with label smoothing; 0 where no row has a label.

    logits: (B, classes); labels: (B,) int64, −1 where unknown. Returns a scalar.
    """
    with _float32(logits):
        losses = F.cross_entropy(logits.float(), labels, ignore_index=-1, label_smoothing=smoothing, reduction="sum")
        return losses / (labels >= 0).sum().clamp(min=1)


def mean_cosine(z: Tensor) -> Tensor:
    """Mean cosine of two different rows of z: (B, d), B >= 2. Near 1 everything looks the same to the encoder."""
    with _float32(z), torch.no_grad():
        unit = F.normalize(z.float(), dim=1)
        count = len(unit)
        return (unit.sum(dim=0).square().sum() - count) / max(1, count * (count - 1))


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of the labeled rows whose largest logit is their label; labels −1 do not count."""
    known = labels >= 0
    right = (logits.argmax(dim=1) == labels) & known
    return right.sum().float() / known.sum().clamp(min=1)


def _standardize(z: Tensor) -> Tensor:
    # As batch norm without its affine: biased variance, and its epsilon, so that a dead dimension gives 0 and not nan.
    variance, mean = torch.var_mean(z, dim=0, correction=0)
    return (z - mean) * torch.rsqrt(variance + 1e-5)


def _float32(z: Tensor) -> torch.autocast:
    return torch.autocast(z.device.type, enabled=False)
