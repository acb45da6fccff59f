"""Stored pixels as the numbers that ops and networks work on."""

import torch
from torch import Tensor

LEVELS = {torch.uint8: 255, torch.uint16: 65_535}
"""The type of stored pixels, and the value that is white."""


def as_floats(pixels: Tensor) -> Tensor:
    """uint8 or uint16 of any shape to a new float32 tensor in [0, 1], on the same device."""
    return pixels.float().div_(LEVELS[pixels.dtype])
