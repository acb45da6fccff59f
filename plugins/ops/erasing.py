"""Random erasing (Zhong et al. 2017, arXiv:1708.04896), with cutout (arXiv:1708.04552) as its square case."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.boxes import random_boxes
from workbench.augment.draws import Draws
from workbench.augment.fill import IN_TORCH, Fill, filled
from workbench.augment.moving import moved
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.spec.params import Params, param


class ErasingParams(Params, frozen=True, kw_only=True):
    """How much, with what, and how often."""

    area: Annotated[tuple[float, float], param("Smallest and largest share that is erased.", ge=0.01, le=0.9)] = (
        0.02,
        0.33,
    )
    ratio: Annotated[
        tuple[float, float], param("Narrowest and widest box, as width / height.", ge=0.1, le=10, advanced=True)
    ] = (0.3, 3.3)
    fill: Annotated[Fill, param("What fills the box; mean is the image's own color.")] = "mean"
    p: Probability = 0.5


class Erasing(Op[ErasingParams]):
    """A box of whole pixels is filled."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """'box': (n, 4) left, top, right, bottom in pixels, right and bottom excluded."""
        size = torch.tensor([shape[2], shape[1]], dtype=torch.float64)
        aspect = shape[2] / shape[1]
        boxes = random_boxes(draws, area=self.params.area, ratio=self.params.ratio, aspect=aspect, grow=False)
        start = (boxes[:, :2] * size).round()
        end = torch.maximum(((boxes[:, :2] + boxes[:, 2:]) * size).round(), start + 1).minimum(size)
        box = torch.cat([start.minimum(end - 1), end], dim=1).int()
        return {"on": draws.flags(self.params.p), "box": box, "key": draws.words("field")}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images: the fill inside the box, the image outside."""
        left, top, right, bottom = moved(drawn["box"], images.device)[:, :, None, None].unbind(1)
        y = torch.arange(images.shape[2], device=images.device)[:, None]
        x = torch.arange(images.shape[3], device=images.device)
        hole = (y >= top) & (y < bottom) & (x >= left) & (x < right)
        return filled(images, hole[:, None], self.params.fill, drawn["key"])

    def words(self, drawn: Drawn, item: int) -> str:
        """'12 × 30 px'."""
        left, top, right, bottom = drawn["box"][item].tolist()
        return f"{right - left} × {bottom - top} px"


_VALUES = {"black": "0", "gray": "0.5"}


def _in_torchvision(params: ErasingParams, size: int) -> str:
    """torchvision's own noise goes beyond black and white, and it knows no mean: there it only finds the box."""
    del size
    where = f"scale={tuple(params.area)}, ratio={tuple(params.ratio)}"
    if params.fill in _VALUES:
        return f"v2.RandomErasing(p={params.p:g}, {where}, value={_VALUES[params.fill]})"
    kept = f"v2.RandomErasing(p=1.0, {where}, value=0)(torch.ones_like(image[:1])) > 0"
    return sometimes(f"v2.Lambda(lambda image: torch.where({kept}, image, {IN_TORCH[params.fill]}))", params.p)


OP = OpInfo(
    name="erasing",
    title="Erasing",
    group="erasing",
    help="Covers a random box, so that no single spot can decide.",
    params=ErasingParams,
    build=Erasing,
    ladders=(
        Ladder(
            name="erasing",
            title="Erasing",
            params=lambda strength: ErasingParams(area=(0.7 * strength, 0.7 * strength), p=1.0),
            words=lambda strength: f"{70 * strength:.0f} % of the area",
        ),
    ),
    torchvision=_in_torchvision,
)
