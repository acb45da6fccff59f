"""Patches hidden in blocks: rectangles, as neighboring patches would otherwise tell what is beneath."""

import math

import torch
from torch import Tensor

from workbench.augment.draws import Draws

_ROUNDS = 16
"""Rectangles that are tried; fewer are needed, except where there is hardly room for one."""
_LONGEST = 1 / 0.3
"""A rectangle is at most this many times as long as wide."""


def hidden_blocks(draws: Draws, grid: tuple[int, int], counts: Tensor) -> Tensor:
    """(B, rows, columns) bool on the CPU, true for about counts[i] patches of image i, and never for more.

    Rectangles are added until there are enough (Bao et al. 2022, arXiv:2106.08254, algorithm 1): their area is drawn
    between that of a ninth of the grid and what is missing, their aspect ratio from 0.3 to 1 / 0.3; they may overlap.
    One that would hide too much is left out. counts: (B,) int64 on the CPU; draws: one key per image.
    """
    rows, columns = grid
    mask = torch.zeros(len(counts), rows, columns, dtype=torch.bool)
    least = float((min(grid) // 3) ** 2)
    for number in range(_ROUNDS):
        missing = counts - mask.sum(dim=(1, 2))
        low = missing.clamp(max=least)
        area = low + (missing - low) * draws.uniform(f"area{number}")
        aspect = draws.uniform(f"aspect{number}", -math.log(_LONGEST), math.log(_LONGEST)).exp()
        down = _span(draws, f"top{number}", (area * aspect).sqrt(), rows)
        along = _span(draws, f"left{number}", (area / aspect).sqrt(), columns)
        block = down[:, :, None] & along[:, None, :]
        fits = (block & ~mask).sum(dim=(1, 2)) <= missing
        mask |= block & fits[:, None, None]
    return mask


def _span(draws: Draws, slot: str, length: Tensor, of: int) -> Tensor:
    """(B, of) bool: about `length` places side by side, at least one."""
    whole = length.round().long().clamp(1, of)
    first = (draws.uniform(slot) * (of - whole + 1)).long()
    places = torch.arange(of)
    return (places >= first[:, None]) & (places < (first + whole)[:, None])


def on_pixels(cells: Tensor, patch: int, images: Tensor) -> Tensor:
    """Cells (B, rows, columns, ...) of patches enlarged to the images' pixels: (B, h, w, ...), cut where they stick out
    at the right and the bottom, as `TokenEncoder` pads them.
    """
    large = cells.repeat_interleave(patch, dim=1).repeat_interleave(patch, dim=2)
    return large[:, : images.shape[2], : images.shape[3]]
