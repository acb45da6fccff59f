"""From stored pixels to what a method is given: in training, and wherever its task is shown."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from workbench.augment.moving import moved
from workbench.augment.plan import ViewPlan
from workbench.method.contract import Batch

Normalize = Callable[[Tensor], Tensor]
"""(B, C, h, w) in [0, 1] to what the network gets."""


def make_batch(
    plan: ViewPlan,
    normalize: Normalize,
    pixels: Tensor,
    *,
    seed: int,
    epoch: int,
    ids: Tensor,
    indices: Tensor,
    labels: Tensor | None = None,
    corners: bool = False,
) -> Batch:
    """Every view of these images, made and normalized on the device of the pixels; without partners.

    pixels: (B, C, S, S) uint8 or uint16. ids: (B,) int64 on the CPU, who the images are; the rest as in `Batch`.
    """
    made = [normalize(view) for view in plan.make(pixels, seed=seed, epoch=epoch, ids=ids)]
    if pixels.device.type == "cuda":
        made = [view.contiguous(memory_format=torch.channels_last) for view in made]
    views, local_views = (
        tuple(view for view, role in zip(made, plan.roles, strict=True) if role == wanted)
        for wanted in ("global", "local")
    )
    return Batch(
        views=views,
        local_views=local_views,
        indices=indices,
        labels=labels,
        corners=tuple(_corners(plan, pixels, seed=seed, epoch=epoch, ids=ids)) if corners else (),
    )


def _corners(plan: ViewPlan, pixels: Tensor, *, seed: int, epoch: int, ids: Tensor) -> Iterator[Tensor]:
    channels, height, width = pixels.shape[1:]
    for view, role in enumerate(plan.roles):
        if role == "global":
            found = plan.corners((channels, height, width), seed=seed, epoch=epoch, ids=ids, view=view)
            yield moved(found, pixels.device)
