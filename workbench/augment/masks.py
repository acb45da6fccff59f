"""Masks over a grid of patches, and over pixels: which parts of an image are hidden.

For the ops that hide them, and for masked modelling, whose methods draw the same masks for themselves. Masks
are (n, rows, columns) bool on the CPU, true where hidden, and depend on the image's own draws alone.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.augment.draws import Draws

_TRIES = 10
_MOST_BLOCKS = 64
_MOST_RECTANGLES = 256


def random_mask(draws: Draws, rows: int, columns: int, ratio: float) -> Tensor:
    """Exactly round(ratio · rows · columns) patches, any of them (MAE, arXiv:2111.06377; SimMIM, arXiv:2111.09886)."""
    count = round(ratio * rows * columns)
    ranks = draws.order("patches", rows * columns)
    masks = torch.zeros(len(ranks), rows * columns, dtype=torch.bool)
    masks.scatter_(1, ranks[:, :count], value=True)
    return masks.view(-1, rows, columns)


def block_mask(
    draws: Draws, rows: int, columns: int, ratio: float, *, smallest: int = 4, narrowest: float = 0.3
) -> Tensor:
    """Rectangles of patches until round(ratio · rows · columns) are hidden (BEiT, arXiv:2106.08254, algorithm 1).

    smallest: patches of a block at least, where so many are still to be hidden; narrowest: smallest ratio of its
    sides. As in BEiT's code, an image gets fewer where ten blocks in a row do not fit.
    """
    goal = round(ratio * rows * columns)
    numbers = torch.stack(
        [draws.uniform(slot, count=_MOST_BLOCKS * _TRIES) for slot in ("area", "side", "top", "left")]
    )
    made = [_blocks(own, (rows, columns), goal, smallest, narrowest) for own in numbers.numpy().transpose(1, 2, 0)]
    return torch.from_numpy(np.stack(made)) if made else torch.zeros(0, rows, columns, dtype=torch.bool)


def _blocks(
    numbers: NDArray[np.float32], shape: tuple[int, int], goal: int, smallest: int, narrowest: float
) -> NDArray[np.bool_]:
    """One image's mask. numbers: (tries, 4) in [0, 1): area, ratio of sides, top, left."""
    mask = np.zeros(shape, dtype=np.bool_)
    tried = 0
    for area, side, down, right in numbers:
        left_over = goal - int(mask.sum())
        if left_over <= 0 or tried == _TRIES:
            break
        tried += 1
        wanted = min(smallest, left_over) + area * (left_over - min(smallest, left_over))
        ratio = math.exp((2 * side - 1) * -math.log(narrowest))
        height, width = round(math.sqrt(wanted * ratio)), round(math.sqrt(wanted / ratio))
        if not (0 < height < shape[0] and 0 < width < shape[1]):
            continue
        top, left = int(down * (shape[0] - height + 1)), int(right * (shape[1] - width + 1))
        block = mask[top : top + height, left : left + width]
        new = height * width - int(block.sum())
        if 0 < new <= left_over:
            block[:] = True
            tried = 0
    return mask


def rectangle_mask(draws: Draws, height: int, width: int, share: Tensor, *, largest: float = 0.3) -> Tensor:
    """Rectangles of random place and sides, up to `largest` of the image's, until `share` (n,) is hidden.

    Pixels rather than patches: the drop of SiT (arXiv:2104.03602, section 3.1). At most 256 rectangles.
    """
    slots = ("height", "width", "top", "left")
    numbers = torch.stack([draws.uniform(slot, count=_MOST_RECTANGLES) for slot in slots]).numpy().transpose(1, 2, 0)
    masks = np.zeros((len(numbers), height, width), dtype=np.bool_)
    for mask, own, goal in zip(masks, numbers, (share.double() * height * width).tolist(), strict=True):
        hidden = 0
        for tall, wide, down, right in own:
            if hidden >= goal:
                break
            rows, columns = 1 + int(tall * largest * height), 1 + int(wide * largest * width)
            top, left = int(down * (height - rows + 1)), int(right * (width - columns + 1))
            block = mask[top : top + rows, left : left + columns]
            hidden += rows * columns - int(np.count_nonzero(block))
            block[:] = True
    return torch.from_numpy(masks)


def on_pixels(masks: Tensor, height: int, width: int) -> Tensor:
    """Patches (n, rows, columns) as pixels (n, height, width); the last patches take what division leaves over."""
    rows, columns = masks.shape[1:]
    down = (torch.arange(height) // max(1, height // rows)).clamp(max=rows - 1)
    across = (torch.arange(width) // max(1, width // columns)).clamp(max=columns - 1)
    return masks[:, down][:, :, across]
