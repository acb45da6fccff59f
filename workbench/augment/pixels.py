"""Stored pixels as the numbers that ops and networks work on."""

import torch
from torch import Tensor

LEVELS = {torch.uint8: 255, torch.uint16: 65_535}
"""The type of stored pixels, and the value that is white."""


def as_floats(pixels: Tensor) -> Tensor:
    """uint8 or uint16 of any shape to a new float32 tensor in [0, 1], on the same device."""
    return pixels.float().div_(LEVELS[pixels.dtype])


# Values that torch does not part among threads.
_PIECE = 16_384


def pieces(image: Tensor) -> tuple[Tensor, ...]:
    """One contiguous image on a CPU in stretches that no two threads share, all of it elsewhere.

    For functions such as powers, whose vector and scalar forms round differently: where the forms meet is then
    the same in every batch and with every number of threads.
    """
    if image.device.type != "cpu":
        return (image,)
    return torch.split(image.view(-1), _PIECE)
