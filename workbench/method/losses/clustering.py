"""Losses whose targets are clusters."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def swapped_prediction(scores: Sequence[Tensor], targets: Sequence[Tensor], *, temperature: float) -> Tensor:
    """SwAV's loss: the assignment of one view is predicted from each other view (Caron et al. 2020, eq. 1, 2 and 6).

    ℓ(v, q) = −Σ_k q_k log softmax(scores_v / T)_k, the mean over images, over the targets and over their other views.
    scores: V tensors (B, K), cosines of a view and the prototypes; targets: (B, K) assignments of the first
    len(targets) views. Returns a scalar; about ln K where all predictions are uniform.
    """
    with float32(scores[0]):
        predicted = [torch.log_softmax(one.float() / temperature, dim=1) for one in scores]
        losses = [
            -(target.detach().float() * other).sum(dim=1).mean()
            for one, target in enumerate(targets)
            for view, other in enumerate(predicted)
            if view != one
        ]
        return torch.stack(losses).mean()


def scan(logits: Tensor, neighbors: Tensor) -> tuple[Tensor, Tensor]:
    """The two terms of SCAN (Van Gansbeke et al. 2020, arXiv:2005.12320, eq. 2); the loss is first − λ · second.

    Consistency −mean log ⟨p_i, p_n⟩ of each image and its neighbor, and the entropy H of the mean of the p_i.
    logits, neighbors: (B, K). Returns two scalars; (ln K, ln K) where all predictions are uniform, and (0, 0) where all
    images are in one cluster.
    """
    with float32(logits):
        mine, theirs = torch.log_softmax(logits.float(), dim=1), torch.log_softmax(neighbors.float(), dim=1)
        consistency = -torch.logsumexp(mine + theirs, dim=1).mean()
        mean = torch.logsumexp(mine, dim=0) - torch.log(torch.tensor(float(len(mine)), device=mine.device))
        return consistency, -(mean.exp() * mean).sum()


def self_labeling(weak: Tensor, strong: Tensor, *, confidence: float) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the strong view to the label that the weak view is sure of (Van Gansbeke et al. 2020, sec. 2.3).

    Only images whose largest probability in the weak view is above `confidence` count, each by 1 / the size of its
    cluster among them, so that every cluster weighs the same. weak, strong: (B, K) logits. Returns the loss, 0 where
    no image counts, and the share of images that do.
    """
    with float32(strong):
        probability, labels = torch.softmax(weak.detach().float(), dim=1).max(dim=1)
        sure = (probability > confidence).float()
        sizes = torch.zeros(weak.shape[1], device=weak.device).index_add_(0, labels, sure)
        weights = sure / sizes[labels].clamp(min=1)
        losses = F.cross_entropy(strong.float(), labels, reduction="none")
        return (weights * losses).sum() / weights.sum().clamp(min=1e-12), sure.mean()
