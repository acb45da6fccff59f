"""Tone curves and sharpness on batches, as Pillow and torchvision define them, for ops and for policies of ops.

Images are (n, C, h, w) float32 in [0, 1]; numbers per image are (n,) and on the CPU. Results are new tensors,
and what becomes of an image does not depend on the others.
"""

import torch
from torch import Tensor

from workbench.augment.moving import spread

_LEVELS = 256


def solarized(images: Tensor, thresholds: Tensor) -> Tensor:
    """1 - x from the threshold on; by products, which are quicker than `where`."""
    bright = torch.ge(images, spread(thresholds, images), out=torch.empty_like(images))
    inverted = (1 - images).mul_(bright)
    return (1 - bright).mul_(images).add_(inverted)


def posterized(images: Tensor, bits: Tensor) -> Tensor:
    """As many levels as that many bits have (1 to 8): torchvision's `posterize` of floats."""
    levels = spread(2.0 ** bits.double(), images)
    return (images * levels).floor_().minimum(levels - 1).div_(levels)


def autocontrasted(images: Tensor) -> Tensor:
    """Every channel stretched from its own darkest to its own brightest value; a flat one stays as it is."""
    low, high = images.amin(dim=(2, 3), keepdim=True), images.amax(dim=(2, 3), keepdim=True)
    flat = high <= low
    low = torch.where(flat, torch.zeros_like(low), low)
    width = torch.where(flat, torch.ones_like(low), high - low)
    return images.sub(low).div_(width).clamp_(0, 1)


def equalized(images: Tensor) -> Tensor:
    """Every channel by the curve that makes its 256 levels equally frequent (Pillow's `ImageOps.equalize`)."""
    n, channels, height, width = images.shape
    levels = (images * (_LEVELS - 1)).round_().long().view(n * channels, height * width)
    counts = torch.zeros(n * channels, _LEVELS, dtype=torch.long, device=images.device)
    counts.scatter_add_(1, levels, torch.ones_like(levels))
    places = torch.arange(_LEVELS, device=images.device)
    last = counts.gt(0).mul(places).amax(dim=1, keepdim=True)
    step = (height * width - counts.gather(1, last)) // (_LEVELS - 1)
    below = counts.cumsum(dim=1) - counts
    curve = ((below + step // 2) // step.clamp(min=1)).clamp(0, _LEVELS - 1)
    curve = torch.where(step > 0, curve, places)
    return curve.gather(1, levels).view_as(images).float().div_(_LEVELS - 1)


def sharpened(images: Tensor, factors: Tensor) -> Tensor:
    """Away from a smoothed image (factor above 1) or towards it (below): torchvision's `adjust_sharpness`.

    The outermost pixels stay as they are, and so do images of less than 3 px.
    """
    height, width = images.shape[2:]
    if min(height, width) < 3:
        return images.clone()
    inner = images[..., 1:-1, 1:-1]
    smooth = inner * 5
    for y in range(3):
        for x in range(3):
            if (y, x) != (1, 1):
                smooth += images[..., y : y + height - 2, x : x + width - 2]
    kept = spread(factors, images)
    result = images.clone()
    result[..., 1:-1, 1:-1] = (inner * kept).add_(smooth.div_(13).mul_(1 - kept))
    return result.clamp_(0, 1)
