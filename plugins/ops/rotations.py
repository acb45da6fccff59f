"""Rotation by any angle, and by quarter turns."""

import math
from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.geometry import affine
from workbench.augment.op import Drawn, GeometricOp, Ladder, OpInfo, Probability, sometimes
from workbench.spec.params import Params, param


class RotationParams(Params, frozen=True, kw_only=True):
    """How far, and how often."""

    degrees: Annotated[float, param("Largest turn to either side.", ge=0, le=180, unit="°")] = 15.0
    p: Probability = 1.0


class Rotation(GeometricOp[RotationParams]):
    """A turn about the middle; corners that come from outside the image are black."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Degrees, counter-clockwise."""
        del shape
        limit = self.params.degrees
        return {"on": draws.flags(self.params.p), "degrees": draws.uniform("degrees", -limit, limit)}

    def matrix(self, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """A rotation in pixels, whatever the sides."""
        angle = drawn["degrees"].double() * (math.pi / 180)
        cos, sin = angle.cos(), angle.sin()
        aspect = shape[2] / shape[1]
        return affine(((cos, -sin / aspect, 0.0), (sin * aspect, cos, 0.0)))

    def words(self, drawn: Drawn, item: int) -> str:
        """'+7.3°'."""
        return f"{float(drawn['degrees'][item]):+.1f}°"


class QuarterTurnParams(Params, frozen=True, kw_only=True):
    """How often."""

    p: Probability = 1.0


class QuarterTurn(GeometricOp[QuarterTurnParams]):
    """0, 90, 180 or 270 degrees counter-clockwise, exact to the pixel."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The number of quarter turns."""
        del shape
        return {"on": draws.flags(self.params.p), "turns": draws.integers("turns", 4)}

    def matrix(self, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """Signs and places only, so that nothing is rounded."""
        del shape
        cos = torch.tensor([1.0, 0.0, -1.0, 0.0], dtype=torch.float64)[drawn["turns"]]
        sin = torch.tensor([0.0, 1.0, 0.0, -1.0], dtype=torch.float64)[drawn["turns"]]
        return affine(((cos, -sin, 0.0), (sin, cos, 0.0)))

    def words(self, drawn: Drawn, item: int) -> str:
        """'90°'."""
        return f"{90 * int(drawn['turns'][item])}°"


def _rotation_in_torchvision(params: RotationParams, size: int) -> str:
    del size
    rotation = f"v2.RandomRotation({params.degrees:g}, interpolation=v2.InterpolationMode.BILINEAR)"
    return sometimes(rotation, params.p)


def _turn_in_torchvision(params: QuarterTurnParams, size: int) -> str:
    del size
    turns = "v2.Lambda(lambda image: torch.rot90(image, int(torch.randint(4, ())), (-2, -1)))"
    return sometimes(turns, params.p)


OPS = (
    OpInfo(
        name="rotation",
        title="Rotation",
        group="geometry",
        help="Turns the image by a random angle, so that a slight tilt, or any turn, makes no difference.",
        params=RotationParams,
        build=Rotation,
        ladders=(
            Ladder(
                name="rotation",
                title="Rotation",
                params=lambda strength: RotationParams(degrees=180 * strength, p=1.0),
                words=lambda strength: f"up to ±{180 * strength:.0f}°",
            ),
        ),
        torchvision=_rotation_in_torchvision,
    ),
    OpInfo(
        name="quarter_turn",
        title="Quarter turn",
        group="geometry",
        help="Turns by 0, 90, 180 or 270 degrees without any loss; for images that have no up.",
        params=QuarterTurnParams,
        build=QuarterTurn,
        ladders=(
            Ladder(
                name="quarter_turn",
                title="Quarter turn",
                params=lambda _: QuarterTurnParams(p=1.0),
                words=lambda _: "any of four",
                steps=1,
            ),
        ),
        torchvision=_turn_in_torchvision,
    ),
)
