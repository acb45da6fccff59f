"""Images cut into a grid of patches, each large enough for an encoder."""

import torch.nn.functional as F
from torch import Tensor

LEAST_SIDE = 16
"""Smaller patches (px) are enlarged to this: no backbone of the catalog takes less."""


def tiles(images: Tensor, rows: int) -> Tensor:
    """(B, C, s, s) to (B, rows², C, p, p), row by row: patches of s // rows px side by side."""
    side = images.shape[-1] // rows
    return _cut(images, rows, side=side, stride=side)


def overlapping(images: Tensor, rows: int) -> Tensor:
    """(B, C, s, s) to (B, rows², C, p, p), row by row: patches that overlap their neighbors by a half.

    Seven rows of 64 px in 256 px are those of van den Oord et al. 2018, section 3.2.
    """
    stride = images.shape[-1] // (rows + 1)
    return _cut(images, rows, side=2 * stride, stride=stride)


def _cut(images: Tensor, rows: int, *, side: int, stride: int) -> Tensor:
    count, channels, size = images.shape[:3]
    reach = side + (rows - 1) * stride
    first = (size - reach) // 2
    middle = images[..., first : first + reach, first : first + reach]
    grid = middle.unfold(2, side, stride).unfold(3, side, stride)
    patches = grid.permute(0, 2, 3, 1, 4, 5).reshape(count * rows**2, channels, side, side)
    if side < LEAST_SIDE:
        patches = F.interpolate(patches, size=(LEAST_SIDE, LEAST_SIDE), mode="bilinear", align_corners=False)
    return patches.reshape(count, rows**2, *patches.shape[1:])
