"""Views of several sizes through one network, as multi-crop methods take them."""

from collections.abc import Callable, Sequence
from itertools import groupby

import torch
from torch import Tensor


def by_size(network: Callable[[Tensor], Tensor], views: Sequence[Tensor]) -> list[Tensor]:
    """What `network` makes of each view (B, C, h, w): neighbors of one size go through it together.

    So batch norm takes its statistics over all views of a size, as the published code of SwAV, DeepCluster v2 and DINO
    does (`MultiCropWrapper`), and a GPU is asked once for eight small crops.
    """
    found: list[Tensor] = []
    for _, group in groupby(views, key=lambda view: view.shape):
        alike = list(group)
        found.extend(network(torch.cat(alike)).chunk(len(alike)))
    return found
