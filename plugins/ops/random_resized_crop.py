"""Random resized crop (Szegedy et al. 2015, arXiv:1409.4842): the op that most methods rest on."""

from typing import Annotated

from torch import Tensor

from workbench.augment.boxes import random_boxes
from workbench.augment.draws import Draws
from workbench.augment.geometry import affine
from workbench.augment.op import Drawn, GeometricOp, Ladder, OpInfo
from workbench.spec.params import Params, param


class CropParams(Params, frozen=True, kw_only=True):
    """Which part of the image is kept."""

    scale: Annotated[
        tuple[float, float], param("Smallest and largest share of the image's area that is kept.", ge=0.01, le=1)
    ] = (0.08, 1.0)
    ratio: Annotated[
        tuple[float, float],
        param("Narrowest and widest shape of the part, as width / height.", ge=0.25, le=4, advanced=True),
    ] = (0.75, 4 / 3)


class RandomResizedCrop(GeometricOp[CropParams]):
    """A box of random area, shape and place, brought to the view's size."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The box: left, top, width, height in [0, 1]."""
        aspect = shape[2] / shape[1]
        return {"box": random_boxes(draws, area=self.params.scale, ratio=self.params.ratio, aspect=aspect)}

    def matrix(self, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """The view's corners are the box's."""
        del shape
        left, top, width, height = drawn["box"].unbind(1)
        return affine(((width, 0.0, 2 * left + width - 1), (0.0, height, 2 * top + height - 1)))

    def words(self, drawn: Drawn, item: int) -> str:
        """'0.39 of the area'."""
        width, height = drawn["box"][item, 2:].tolist()
        return f"{width * height:.2f} of the area"


def _in_torchvision(params: CropParams, size: int) -> str:
    return f"v2.RandomResizedCrop({size}, scale={tuple(params.scale)}, ratio={tuple(params.ratio)}, antialias=True)"


def _area(strength: float) -> float:
    return 1 - 0.92 * strength


OP = OpInfo(
    name="random_resized_crop",
    title="Random resized crop",
    group="geometry",
    help="Cuts out a random part and enlarges it, so that the network recognizes things by their parts and at any "
    "size.",
    params=CropParams,
    build=RandomResizedCrop,
    ladders=(
        Ladder(
            name="crop",
            title="Crop",
            params=lambda strength: CropParams(scale=(_area(strength), _area(strength))),
            words=lambda strength: f"{100 * _area(strength):.0f} % of the area",
        ),
    ),
    torchvision=_in_torchvision,
)
