"""Views as pictures, and back: what was taken out of them, put in again."""

import torch
from torch import Tensor, nn

from workbench.method.contract import Setting


class ViewScale(nn.Module):
    """The run's normalization, for methods that must know the true colors. It is kept in checkpoints, as that is."""

    mean: Tensor
    std: Tensor

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(setting.mean)[:, None, None])
        self.register_buffer("std", torch.tensor(setting.std)[:, None, None])

    def pictures(self, views: Tensor) -> Tensor:
        """Normalized views (B, C, h, w) as pictures from 0 to 1, in float32."""
        return (views.float() * self.std + self.mean).clamp(0, 1)

    def views(self, pictures: Tensor) -> Tensor:
        """Pictures from 0 to 1 as the network gets them."""
        return (pictures - self.mean) / self.std
