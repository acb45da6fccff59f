"""Noise of single pixels: photons that are counted (Poisson), and dead or hot pixels (salt and pepper)."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.field import normal_field, uniform_field
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, spread
from workbench.augment.pixels import pieces
from workbench.spec.params import Params, param

# Below this many photons the counts are summed up exactly; above it Cornish and Fisher's expansion is as good.
_FEW = 10.0
_MOST = 40  # Photons that fewer than one in a billion pixels would exceed there.


class PoissonParams(Params, frozen=True, kw_only=True):
    """How little light, and how often."""

    photons: Annotated[
        tuple[float, float],
        param("Fewest and most photons of a white pixel: the fewer, the grainier.", ge=1, le=10_000, logarithmic=True),
    ] = (20.0, 200.0)
    p: Probability = 0.5


class PoissonNoise(Op[PoissonParams]):
    """Every value is a count of photons: its variance is its mean."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The photons of a white pixel, evenly over their logarithm, and the key of the noise."""
        del shape
        low, high = (torch.tensor(float(end)).log().item() for end in self.params.photons)
        return {
            "on": draws.flags(self.params.p),
            "photons": draws.uniform("photons", low, high).exp(),
            "key": draws.words("field"),
        }

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images, one by one."""
        result = torch.empty_like(images)
        keys = drawn["key"].to(images.device)
        for item, photons in enumerate(drawn["photons"].tolist()):
            whole = images[item].numel()
            normal, uniform = (
                normal_field(keys[item : item + 1], whole)[0],
                uniform_field(keys[item : item + 1], whole)[0],
            )
            start = 0
            for piece, made in zip(pieces(images[item].contiguous()), pieces(result[item]), strict=True):
                part = slice(start, start + piece.numel())
                start += piece.numel()
                counts = poisson(piece.reshape(-1) * photons, uniform[part], normal[part])
                made.copy_((counts / photons).clamp_(0, 1).view_as(made))
        return result

    def words(self, drawn: Drawn, item: int) -> str:
        """'42 photons'."""
        return f"{float(drawn['photons'][item]):.0f} photons"


def poisson(rates: Tensor, uniform: Tensor, normal: Tensor) -> Tensor:
    """Counts of those mean rates, all (m,): quantiles at `uniform` in (0, 1), of which `normal` are the normal ones.

    Where few are expected, by summing the probabilities up; elsewhere by the Cornish-Fisher expansion (1938),
    z √λ + λ + (z² - 1) / 6, rounded: its mean and variance are right to a thousandth.
    """
    many = (rates + normal * rates.sqrt() + (normal.square() - 1) / 6).round_().clamp_(min=0)
    few = rates.clamp(max=_FEW)
    chance = (-few).exp()
    reached = chance.clone()
    counts = torch.zeros_like(rates)
    for count in range(1, _MOST):
        counts += uniform > reached
        chance = chance * few / count
        reached += chance
    return torch.where(rates < _FEW, counts, many)


class SaltParams(Params, frozen=True, kw_only=True):
    """How many pixels, which of them white, and how often."""

    share: Annotated[tuple[float, float], param("Smallest and largest share of pixels.", ge=0, le=0.5)] = (0.0, 0.05)
    salt: Annotated[float, param("Share of them that is white; the others are black.", ge=0, le=1)] = 0.5
    p: Probability = 0.5


class SaltAndPepper(Op[SaltParams]):
    """Single pixels, all their channels at once, become white or black."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The share, and the key of the pixels."""
        del shape
        return {
            "on": draws.flags(self.params.p),
            "share": draws.uniform("share", *self.params.share),
            "key": draws.words("field"),
        }

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """In place; by products, which are quicker than `where`."""
        n, _, height, width = images.shape
        number = uniform_field(drawn["key"].to(images.device), height * width).view(n, 1, height, width)
        share = spread(drawn["share"], images)
        white = (number < share * self.params.salt).float()
        black = (number > 1 - share * (1 - self.params.salt)).float()
        return images.mul_(1 - white).mul_(1 - black).add_(white)

    def words(self, drawn: Drawn, item: int) -> str:
        """'2.1 % of the pixels'."""
        return f"{100 * float(drawn['share'][item]):.1f} % of the pixels"


OPS = (
    OpInfo(
        name="poisson_noise",
        title="Poisson noise",
        group="noise",
        help="Adds the grain of counted photons, stronger in bright parts, as in microscopy and in the dark.",
        params=PoissonParams,
        build=PoissonNoise,
        ladders=(
            Ladder(
                name="photons",
                title="Poisson noise",
                params=lambda strength: PoissonParams(photons=(_photons(strength), _photons(strength)), p=1.0),
                words=lambda strength: f"{_photons(strength):.0f} photons",
            ),
        ),
    ),
    OpInfo(
        name="salt_and_pepper",
        title="Salt and pepper",
        group="noise",
        help="Makes single pixels white or black, as dead and hot pixels of a sensor are.",
        params=SaltParams,
        build=SaltAndPepper,
        ladders=(
            Ladder(
                name="salt_and_pepper",
                title="Salt and pepper",
                params=lambda strength: SaltParams(share=(0.2 * strength, 0.2 * strength), p=1.0),
                words=lambda strength: f"{20 * strength:.0f} % of the pixels",
            ),
        ),
    ),
)


def _photons(strength: float) -> float:
    return float(5.0 * 100.0 ** (1 - strength))
