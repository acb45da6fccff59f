"""Sharpness, and the median filter that takes specks away and leaves edges."""

from typing import Annotated

from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.median import medians
from workbench.augment.moving import moved
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.augment.tones import sharpened
from workbench.spec.params import Params, param


class SharpnessParams(Params, frozen=True, kw_only=True):
    """How far, and how often."""

    factor: Annotated[
        tuple[float, float], param("Softest and sharpest: 0 is smoothed, 1 the image itself, 2 sharpened.", ge=0, le=10)
    ] = (0.2, 2.0)
    p: Probability = 0.5


class Sharpness(Op[SharpnessParams]):
    """torchvision's `adjust_sharpness`: between a smoothed image and the image, or beyond it."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The factor."""
        del shape
        return {"on": draws.flags(self.params.p), "factor": draws.uniform("factor", *self.params.factor)}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        return sharpened(images, drawn["factor"])

    def words(self, drawn: Drawn, item: int) -> str:
        """'×1.40'."""
        return f"×{float(drawn['factor'][item]):.2f}"


class MedianParams(Params, frozen=True, kw_only=True):
    """How wide, and how often."""

    radius: Annotated[int, param("Largest reach; one from 1 to it is drawn.", ge=1, le=3, unit="px")] = 1
    p: Probability = 0.5


class Median(Op[MedianParams]):
    """Every value becomes the median of the square about it."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The reach in pixels."""
        del shape
        return {"on": draws.flags(self.params.p), "radius": 1 + draws.integers("radius", self.params.radius)}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images; those of one reach together."""
        result = images.clone()
        for radius in sorted(set(drawn["radius"].tolist())):
            place = moved((drawn["radius"] == radius).nonzero().squeeze(1), images.device)
            result[place] = medians(images[place], radius)
        return result

    def words(self, drawn: Drawn, item: int) -> str:
        """'3 × 3 px'."""
        side = 2 * int(drawn["radius"][item]) + 1
        return f"{side} × {side} px"


def _sharpness_in_torchvision(params: SharpnessParams, size: int) -> str:
    del size
    low, high = params.factor
    if low == high:
        return f"v2.RandomAdjustSharpness({low:g}, p={params.p:g})"
    factor = f"torch.empty(1).uniform_({low:g}, {high:g}).item()"
    return sometimes(f"v2.Lambda(lambda image: v2.functional.adjust_sharpness(image, {factor}))", params.p)


def _median_in_torchvision(params: MedianParams, size: int) -> str:
    del size
    kinds = []
    for radius in range(1, params.radius + 1):
        squares = f"v2.functional.pad(image, {radius}, padding_mode='reflect')"
        squares += "".join(f".unfold({axis}, {2 * radius + 1}, 1)" for axis in (-2, -2))
        kinds.append(f"v2.Lambda(lambda image: {squares}.flatten(-2).median(dim=-1).values)")
    return sometimes(kinds[0] if len(kinds) == 1 else f"v2.RandomChoice([{', '.join(kinds)}])", params.p)


OPS = (
    OpInfo(
        name="sharpness",
        title="Sharpness",
        group="sharpness",
        help="Softens or sharpens the image at random, so that the focus of the lens makes no difference.",
        params=SharpnessParams,
        build=Sharpness,
        ladders=(
            Ladder(
                name="sharpen",
                title="Sharpen",
                params=lambda strength: SharpnessParams(factor=(1 + 7 * strength, 1 + 7 * strength), p=1.0),
                words=lambda strength: f"×{1 + 7 * strength:.1f}",
            ),
        ),
        torchvision=_sharpness_in_torchvision,
    ),
    OpInfo(
        name="median",
        title="Median filter",
        group="sharpness",
        help="Wipes out specks and fine texture and keeps edges, so that grain is not what counts.",
        params=MedianParams,
        build=Median,
        ladders=(
            Ladder(
                name="median",
                title="Median filter",
                params=lambda _: MedianParams(radius=3, p=1.0),
                words=lambda _: "up to 7 px",
                steps=1,
            ),
        ),
        torchvision=_median_in_torchvision,
    ),
)
