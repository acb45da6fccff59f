"""Optimizers by name, with weight decay only where it belongs."""

from collections.abc import Iterable
from typing import Any

import torch
from timm.optim.lars import Lars
from torch import nn
from torch.optim import Optimizer

from workbench.spec.experiment import TrainSpec

BETA1 = 0.9
"""AdamW's first beta, which is the same in every recipe here."""

LARS_TRUST = 0.02
"""LARS's trust coefficient, as in solo-learn's small-image recipes; the paper's 0.001 is for ImageNet."""


def build_optimizer(
    net: nn.Module, spec: TrainSpec, *, learning_rate: float, steady: Iterable[nn.Parameter] = ()
) -> Optimizer:
    """The optimizer that `spec` names, over every parameter that trains; `steady` ones keep the learning rate.

    Biases and the scales of normalization layers (parameters with fewer than two axes), and a transformer's
    learned tokens and positions (1, n, d), get neither weight decay nor LARS's adaptation (You et al. 2017;
    Goyal et al. 2017, section 5.3; timm's `no_weight_decay`).
    """
    groups = parameter_groups(net.parameters(), spec.weight_decay, steady=steady)
    match spec.optimizer:
        case "sgd":
            return torch.optim.SGD(groups, lr=learning_rate, momentum=spec.momentum)
        case "adamw":
            return torch.optim.AdamW(groups, lr=learning_rate, betas=(BETA1, spec.beta2))
        case "lars":
            for group in groups:
                # Also at a weight decay of 0, which timm takes for 'not adapted'.
                group["always_adapt"] = group["decays"]
            lars: Optimizer = Lars(
                groups, lr=learning_rate, momentum=spec.momentum, trust_coeff=LARS_TRUST, trust_clip=True
            )
            return lars


def parameter_groups(
    parameters: Iterable[nn.Parameter], weight_decay: float, *, steady: Iterable[nn.Parameter] = ()
) -> list[dict[str, Any]]:
    """Weights, which decay, and the rest, which does not; then the same of those whose learning rate is `steady`.

    The first two groups are always there, in this order, the others only where a method has some.
    """
    constant = {id(parameter) for parameter in steady}
    training = [parameter for parameter in parameters if parameter.requires_grad]
    groups = []
    for is_steady in (False, True) if constant else (False,):
        members = [parameter for parameter in training if (id(parameter) in constant) == is_steady]
        for decays in (True, False):
            chosen = [parameter for parameter in members if _decays(parameter) == decays]
            decay = weight_decay if decays else 0.0
            groups.append({"params": chosen, "weight_decay": decay, "decays": decays, "steady": is_steady})
    return groups


def _decays(parameter: nn.Parameter) -> bool:
    is_token = parameter.ndim == 3 and parameter.shape[0] == 1
    return parameter.ndim > 1 and not is_token


def set_rates(optimizer: Optimizer, learning_rate: float, weight_decay: float) -> None:
    """This step's learning rate, for every group that is not steady, and its weight decay, where there is one."""
    for group in optimizer.param_groups:
        if not group["steady"]:
            group["lr"] = learning_rate
        if group["decays"]:
            group["weight_decay"] = weight_decay
