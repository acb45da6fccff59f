"""Curves of gray levels: solarize, gamma, and the window of a medical image."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.moving import spread
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.augment.pixels import pieces
from workbench.augment.tones import solarized
from workbench.spec.params import Params, param


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
        """1 - x where x is at or above the threshold."""
        del drawn
        return solarized(images, torch.full((len(images),), self.params.threshold))


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
            for piece in pieces(image):
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


def _gamma_in_torchvision(params: GammaParams, size: int) -> str:
    del size
    gamma = f"torch.empty(1).uniform_({params.gamma[0]:g}, {params.gamma[1]:g}).item()"
    return sometimes(f"v2.Lambda(lambda image: v2.functional.adjust_gamma(image, {gamma}))", params.p)


def _window_in_torchvision(params: WindowParams, size: int) -> str:
    del size
    center, width = (
        f"torch.empty(1).uniform_({low:g}, {high:g}).item()" for low, high in (params.center, params.width)
    )
    windowed = "(lambda center, width: ((image - center) / width + 0.5).clamp(0, 1))"
    return sometimes(f"v2.Lambda(lambda image: {windowed}({center}, {width}))", params.p)


OPS = (
    OpInfo(
        name="solarize",
        title="Solarize",
        group="color",
        help="Inverts all bright values, a strong change of tone that leaves edges where they are.",
        params=SolarizeParams,
        build=Solarize,
        ladders=(
            Ladder(
                name="solarize",
                title="Solarize",
                params=lambda strength: SolarizeParams(threshold=1 - strength, p=1.0),
                words=lambda strength: f"from {1 - strength:.2f} on",
            ),
        ),
        torchvision=lambda params, _: f"v2.RandomSolarize({params.threshold:g}, p={params.p:g})",
    ),
    OpInfo(
        name="gamma",
        title="Gamma",
        group="color",
        help="Brightens or darkens the middle tones without clipping, as another exposure would.",
        params=GammaParams,
        build=Gamma,
        ladders=(
            Ladder(
                name="darken",
                title="Gamma, darker",
                params=lambda strength: GammaParams(gamma=(1 + 2 * strength, 1 + 2 * strength), p=1.0),
                words=lambda strength: f"γ {1 + 2 * strength:.2f}",
            ),
            Ladder(
                name="brighten",
                title="Gamma, brighter",
                params=lambda strength: GammaParams(gamma=(1 - 0.7 * strength, 1 - 0.7 * strength), p=1.0),
                words=lambda strength: f"γ {1 - 0.7 * strength:.2f}",
            ),
        ),
        torchvision=_gamma_in_torchvision,
    ),
    OpInfo(
        name="window_level",
        title="Window and level",
        group="color",
        help="Stretches a random window of gray values over the whole range, as a radiologist's display does.",
        params=WindowParams,
        build=Window,
        ladders=(
            Ladder(
                name="window",
                title="Narrow window",
                params=lambda strength: WindowParams(
                    center=(0.5, 0.5), width=(1 - 0.8 * strength, 1 - 0.8 * strength), p=1.0
                ),
                words=lambda strength: f"width {1 - 0.8 * strength:.2f}",
            ),
        ),
        torchvision=_window_in_torchvision,
    ),
)
