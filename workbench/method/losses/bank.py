"""Losses that compare an image with the remembered vectors of all others, one for each training image."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def bank_softmax(z: Tensor, own: Tensor, others: Tensor, is_own: Tensor, *, temperature: float) -> Tensor:
    """Non-parametric softmax (Wu et al. 2018, arXiv:1805.01978, eq. 2).

    −log( exp(v_i·z / T) / (exp(v_i·z / T) + Σ_j exp(v_j·z / T)) ), the mean over the batch.
    z: (B, d), any norm. own: (B, d), the image's own remembered vector; others: (M, d), remembered ones that it is
    compared with; both of unit norm. is_own: (B, M), true where one of these is the image's own, which counts once.
    Returns a scalar; ln(1 + those that count) where all embeddings are the same.
    """
    with float32(z):
        positive, negatives = _scores(z, own, others, is_own, temperature)
        return (torch.cat((positive, negatives), dim=1).logsumexp(dim=1) - positive[:, 0]).mean()


def bank_nce(z: Tensor, own: Tensor, others: Tensor, is_own: Tensor, *, temperature: float) -> Tensor:
    """Noise-contrastive loss against a bank (Misra & van der Maaten 2020, arXiv:1912.01991, eq. 3 and 4).

    −log h(v_i) − Σ_j log(1 − h(v_j)), h(v) = exp(v·z / T) / (exp(v·z / T) + S), S = Σ_j exp(v_j·z / T), the mean over
    the batch. Arguments as in `bank_softmax`. Returns a scalar; ln(N + 1) + N ln(1 + 1/N), about ln(N) + 1, where all
    embeddings are the same and N others count.
    """
    with float32(z):
        positive, negatives = _scores(z, own, others, is_own, temperature)
        total = negatives.logsumexp(dim=1, keepdim=True)
        right = F.softplus(total - positive)[:, 0]
        return (right + F.softplus(negatives - total).sum(dim=1)).mean()


def _scores(z: Tensor, own: Tensor, others: Tensor, is_own: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    unit = F.normalize(z.float(), dim=1)
    positive = (unit * own.float()).sum(dim=1, keepdim=True) / temperature
    negatives = (unit @ others.float().T / temperature).masked_fill(is_own, float("-inf"))
    return positive, negatives
