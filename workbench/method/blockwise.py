"""Patches hidden in blocks of their own number for each image, as BEiT and iBOT do."""

import math

import torch
from torch import Tensor

from workbench.method.masking import Draw

_TRIES = 16
"""Rectangles that are tried; fewer are needed, except where there is hardly room for one."""
_LONGEST = 1 / 0.3
"""A rectangle is at most this many times as long as wide, or as wide as long."""


def blockwise_mask(draw: Draw, grid: tuple[int, int], counts: Tensor) -> Tensor:
    """Rectangles hidden until there are counts[i] patches of image i, seldom one less: (B, N) bool.

    Areas are drawn between a ninth of the grid and what is still missing, ratios of the sides between 0.3 and 1 / 0.3;
    they may overlap, and one that would hide too much is left out (Bao et al. 2022, arXiv:2106.08254, algorithm 1).
    counts: (B,) int64.
    """
    rows, columns = grid
    share, slant, top, left = (draw.uniform(f"blocks {name}", _TRIES) for name in ("area", "ratio", "top", "left"))
    ratio = torch.exp(math.log(_LONGEST) * (2 * slant - 1))
    mask = torch.zeros(len(counts), rows, columns, dtype=torch.bool, device=counts.device)
    least = float((min(grid) // 3) ** 2)
    for number in range(_TRIES):
        missing = counts - mask.sum(dim=(1, 2))
        low = missing.clamp(max=least)
        area = low + (missing - low) * share[:, number]
        down = _span(top[:, number], (area * ratio[:, number]).sqrt(), rows)
        along = _span(left[:, number], (area / ratio[:, number]).sqrt(), columns)
        block = down[:, :, None] & along[:, None, :]
        fits = (block & ~mask).sum(dim=(1, 2)) <= missing
        mask |= block & fits[:, None, None]
    return mask.flatten(1)


def _span(place: Tensor, length: Tensor, of: int) -> Tensor:
    """About `length` of `of` places in a row, at least one, anywhere: (B, of) bool. place: where, from 0 to 1."""
    whole = length.round().long().clamp(1, of)
    first = (place * (of - whole + 1)).long()
    at = torch.arange(of, device=place.device)
    return (at >= first[:, None]) & (at < (first + whole)[:, None])
