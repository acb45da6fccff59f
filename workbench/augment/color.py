"""Color on batches: the arithmetic that several ops share, as torchvision defines it.

Images are (n, C, h, w) float32 in [0, 1]; factors are (n, 1, 1, 1). Functions with a trailing underscore
write into the images and return them.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.augment.compiled import kernels_for
from workbench.augment.moving import moved, spread

# ITU-R 601-2 luma, with torchvision's digits.
RED, GREEN, BLUE = 0.2989, 0.587, 0.114


PARTS = ("brightness", "contrast", "saturation", "hue")
"""The adjustments of `jitter_`, by their numbers."""

_CONTRAST, _SATURATION, _HUE = 1, 2, 3


def grayscale_(images: Tensor, rows: Tensor) -> None:
    """Every channel of the RGB images[rows] becomes the gray value. rows: (m,) int64 on the CPU."""
    kernels = kernels_for(images)
    if kernels is not None:
        kernels.grayscale(images.flatten(2).numpy(), rows.numpy())
        return
    place = moved(rows, images.device)
    images[place] = luma(images[place]).expand(-1, 3, -1, -1)


def jitter_(images: Tensor, rows: Tensor, order: Tensor, factors: Mapping[str, Tensor]) -> None:
    """torchvision's adjustments of images[rows], each clamped to [0, 1], in an order of its own for every image.

    order: (m, 4) int64, permutations of the numbers of `PARTS`; factors: (m,) float32 by part, for hue the turn;
    parts that are missing are left out, and so are saturation and hue where images are not RGB. All on the CPU.
    """
    kernels = kernels_for(images)
    if kernels is None:
        place = moved(rows, images.device)
        images[place] = _jittered_by_rounds(images[place], order, factors)
        return
    used = torch.tensor([part in factors for part in PARTS])
    ones = torch.ones(len(rows))
    numbers = torch.stack([factors.get(part, ones) for part in PARTS], dim=1)
    kernels.jitter(images.flatten(2).numpy(), rows.numpy(), order.contiguous().numpy(), numbers.numpy(), used.numpy())


def _jittered_by_rounds(images: Tensor, order: Tensor, factors: Mapping[str, Tensor]) -> Tensor:
    """Three rounds of blending, in each of which an image has its own kind, and hue in between."""
    rounds = order[order != _HUE].view(-1, _HUE)
    hue_at = (order == _HUE).int().argmax(dim=1)
    is_color = images.shape[1] == 3
    for number in range(_HUE + 1):
        rows = (hue_at == number).nonzero().squeeze(1)
        if "hue" in factors and is_color and rows.numel() > 0:
            place = moved(rows, images.device)
            shift = moved(factors["hue"][rows], images.device)[:, None, None, None]
            images[place] = shift_hue_(images[place], shift)
        if number < _HUE:
            _blend_kinds(images, factors, rounds[:, number])
    return images


def _blend_kinds(images: Tensor, factors: Mapping[str, Tensor], kinds: Tensor) -> None:
    """One of brightness, contrast and saturation for each image. kinds: (n,), its place in `PARTS`."""
    kept = torch.ones(len(images))
    for kind, part in enumerate(PARTS[:_HUE]):
        if part in factors and (kind != _SATURATION or images.shape[1] == 3):
            kept = torch.where(kinds == kind, factors[part], kept)
    if bool((kept == 1).all()):
        return

    lost = 1 - kept
    contrast, saturation = lost * (kinds == _CONTRAST), lost * (kinds == _SATURATION)
    blend_(
        images,
        spread(kept, images),
        spread(saturation, images) if bool(saturation.any()) else None,
        spread(contrast, images).mul_(mean_luma(images)) if bool(contrast.any()) else None,
    )


def luma(images: Tensor) -> Tensor:
    """(n, 1, h, w) gray values of RGB images; a new tensor."""
    gray = images[:, 0:1] * RED
    gray += images[:, 1:2] * GREEN
    gray += images[:, 2:3] * BLUE
    return gray


def mean_luma(images: Tensor) -> Tensor:
    """(n, 1, 1, 1) mean gray value of RGB images; of all channels alike where there are not three."""
    # In two steps: a sum over everything may be split among threads for one image and not for two.
    means = images.sum(dim=2).sum(dim=2) / (images.shape[2] * images.shape[3])
    if images.shape[1] == 3:
        means = means[:, 0:1] * RED + means[:, 1:2] * GREEN + means[:, 2:3] * BLUE
    elif images.shape[1] > 1:
        means = sum(torch.split(means, 1, dim=1), torch.zeros_like(means[:, 0:1])) / images.shape[1]
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
