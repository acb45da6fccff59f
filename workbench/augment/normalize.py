"""The last step before the network: mean out, deviation to one, per channel."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workbench.spec.experiment import DataSpec
from workbench.spec.normalization import fixed_statistics

# A channel flatter than this is all one value: it stays as it is, rather than become amplified rounding.
_FLAT = 1e-4


class Normalization(nn.Module):
    """(B, C, h, w) float in [0, 1] to (x - mean) / std. mean, std: one number per channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        deviations = torch.tensor(list(std), dtype=torch.float32)
        self.register_buffer("mean", torch.tensor(list(mean), dtype=torch.float32))
        self.register_buffer("std", torch.where(deviations < _FLAT, torch.ones_like(deviations), deviations))

    def forward(self, images: Tensor) -> Tensor:
        """The normalized images, in the type and on the device of `images`."""
        mean = self.mean.to(images.dtype)[:, None, None]
        return (images - mean) / self.std.to(images.dtype)[:, None, None]

    @property
    def channels(self) -> int:
        """How many channels it is for."""
        return int(self.mean.numel())


def normalization_for(data: DataSpec, mean: Sequence[float], std: Sequence[float]) -> Normalization:
    """What `data.normalize` asks for. mean, std: the data set's own, per channel."""
    fixed = fixed_statistics(data, len(mean))
    return Normalization(*(fixed or (mean, std)))
