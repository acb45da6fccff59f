"""Stored pixels as the numbers that ops and networks work on."""

import torch
from torch import Tensor

from workbench.augment.compiled import kernels_for

LEVELS = {torch.uint8: 255, torch.uint16: 65_535}
"""The type of stored pixels, and the value that is white."""


def as_floats(pixels: Tensor) -> Tensor:
    """uint8 or uint16 of any shape to a new float32 tensor in [0, 1], on the same device."""
    return pixels.float().div_(LEVELS[pixels.dtype])


def as_levels(images: Tensor, out: Tensor | None = None) -> Tensor:
    """(n, C, h, w) float32 in [0, 1] to pictures (n, h, w, C) uint8 on the CPU, rounded to the nearest level.

    They are written to `out` where it is given: contiguous, of their shape.
    """
    images = images.contiguous()
    n, channels, height, width = images.shape
    pictures = torch.empty((n, height, width, channels), dtype=torch.uint8) if out is None else out
    kernels = kernels_for(images)
    if kernels is None:
        # The turn of axes is of bytes, a quarter of the floats.
        return pictures.copy_((images * 255).round_().clamp_(0, 255).byte().cpu().permute(0, 2, 3, 1))
    kernels.interleave(images.flatten(2).numpy(), pictures.view(n, height * width, channels).numpy())
    return pictures


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
