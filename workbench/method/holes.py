"""Holes in an image for inpainting, drawn on its own device from its number and the epoch."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.masking import Draw, rectangles_mask

HoleKind = Literal["blocks", "square", "center"]

_GRID = 16


def holes(draw: Draw, size: int, *, kind: HoleKind, share: float) -> Tensor:
    """(B, 1, size, size) float32, 1 within the hole (Pathak et al. 2016, section 3.3).

    center: a square of `share` of the image in its middle. square: the same anywhere. blocks: rectangles on a grid of
    16 × 16 until between half of `share` and all of it is hidden.
    """
    if kind == "blocks":
        grid = min(_GRID, size)
        cells = rectangles_mask(draw, (grid, grid), share, name="hole").view(-1, 1, grid, grid)
        hidden: Tensor = F.interpolate(cells.float(), size=(size, size), mode="nearest")
        return hidden
    side = min(size, max(1, round(size * share**0.5)))
    room = size - side
    if kind == "center":
        first = torch.full((len(draw.images), 2), room // 2, device=draw.images.device)
    else:
        first = (draw.uniform("hole", 2) * (room + 1)).long()
    along = torch.arange(size, device=first.device)
    inside = (along >= first[..., None]) & (along < first[..., None] + side)
    return (inside[:, 0, :, None] & inside[:, 1, None, :])[:, None].float()


def band_around(hole: Tensor, reach: int) -> Tensor:
    """The pixels at most `reach` from a hole (B, 1, h, w), and not within: the same shape."""
    if reach == 0:
        return torch.zeros_like(hole)
    return F.max_pool2d(hole, 2 * reach + 1, stride=1, padding=reach) - hole
