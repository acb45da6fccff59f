"""Fewer, spread or stretched gray levels: posterize, equalize, autocontrast."""

from typing import Annotated

from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.augment.tones import autocontrasted, equalized, posterized
from workbench.spec.params import Params, param


class PosterizeParams(Params, frozen=True, kw_only=True):
    """How coarse, and how often."""

    bits: Annotated[tuple[float, float], param("Fewest and most bits of a channel that are kept.", ge=1, le=8)] = (4, 7)
    p: Probability = 0.2


class Posterize(Op[PosterizeParams]):
    """Every channel is rounded down to few levels."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """A whole number of bits."""
        del shape
        low, high = (round(bits) for bits in self.params.bits)
        return {"on": draws.flags(self.params.p), "bits": low + draws.integers("bits", high - low + 1)}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        return posterized(images, drawn["bits"])

    def words(self, drawn: Drawn, item: int) -> str:
        """'4 bits'."""
        bits = int(drawn["bits"][item])
        return f"{bits} bits" if bits > 1 else "1 bit"


class TimesParams(Params, frozen=True, kw_only=True):
    """How often."""

    p: Probability = 0.2


class Equalize(Op[TimesParams]):
    """Every channel's histogram is flattened."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Whom it touches."""
        del shape
        return {"on": draws.flags(self.params.p)}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        del drawn
        return equalized(images)


class Autocontrast(Op[TimesParams]):
    """Every channel's darkest value becomes black, its brightest white."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Whom it touches."""
        del shape
        return {"on": draws.flags(self.params.p)}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        del drawn
        return autocontrasted(images)


def _always(strength: float) -> TimesParams:
    del strength
    return TimesParams(p=1.0)


def _bits(strength: float) -> int:
    return round(8 - 6 * strength)


def _posterize_in_torchvision(params: PosterizeParams, size: int) -> str:
    del size
    low, high = (round(bits) for bits in params.bits)
    kinds = ", ".join(f"v2.RandomPosterize({bits}, p=1.0)" for bits in range(low, high + 1))
    return sometimes(f"v2.RandomChoice([{kinds}])" if high > low else kinds, params.p)


OPS = (
    OpInfo(
        name="posterize",
        title="Posterize",
        group="color",
        help="Leaves few levels to each channel, so that fine shades of color are not all that counts.",
        params=PosterizeParams,
        build=Posterize,
        ladders=(
            Ladder(
                name="posterize",
                title="Posterize",
                params=lambda strength: PosterizeParams(bits=(_bits(strength), _bits(strength)), p=1.0),
                words=lambda strength: f"{_bits(strength)} bits",
            ),
        ),
        torchvision=_posterize_in_torchvision,
    ),
    OpInfo(
        name="equalize",
        title="Equalize",
        group="color",
        help="Spreads the gray levels of each channel evenly, so that exposure and contrast make no difference.",
        params=TimesParams,
        build=Equalize,
        ladders=(Ladder(name="equalize", title="Equalize", params=_always, words=lambda _: "yes", steps=1),),
        torchvision=lambda params, _: f"v2.RandomEqualize(p={params.p:g})",
    ),
    OpInfo(
        name="autocontrast",
        title="Autocontrast",
        group="color",
        help="Stretches each channel from black to white, so that faint and strong images look alike.",
        params=TimesParams,
        build=Autocontrast,
        ladders=(Ladder(name="autocontrast", title="Autocontrast", params=_always, words=lambda _: "yes", steps=1),),
        torchvision=lambda params, _: f"v2.RandomAutocontrast(p={params.p:g})",
    ),
)
