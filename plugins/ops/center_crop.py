"""Center crop."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.geometry import affine
from workbench.augment.op import Drawn, GeometricOp, Ladder, OpInfo
from workbench.spec.params import Params, param


class CenterCropParams(Params, frozen=True, kw_only=True):
    """How much is kept."""

    side: Annotated[float, param("Share of each side that is kept.", ge=0.1, le=1)] = 0.875


class CenterCrop(GeometricOp[CenterCropParams]):
    """The middle of the image, brought to the view's size."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Nothing is random: the same side for all."""
        del shape
        return {"side": torch.full(draws.keys.shape, self.params.side, dtype=torch.float64)}

    def matrix(self, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """A scaling about the middle."""
        del shape
        return affine(((drawn["side"], 0.0, 0.0), (0.0, drawn["side"], 0.0)))

    def words(self, drawn: Drawn, item: int) -> str:
        """'0.77 of the area'."""
        return f"{float(drawn['side'][item]) ** 2:.2f} of the area"


def _in_torchvision(params: CenterCropParams, size: int) -> str:
    return f"v2.Lambda(lambda image: v2.functional.center_crop(image, [round({params.side:g} * side) for side in image.shape[-2:]])), v2.Resize(({size}, {size}), antialias=True)"  # noqa: E501


OP = OpInfo(
    name="center_crop",
    title="Center crop",
    group="geometry",
    help="Keeps the middle of the image and cuts its border away, the same for every image.",
    params=CenterCropParams,
    build=CenterCrop,
    ladders=(
        Ladder(
            name="zoom",
            title="Zoom to the middle",
            params=lambda strength: CenterCropParams(side=1 - 0.7 * strength),
            words=lambda strength: f"{100 * (1 - 0.7 * strength):.0f} % of each side",
        ),
    ),
    torchvision=_in_torchvision,
)
