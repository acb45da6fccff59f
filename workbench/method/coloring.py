"""Numbers and places as colors, laid over an image, and images made of another's parts: for exhibits of methods that
sort patches or match regions.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.masking import take
from workbench.method.patch_pixels import patchify, unpatchify

_GOLDEN = (math.sqrt(5) - 1) / 2
_CORNERS = ((0.95, 0.3, 0.25), (0.95, 0.85, 0.2), (0.25, 0.4, 0.95), (0.3, 0.85, 0.4))
"""Red, yellow, blue and green, at the top left, the top right, the bottom left and the bottom right."""


def number_colors(numbers: Tensor) -> Tensor:
    """A color for each number, the same for the same: (...) int64 to (..., 3) from 0 to 1."""
    turn = (numbers.double() * _GOLDEN)[..., None] + torch.arange(3, device=numbers.device) / 3
    return (0.5 + 0.45 * torch.cos(2 * math.pi * turn)).float()


def place_colors(rows: int, columns: int) -> Tensor:
    """A color for each place of a grid, neighbors alike: (rows × columns, 3) from 0 to 1, row by row."""
    corners = torch.tensor(_CORNERS).reshape(2, 2, 3)
    down, along = torch.linspace(0, 1, rows)[:, None, None], torch.linspace(0, 1, columns)[None, :, None]
    top = (1 - along) * corners[0, 0] + along * corners[0, 1]
    bottom = (1 - along) * corners[1, 0] + along * corners[1, 1]
    return ((1 - down) * top + down * bottom).flatten(0, 1)


def tinted(images: Tensor, colors: Tensor) -> Tensor:
    """Images (B, C, h, w), of any scale and channels, in shades of a grid of colors: (B, 3, h, w) from 0 to 1.

    colors: (B, rows, columns, 3), each for as large a part of the image.
    """
    gray = images.float().mean(dim=1, keepdim=True)
    low, high = gray.amin((2, 3), keepdim=True), gray.amax((2, 3), keepdim=True)
    shade = (gray - low) / (high - low).clamp(min=1e-6)
    cells = F.interpolate(colors.permute(0, 3, 1, 2), size=images.shape[2:], mode="nearest")
    return cells * (0.4 + 0.6 * shade)


def mosaic(images: Tensor, grid: tuple[int, int], places: Tensor, into: tuple[int, int]) -> Tensor:
    """Images put together of parts of others: part i is the one at places[:, i] of images (B, C, h, w).

    grid: rows and columns of parts in `images`; into: in what is made; places: (B, rows × columns of `into`) int64.
    Where the grid does not divide the image, its parts are enlarged a little.
    """
    side = max(-(-images.shape[2] // grid[0]), -(-images.shape[3] // grid[1]))
    whole = F.interpolate(images, size=(side * grid[0], side * grid[1]), mode="nearest")
    empty = images.new_empty(len(images), images.shape[1], side * into[0], side * into[1])
    return unpatchify(take(patchify(whole, side), places), empty, side)
