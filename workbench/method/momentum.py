"""A teacher: a copy of a network that follows it slowly."""

import copy
import math

import torch
from torch import Tensor, nn


class Teacher(nn.Module):
    """An exponential moving average of `student`, without gradients (Grill et al. 2020, sec. 3.1).

    Its weights are part of the state dict. It stays in the mode of its owner, so in training its batch
    norms use the batch's statistics, as in the papers.
    """

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.net = copy.deepcopy(student).requires_grad_(requires_grad=False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """What the copied network gives, cut from the graph."""
        output: Tensor = self.net(images)
        return output

    @torch.no_grad()
    def follow(self, student: nn.Module, momentum: float) -> None:
        """teacher ← momentum · teacher + (1 − momentum) · student; buffers are copied."""
        for mine, theirs in zip(self.net.parameters(), student.parameters(), strict=True):
            mine.lerp_(theirs.detach().to(mine.dtype), 1 - momentum)
        for held, current in zip(self.net.buffers(), student.buffers(), strict=True):
            held.copy_(current)


def cosine_momentum(start: float, end: float, fraction: float) -> float:
    """Momentum from `start` to `end` along half a cosine: 1 − (1 − τ)(cos(πf) + 1)/2 for end 1 (BYOL, sec. 3.3)."""
    return end - (end - start) * (math.cos(math.pi * min(1.0, max(0.0, fraction))) + 1) / 2
