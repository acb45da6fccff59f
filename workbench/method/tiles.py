"""Tiles of an image: a grid of squares, cut with a gap between them and at places that vary a little."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.masking import Draw

LEAST_SIDE = 16
"""The side in px below which backbones take no image: smaller tiles are enlarged to it."""


def tile_side(size: int, per_side: int, gap: float) -> int:
    """The side of a tile in px, where an image of `size` has `per_side` cells a side and `gap` is a cell's share."""
    return max(1, round(size // per_side * (1 - gap)))


def cut(images: Tensor, per_side: int, gap: float, draw: Draw, *, wander: float = 1.0) -> Tensor:
    """(B, C, s, s) to tiles (B, per_side², C, t, t), row by row, each somewhere within its cell, as `draw` says.

    wander: the share of the room in its cell that a tile may use; below 1 the tiles of two cells never touch.
    The gap and the varying place keep edges from running on from one tile into the next (Doersch et al. 2015,
    arXiv:1505.05192, section 3; Noroozi & Favaro 2016, section 3.3).
    """
    size = images.shape[-1]
    cell, side, count = size // per_side, tile_side(size, per_side, gap), per_side**2
    reach = int((cell - side) * wander)
    least = (cell - side - reach) // 2
    free = least + (draw.uniform("tiles", 2 * count) * (reach + 1)).long().unflatten(1, (2, count))
    places = torch.arange(count, device=images.device)
    first = torch.stack((places // per_side, places % per_side)) * cell + free
    along = torch.arange(side, device=images.device)
    rows, columns = (first[:, axis, :, None] + along for axis in (0, 1))
    batch = torch.arange(len(images), device=images.device)[:, None, None, None]
    tiles = images.permute(0, 2, 3, 1)[batch, rows[..., :, None], columns[..., None, :]]
    return tiles.permute(0, 1, 4, 2, 3)


def readable(tiles: Tensor) -> Tensor:
    """(n, C, t, t), enlarged to the least side that a backbone takes; as they are where they are as large."""
    if tiles.shape[-1] >= LEAST_SIDE:
        return tiles
    return F.interpolate(tiles, size=(LEAST_SIDE, LEAST_SIDE), mode="bilinear", align_corners=False)


def standardized(tiles: Tensor) -> Tensor:
    """Each tile with mean 0 and deviation 1 in every channel, so that brightness does not tell which lie together."""
    mean, std = tiles.mean(dim=(-2, -1), keepdim=True), tiles.std(dim=(-2, -1), keepdim=True, correction=0)
    return (tiles - mean) / (std + 1e-3)


def grayed(images: Tensor, chosen: Tensor) -> Tensor:
    """(B, ..., C, h, w) with the mean of the channels in each of them where `chosen` (B,) is true."""
    gray = images.mean(dim=-3, keepdim=True).expand_as(images)
    return torch.where(chosen.view(-1, *[1] * (images.ndim - 1)), gray, images)


def laid(tiles: Tensor, order: Tensor, size: int) -> Tensor:
    """A picture (B, C, size, size) of tiles (B, n, C, t, t): tile j lies in cell `order`[:, j], centered, on the mean.

    order: (B, n) int64; of tiles that share a cell the last one shows.
    """
    count, side = tiles.shape[1], tiles.shape[-1]
    per_side = round(count**0.5)
    cell = size // per_side
    edge = (cell - side) // 2
    picture = tiles.new_zeros(len(tiles), tiles.shape[2], size, size)
    for image, places in enumerate(order.tolist()):
        for tile, place in enumerate(places):
            top, left = place // per_side * cell + edge, place % per_side * cell + edge
            picture[image, :, top : top + side, left : left + side] = tiles[image, tile]
    return picture
