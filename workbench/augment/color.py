"""Color on batches: the arithmetic that several ops share, as torchvision defines it.

Images are (n, C, h, w) float32 in [0, 1]; factors are (n, 1, 1, 1). Functions with a trailing underscore
write into the images and return them.
"""

import torch
from torch import Tensor

# ITU-R 601-2 luma, with torchvision's digits.
RED, GREEN, BLUE = 0.2989, 0.587, 0.114


def luma(images: Tensor) -> Tensor:
    """(n, 1, h, w) gray values of RGB images; a new tensor."""
    gray = images[:, 0:1] * RED
    gray += images[:, 1:2] * GREEN
    gray += images[:, 2:3] * BLUE
    return gray


def mean_luma(images: Tensor) -> Tensor:
    """(n, 1, 1, 1) mean gray value of RGB or one-channel images."""
    # In two steps: a sum over everything may be split among threads for one image and not for two.
    means = images.sum(dim=2).sum(dim=2) / (images.shape[2] * images.shape[3])
    if images.shape[1] == 3:
        means = means[:, 0:1] * RED + means[:, 1:2] * GREEN + means[:, 2:3] * BLUE
    return means[:, 0:1, None, None]


def blend_(images: Tensor, own: Tensor, gray: Tensor | None, level: Tensor | None) -> Tensor:
    """clamp(own · image + gray · luma(image) + level), each (n, 1, 1, 1) and None where it is 0 for all.

    torchvision's brightness is own = f alone; contrast has level = (1 - f) · mean luma; saturation (RGB
    only) has gray = 1 - f. One call can do a different one of them to each image.
    """
    added = None if gray is None else luma(images).mul_(gray)
    images.mul_(own)
    if added is not None:
        images += added
    if level is not None:
        images += level
    return images.clamp_(0, 1)


def shift_hue_(images: Tensor, shift: Tensor) -> Tensor:
    """Turn the hue of HSV by `shift` turns (-0.5 to 0.5). RGB only.

    Value V and chroma C stay, so a channel is V - C d, where d is a trapezoid over the hue, shifted for each
    channel (the closed form of HSV to RGB): d = clamp(2 - 6 |u|, 0, 1), u being how far, in turns, the hue is
    from the middle of the channel's valley. No comparison makes a mask here: torch's `where` costs a dozen sums.
    """
    turns, top, low = _hue(images)
    chroma = top - low
    # Red is lowest about half a turn, green about 5/6, blue about 1/6.
    valleys = torch.tensor([3 / 6, 5 / 6, 1 / 6], device=images.device)[:, None, None]
    wave = turns + (shift - valleys)
    wave -= wave.round()
    wave.abs_().mul_(chroma.mul(6)).add_(top - chroma.mul_(2))
    return torch.minimum(wave, top, out=images).clamp_(min=low)


def _hue(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in turns, largest and smallest channel, (n, 1, h, w) each. Gray has hue 0.

    Channels are sorted by two exchanges, each of which mirrors the hue (S. Hocevar's form of RGB to HSV).
    """
    red, green, blue = images[:, 0:1], images[:, 1:2], images[:, 2:3]
    larger, smaller = torch.maximum(green, blue), torch.minimum(green, blue)
    first = torch.lt(green, blue, out=torch.empty_like(larger))
    second = torch.lt(red, larger, out=torch.empty_like(larger))
    top, middle = torch.maximum(red, larger), torch.minimum(red, larger)
    low = torch.minimum(middle, smaller)
    start = (first * 2).sub_(1 / 3).mul_(second).sub_(first)
    share = middle.sub_(smaller).div_((top - low).clamp_min_(1e-12).mul_(6))
    return share.add_(start).abs_(), top, low
