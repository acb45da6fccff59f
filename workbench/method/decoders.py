"""Decoders: from what an encoder says of an image back to pixels. Thrown away after training, like heads."""

import itertools
import math

import torch.nn.functional as F
from torch import Tensor, nn

_FIRST_SIDE = 4
_LEAST_WIDTH = 16
_GROWTH = 4


class ImageDecoder(nn.Module):
    """Features (B, inputs) through a bottleneck to images (B, channels, size, size), of any size and channels.

    Two linear layers, the first of which leaves `bottleneck` numbers of an image, give a map of 4 to 7 px a side and
    `width` channels. Transposed convolutions (4 × 4, stride 2, batch norm, ReLU) double its sides and halve its
    width, 16 at least, up to the image's (as in Pathak et al. 2016, section 3.1, and DCGAN, arXiv:1511.06434).
    """

    def __init__(self, inputs: int, bottleneck: int, channels: int, size: int, *, width: int) -> None:
        super().__init__()
        doublings = max(0, int(math.log2(size / _FIRST_SIDE)))
        self.side = -(-size // 2**doublings)
        self.size = size
        widths = [max(_LEAST_WIDTH, width >> step) for step in range(doublings + 1)]
        self.narrow = nn.Linear(inputs, bottleneck)
        self.widen = nn.Linear(bottleneck, widths[0] * self.side**2, bias=False)
        self.begun = nn.Sequential(nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True))
        self.doubled = nn.Sequential(*(_doubling(*pair) for pair in itertools.pairwise(widths)))
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Images (B, channels, size, size), scaled as the target is: there is no squashing at the end."""
        maps = self.widen(self.narrow(features)).unflatten(1, (-1, self.side, self.side))
        images: Tensor = self.last(self.doubled(self.begun(maps)))
        return images[..., : self.size, : self.size]


class MapDecoder(nn.Module):
    """Feature maps (B, inputs, h, w), of any size, to maps of answers (B, outputs, side, side).

    Every place of the feature map becomes 4 × 4 places, which keep what is where; these are resized to `side` and
    pass two 3 × 3 convolutions with batch norm and ReLU, `width` wide, and one of 1 × 1.
    """

    def __init__(self, inputs: int, outputs: int, side: int, *, width: int) -> None:
        super().__init__()
        self.side = side
        self.grow = nn.Sequential(nn.Conv2d(inputs, width * _GROWTH**2, 1), nn.PixelShuffle(_GROWTH))
        self.mix = nn.Sequential(_mixing(width), _mixing(width), nn.Conv2d(width, outputs, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Answers (B, outputs, side, side)."""
        grown = F.interpolate(self.grow(maps), size=(self.side, self.side), mode="bilinear", align_corners=False)
        answers: Tensor = self.mix(grown)
        return answers


def _doubling(inputs: int, outputs: int) -> nn.Sequential:
    up = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(up, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _mixing(width: int) -> nn.Sequential:
    convolution = nn.Conv2d(width, width, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
