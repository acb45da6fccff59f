"""A batch in groups that take batch-norm statistics of their own, as if each were on a GPU of its own."""

import torch
from torch import Tensor, nn


def in_groups(net: nn.Module, images: Tensor, groups: int, *, shuffled: torch.Generator | None = None) -> Tensor:
    """(B, ...) through `net` in `groups` parts of about equal size: what it gives for the whole, row by row.

    With `shuffled` the images are dealt to the groups in an order drawn from it, which is undone afterwards (He et
    al. 2020, section 3.3, 'shuffling BN'). A group has at least two images, as a batch norm of one is no norm: there
    are fewer groups where the batch is small.
    """
    groups = min(groups, len(images) // 2)
    if groups <= 1:
        whole: Tensor = net(images)
        return whole
    if shuffled is None:
        return torch.cat([net(part) for part in images.tensor_split(groups)])
    order = torch.randperm(len(images), generator=shuffled).to(images.device)
    return torch.cat([net(part) for part in images[order].tensor_split(groups)])[order.argsort()]
