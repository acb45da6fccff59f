"""Figures beside a loss that tell whether everything has become the same."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def mean_cosine(z: Tensor) -> Tensor:
    """Mean cosine of two different rows of z: (B, d), B >= 2. Near 1 everything looks the same to the encoder."""
    with float32(z), torch.no_grad():
        unit = F.normalize(z.float(), dim=1)
        count = len(unit)
        return (unit.sum(dim=0).square().sum() - count) / max(1, count * (count - 1))


def deviation(z: Tensor) -> Tensor:
    """Deviation of the coordinates of unit-norm rows of z (B, d), times √d: near 1 when they point everywhere, 0 when
    they are all the same (Chen and He 2021, section 4.1, where it is compared with 1/√d).
    """
    with float32(z), torch.no_grad():
        unit = F.normalize(z.float(), dim=1)
        spread: Tensor = unit.std(dim=0, correction=0).mean() * z.shape[1] ** 0.5
        return spread
