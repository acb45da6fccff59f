"""Affine: turn, move, scale and shear in one."""

import math
from typing import Annotated

from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.geometry import affine
from workbench.augment.op import Drawn, GeometricOp, Ladder, OpInfo, Probability, sometimes
from workbench.spec.params import Params, param


class AffineParams(Params, frozen=True, kw_only=True):
    """How far, and how often."""

    degrees: Annotated[float, param("Largest turn to either side.", ge=0, le=180, unit="°")] = 10.0
    translate: Annotated[float, param("Farthest shift, as a share of the side.", ge=0, le=0.9)] = 0.1
    scale: Annotated[tuple[float, float], param("Smallest and largest enlargement.", ge=0.2, le=5)] = (0.9, 1.1)
    shear: Annotated[float, param("Largest slant to either side.", ge=0, le=60, unit="°")] = 0.0
    p: Probability = 1.0


class Affine(GeometricOp[AffineParams]):
    """As torchvision's `affine`, about the middle; what comes from outside the image is black."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Degrees (clockwise), shifts (shares of the side), scale, and shear (degrees, along x)."""
        del shape
        given = self.params
        return {
            "on": draws.flags(given.p),
            "degrees": draws.uniform("degrees", -given.degrees, given.degrees),
            "right": draws.uniform("right", -given.translate, given.translate),
            "down": draws.uniform("down", -given.translate, given.translate),
            "scale": draws.uniform("scale", *given.scale),
            "shear": draws.uniform("shear", -given.shear, given.shear),
        }

    def matrix(self, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """The inverse of scale · rotation · shear, after the shift is undone."""
        aspect = shape[2] / shape[1]
        angle = drawn["degrees"].double() * (math.pi / 180)
        slant = (drawn["shear"].double() * (math.pi / 180)).tan()
        cos, sin, scale = angle.cos(), angle.sin(), drawn["scale"].double()
        right, down = 2 * drawn["right"].double(), 2 * drawn["down"].double()
        xx, xy = (cos - sin * slant) / scale, (sin + cos * slant) / scale / aspect
        yx, yy = -sin / scale * aspect, cos / scale
        return affine(((xx, xy, -xx * right - xy * down), (yx, yy, -yx * right - yy * down)))

    def words(self, drawn: Drawn, item: int) -> str:
        """'-4.2° ×1.05 shift +0.03 -0.01', and the shear where there is one."""
        one = {name: float(value[item]) for name, value in drawn.items()}
        text = f"{one['degrees']:+.1f}° ×{one['scale']:.2f} shift {one['right']:+.2f} {one['down']:+.2f}"
        return f"{text} shear {one['shear']:+.1f}°" if self.params.shear else text


def _in_torchvision(params: AffineParams, size: int) -> str:
    del size
    affine = (
        f"v2.RandomAffine({params.degrees:g}, translate=({params.translate:g}, {params.translate:g}), "
        f"scale={tuple(params.scale)}, shear={params.shear:g}, interpolation=v2.InterpolationMode.BILINEAR)"
    )
    return sometimes(affine, params.p)


def _alone(*, translate: float = 0.0, scale: float = 1.0, shear: float = 0.0) -> AffineParams:
    return AffineParams(degrees=0.0, translate=translate, scale=(scale, scale), shear=shear, p=1.0)


OP = OpInfo(
    name="affine",
    title="Affine",
    group="geometry",
    help="Turns, shifts, scales and slants the image a little, as if the camera had moved.",
    params=AffineParams,
    build=Affine,
    ladders=(
        Ladder(
            name="shift",
            title="Shift",
            params=lambda strength: _alone(translate=0.4 * strength),
            words=lambda strength: f"up to {40 * strength:.0f} % of the side",
        ),
        Ladder(
            name="shrink",
            title="Shrink",
            params=lambda strength: _alone(scale=1 - 0.7 * strength),
            words=lambda strength: f"×{1 - 0.7 * strength:.2f}",
        ),
        Ladder(
            name="shear",
            title="Shear",
            params=lambda strength: _alone(shear=45 * strength),
            words=lambda strength: f"up to ±{45 * strength:.0f}°",
        ),
    ),
    torchvision=_in_torchvision,
)
