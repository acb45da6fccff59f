"""Random boxes by area and aspect ratio, for crops and for erasing."""

import math

import torch
from torch import Tensor

from workbench.augment.draws import Draws

_TRIES = 10


def random_boxes(
    draws: Draws, *, area: tuple[float, float], ratio: tuple[float, float], aspect: float, grow: bool = True
) -> Tensor:
    """(n, 4) float64: left, top, width, height of a box inside each image, in [0, 1].

    As in Inception's crop (and torchvision): an area and the logarithm of a ratio (width / height, in
    pixels) are drawn up to ten times until the box fits; then the largest box in the middle with the
    nearest ratio is taken, without `grow` no larger than the area that was drawn first.
    aspect: width / height of the images.
    """
    areas = draws.uniform("area", *area, count=_TRIES).double()
    ratios = draws.uniform("ratio", math.log(ratio[0]), math.log(ratio[1]), count=_TRIES).double().exp()
    width, height = (areas * ratios / aspect).sqrt(), (areas / ratios * aspect).sqrt()
    fits = (width <= 1) & (height <= 1)
    chosen = fits.int().argmax(dim=1, keepdim=True)
    width, height = width.gather(1, chosen).squeeze(1), height.gather(1, chosen).squeeze(1)
    left = draws.uniform("left").double() * (1 - width)
    top = draws.uniform("top").double() * (1 - height)
    middle = torch.tensor(_middle(ratio, aspect), dtype=torch.float64)
    if not grow:
        middle = _shrunk(middle, areas[:, :1])
    return torch.where(fits.any(dim=1)[:, None], torch.stack([left, top, width, height], dim=1), middle)


def _middle(ratio: tuple[float, float], aspect: float) -> tuple[float, float, float, float]:
    """The largest centered box whose ratio is allowed."""
    nearest = min(max(aspect, ratio[0]), ratio[1])
    width, height = min(1.0, nearest / aspect), min(1.0, aspect / nearest)
    return (1 - width) / 2, (1 - height) / 2, width, height


def _shrunk(box: Tensor, areas: Tensor) -> Tensor:
    """(n, 4): the box about the same middle, with an area of at most `areas` (n, 1)."""
    sides = box[2:] * (areas / box[2:].prod()).clamp(max=1).sqrt()
    return torch.cat([box[:2] + (box[2:] - sides) / 2, sides], dim=1)
