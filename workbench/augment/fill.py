"""What hidden parts of an image are filled with."""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from workbench.augment.field import uniform_field
from workbench.augment.moving import moved

Fill = Literal["black", "gray", "mean", "noise"]

IN_TORCH: Mapping[str, str] = {
    "black": "torch.zeros_like(image)",
    "gray": "torch.full_like(image, 0.5)",
    "mean": "image.mean((-2, -1), keepdim=True).expand_as(image)",
    "noise": "torch.rand_like(image)",
}
"""The same as a Python expression, for `OpInfo.torchvision`."""


def filled(images: Tensor, masks: Tensor, fill: Fill, keys: Tensor) -> Tensor:
    """New images (n, C, h, w), other where masks (n, 1 or C, h, w) are true; both on one device.

    'mean' is each image's own color; 'noise' is of `keys` (n,) int64.
    """
    match fill:
        case "black":
            stuff = images.new_zeros(())
        case "gray":
            stuff = images.new_full((), 0.5)
        case "mean":
            # In two steps: the result may not depend on how many images there are.
            stuff = images.mean(dim=3).mean(dim=2)[:, :, None, None]
        case "noise":
            stuff = uniform_field(moved(keys, images.device), images[0].numel()).view_as(images)
    return stuff.where(masks, images) if stuff.dim() else images.masked_fill(masks, float(stuff))
