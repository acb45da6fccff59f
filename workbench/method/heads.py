"""Heads: the small networks between an encoder and a loss, thrown away after training."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDEST = 8
"""Times an encoder's features that a head is wide at most: as wide as published ones are (4,096 for ResNet-18's 512).
On a network with few features wider ones take most of the time and add nothing that was seen."""


def fitting_width(asked: int, features: int) -> int:
    """The width of a head, but at most `WIDEST` times the encoder's features."""
    return min(asked, WIDEST * features)


def mlp(
    inputs: int, hidden: int, outputs: int, *, layers: int = 2, norm: bool = True, last_norm: bool = False
) -> nn.Sequential:
    """Linear layers with (batch norm and) ReLU between them: (B, inputs) to (B, outputs).

    `norm` puts batch norm after every hidden layer; `last_norm` one without scale and shift after the
    last (SimSiam, Chen & He 2021, sec. 3). Layers that a batch norm follows have no bias.
    """
    sizes = [inputs, *[hidden] * (layers - 1), outputs]
    parts: list[nn.Module] = []
    for position, (before, after) in enumerate(itertools.pairwise(sizes)):
        last = position == layers - 1
        normed = last_norm if last else norm
        parts.append(nn.Linear(before, after, bias=not normed))
        if normed:
            parts.append(nn.BatchNorm1d(after, affine=not last))
        if not last:
            parts.append(nn.ReLU(inplace=True))
    return nn.Sequential(*parts)


def has_batch_norm(network: nn.Module) -> bool:
    """Whether a layer of it normalizes over the batch, as in most convolutional networks and no transformer."""
    return any(isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)) for part in network.modules())


class PrototypeHead(nn.Module):
    """DINO's head: how near an image is to each of many learned directions (Caron et al. 2021, section 3.1 and app. C).

    Three linear layers with GELU (and batch norm), unit norm, and prototypes of unit norm (weight normalization whose
    scale is held at 1): (B, inputs) to cosines (B, prototypes).
    """

    def __init__(self, inputs: int, hidden: int, bottleneck: int, prototypes: int, *, norm: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((inputs, hidden), (hidden, hidden)):
            layers.append(nn.Linear(before, after, bias=not norm))
            layers.extend([nn.BatchNorm1d(after)] if norm else [])
            layers.append(nn.GELU())
        layers.append(nn.Linear(hidden, bottleneck))
        self.layers = nn.Sequential(*layers)
        self.prototypes = nn.Parameter(torch.empty(prototypes, bottleneck))
        nn.init.kaiming_uniform_(self.prototypes, a=5**0.5)
        for layer in layers:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Cosines (B, prototypes) of the image with every prototype."""
        vectors = F.normalize(self.layers(features), dim=1)
        return F.linear(vectors, F.normalize(self.prototypes, dim=1))


class PatchesHead(nn.Module):
    """One vector of several patches in a given order (Misra & van der Maaten 2020, section 3.3).

    A linear layer for each patch's features, the results side by side, and another linear layer:
    (B, patches, inputs) to (B, outputs).
    """

    def __init__(self, inputs: int, outputs: int, *, patches: int) -> None:
        super().__init__()
        self.each = nn.Linear(inputs, outputs)
        self.together = nn.Linear(patches * outputs, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """(B, outputs)."""
        vector: Tensor = self.together(self.each(features).flatten(1))
        return vector


class RowContext(nn.Module):
    """What a grid of vectors shows down to each of them: (B, dim, rows, columns) to the same shape.

    `layers` residual blocks of masked convolutions, each of which sees one more row above, and no row below (after
    van den Oord et al. 2018, section 3.2, whose PixelCNN is larger). Without batch norm, which would tell of the rest.
    """

    def __init__(self, dim: int, *, layers: int) -> None:
        super().__init__()
        self.above = nn.ModuleList(nn.Conv2d(dim, dim, (2, 3)) for _ in range(layers))
        self.mix = nn.ModuleList(nn.Conv2d(dim, dim, 1) for _ in range(layers))

    def forward(self, grid: Tensor) -> Tensor:
        """The context of every place."""
        for above, mix in zip(self.above, self.mix, strict=True):
            seen = above(F.pad(F.relu(grid), (1, 1, 1, 0)))
            grid = grid + mix(F.relu(seen))
        return grid
