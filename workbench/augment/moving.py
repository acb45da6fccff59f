"""From the CPU, where views are drawn, to the device where they are made."""

import torch
from torch import Tensor


def moved(values: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """`values` on `device`, in `dtype` where one is given.

    To a GPU it goes through page-locked memory, so that the CPU goes on at once: a plain copy waits until the GPU has
    done all that it was given before, and a view takes dozens of them.
    """
    values = values if dtype is None else values.to(dtype)
    if device.type != "cuda" or values.device.type != "cpu":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def spread(values: Tensor, images: Tensor) -> Tensor:
    """A number per image, (n,), as (n, 1, 1, 1) beside images (n, C, h, w): float32, on their device."""
    return moved(values, images.device, torch.float32)[:, None, None, None]
