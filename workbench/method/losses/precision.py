"""Losses are computed in float32, whatever the network runs in."""

import torch
from torch import Tensor


def float32(z: Tensor) -> torch.autocast:
    """A context on the device of `z` in which nothing is computed in half precision; `z.float()` is the caller's."""
    return torch.autocast(z.device.type, enabled=False)
