"""Losses and accuracies of classes."""

import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def cross_entropy(logits: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of the labeled rows, with label smoothing; 0 where no row has a label.

    logits: (B, classes); labels: (B,) int64, −1 where unknown. Returns a scalar.
    """
    with float32(logits):
        losses = F.cross_entropy(logits.float(), labels, ignore_index=-1, label_smoothing=smoothing, reduction="sum")
        return losses / (labels >= 0).sum().clamp(min=1)


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of the labeled rows whose largest logit is their label; labels −1 do not count."""
    known = labels >= 0
    right = (logits.argmax(dim=1) == labels) & known
    return right.sum().float() / known.sum().clamp(min=1)
