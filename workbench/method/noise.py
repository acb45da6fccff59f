"""Noise that a denoising method puts into an image, on the image's own device, drawn from its number and the epoch."""

from typing import Literal

import torch
from torch import Tensor

from workbench.augment.field import normal_field, uniform_field
from workbench.method.masking import Draw

NoiseKind = Literal["masking", "gaussian", "salt and pepper"]

EXTREME = 2.0
"""Salt and pepper lie this many deviations from the mean of normalized images, which is about white and black."""


def corrupted(images: Tensor, draw: Draw, *, kind: NoiseKind, amount: float, grain: int) -> Tensor:
    """Normalized images (B, C, h, w) with noise in squares of `grain` px (Vincent et al. 2010, section 3.3).

    masking: a share of `amount` becomes the mean color (0). gaussian: noise of deviation `amount`, per channel.
    salt and pepper: a share of `amount` becomes black or white, either as often.
    """
    channels, height, width = images.shape[1:]
    rows, columns = -(-height // grain), -(-width // grain)
    planes = channels if kind == "gaussian" else 1
    field = normal_field if kind == "gaussian" else uniform_field
    numbers = field(draw.keys(kind), planes * rows * columns).view(-1, planes, rows, columns)
    numbers = numbers.repeat_interleave(grain, dim=2).repeat_interleave(grain, dim=3)[..., :height, :width]
    match kind:
        case "gaussian":
            return images + amount * numbers
        case "masking":
            return torch.where(numbers < amount, 0.0, images)
        case "salt and pepper":
            extreme = torch.where(numbers < amount / 2, -EXTREME, EXTREME)
            return torch.where(numbers < amount, extreme, images)
