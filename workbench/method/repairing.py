"""Images with spots: an autoencoder whose features are dropped in places, and a network that tries to repair them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

STEP = 4
"""Pixels a side for one place of the features."""


class SpotMaker(nn.Module):
    """Small convolutional autoencoder with a repair network between its halves (Jenni & Favaro 2018, section 3).

    The autoencoder learns to rebuild images; the repair network alone is told whether its work is found out.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(channels, width // 2, 4, stride=2, padding=1), nn.LeakyReLU(0.2), *_layer(width // 2, width, 2)
        )
        self.decode = nn.Sequential(
            *_layer(width, width, 1),
            nn.Upsample(scale_factor=2),
            *_layer(width, width // 2, 1),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(width // 2, channels, 3, padding=1),
        )
        self.repair = nn.Sequential(
            *_layer(width + 1, width, 1), *_layer(width, width, 1), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, images: Tensor, dropped: Tensor) -> tuple[Tensor, Tensor]:
        """The images (B, C, s, s) rebuilt, and rebuilt from features that were dropped and repaired.

        dropped: (B, 1, h, w) bool at a quarter of the resolution (`places`). The second has a gradient for the repair
        network alone.
        """
        features = self.encode(images)
        kept = features.detach()
        there = (~dropped).to(kept.dtype)
        mended = kept * there + self.repair(torch.cat((kept * there, there), dim=1)) * (1 - there)
        held = {name: weight.detach() for name, weight in self.decode.named_parameters()}
        spotted: Tensor = functional_call(self.decode, held, (mended,))
        return _sized(self.decode(features), images), _sized(spotted, images)


def places(size: int) -> int:
    """Rows, and columns, of features of an image of `size` px."""
    return size // 2 // 2


def _layer(inputs: int, outputs: int, stride: int) -> tuple[nn.Module, ...]:
    kernel, padding = (4, 1) if stride == 2 else (3, 1)
    convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)


def _sized(made: Tensor, like: Tensor) -> Tensor:
    if made.shape[-2:] == like.shape[-2:]:
        return made
    return F.interpolate(made, size=like.shape[-2:], mode="bilinear", align_corners=False)
