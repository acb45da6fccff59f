"""Optimizers by name, with weight decay only where it belongs."""

from collections.abc import Iterable
from typing import Any

import torch
from timm.optim.lars import Lars
from torch import nn
from torch.optim import Optimizer

from workbench.spec.experiment import TrainSpec

LARS_TRUST = 0.02
"""LARS's trust coefficient, as in solo-learn's small-image recipes; the paper's 0.001 is for ImageNet."""


def build_optimizer(method: nn.Module, spec: TrainSpec, *, learning_rate: float) -> Optimizer:
    """The optimizer that `spec` names, over every parameter that trains.

    Biases and the scales of normalization layers (parameters with fewer than two axes), and a transformer's
    learned tokens and positions (1, n, d), get neither weight decay nor LARS's adaptation (You et al. 2017;
    Goyal et al. 2017, section 5.3; timm's `no_weight_decay`).
    """
    groups = parameter_groups(method.parameters(), spec.weight_decay)
    match spec.optimizer:
        case "sgd":
            return torch.optim.SGD(groups, lr=learning_rate, momentum=spec.momentum)
        case "adamw":
            return torch.optim.AdamW(groups, lr=learning_rate)
        case "lars":
            groups[0]["always_adapt"] = True  # Also at a weight decay of 0, which timm takes for 'not adapted'.
            lars: Optimizer = Lars(
                groups, lr=learning_rate, momentum=spec.momentum, trust_coeff=LARS_TRUST, trust_clip=True
            )
            return lars


def parameter_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Two groups, always in this order: weights, which decay, and the rest, which does not."""
    training = [parameter for parameter in parameters if parameter.requires_grad]
    return [
        {"params": [p for p in training if _decays(p)], "weight_decay": weight_decay},
        {"params": [p for p in training if not _decays(p)], "weight_decay": 0.0},
    ]


def _decays(parameter: nn.Parameter) -> bool:
    is_token = parameter.ndim == 3 and parameter.shape[0] == 1
    return parameter.ndim > 1 and not is_token


def set_learning_rate(optimizer: Optimizer, learning_rate: float) -> None:
    """The same for every group."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
