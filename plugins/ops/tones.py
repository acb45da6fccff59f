"""Curves of gray levels: solarize, gamma, and the window of a medical image."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.op import Drawn, Op, OpInfo, Probability, spread
from workbench.spec.params import Params, param

# Values that torch does not part among threads.
_PIECE = 16_384


class SolarizeParams(Params, frozen=True, kw_only=True):
    """From where, and how often."""

    threshold: Annotated[float, param("Values from here on are inverted.", ge=0, le=1)] = 0.5
    p: Probability = 0.2


class Solarize(Op[SolarizeParams]):
    """Bright values become dark."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Whom it touches."""
        del shape
        return {"on": draws.flags(self.params.p)}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """1 - x where x is at or above the threshold; by products, which are quicker than `where`."""
        del drawn
        bright = torch.ge(images, self.params.threshold, out=torch.empty_like(images))
        inverted = (1 - images).mul_(bright)
        return images.mul_(1 - bright).add_(inverted)


class GammaParams(Params, frozen=True, kw_only=True):
    """How far, and how often."""

    gamma: Annotated[tuple[float, float], param("Exponents: below 1 brightens, above 1 darkens.", ge=0.2, le=5)] = (
        0.8,
        1.25,
    )
    p: Probability = 0.5


class Gamma(Op[GammaParams]):
    """x to the power of gamma; black and white stay."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The exponent."""
        del shape
        return {"on": draws.flags(self.params.p), "gamma": draws.uniform("gamma", *self.params.gamma)}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """In place, in pieces that no thread shares: where vector and scalar powers round differently, nobody sees."""
        for image, exponent in zip(images, drawn["gamma"].tolist(), strict=True):
            for piece in image.view(-1).split(_PIECE):
                piece.pow_(exponent)
        return images

    def words(self, drawn: Drawn, item: int) -> str:
        """'γ 1.10'."""
        return f"γ {float(drawn['gamma'][item]):.2f}"


class WindowParams(Params, frozen=True, kw_only=True):
    """Which windows, and how often."""

    center: Annotated[tuple[float, float], param("Lowest and highest middle of the window.", ge=0, le=1)] = (0.45, 0.55)
    width: Annotated[tuple[float, float], param("Narrowest and widest window.", ge=0.05, le=2)] = (0.8, 1.0)
    p: Probability = 0.5


class Window(Op[WindowParams]):
    """Gray values inside the window fill the range from black to white; others are clipped."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Center and width, in gray values from 0 to 1."""
        del shape
        return {
            "on": draws.flags(self.params.p),
            "center": draws.uniform("center", *self.params.center),
            "width": draws.uniform("width", *self.params.width),
        }

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """In place."""
        low = spread(drawn["center"] - drawn["width"] / 2, images)
        return images.sub_(low).div_(spread(drawn["width"], images)).clamp_(0, 1)

    def words(self, drawn: Drawn, item: int) -> str:
        """'center 0.48 width 0.90'."""
        return f"center {float(drawn['center'][item]):.2f} width {float(drawn['width'][item]):.2f}"


OPS = (
    OpInfo(
        name="solarize",
        title="Solarize",
        group="color",
        help="Inverts all bright values, a strong change of tone that leaves edges where they are.",
        params=SolarizeParams,
        build=Solarize,
    ),
    OpInfo(
        name="gamma",
        title="Gamma",
        group="color",
        help="Brightens or darkens the middle tones without clipping, as another exposure would.",
        params=GammaParams,
        build=Gamma,
    ),
    OpInfo(
        name="window_level",
        title="Window and level",
        group="color",
        help="Stretches a random window of gray values over the whole range, as a radiologist's display does.",
        params=WindowParams,
        build=Window,
    ),
)
