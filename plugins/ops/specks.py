"""Noise of single pixels: photons that are counted (Poisson), and dead or hot pixels (salt and pepper)."""

import math
from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.field import paired_fields, uniform_field
from workbench.augment.moving import moved, spread
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.augment.pixels import pieces
from workbench.spec.params import Params, param

# Below this many photons the counts are summed up exactly; above it Cornish and Fisher's expansion serves.
_FEW = 6.0
_MOST = 19  # What the largest number of a field comes to there: 1 - 2^-17 of all counts are no higher.


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
        """New images."""
        photons = moved(drawn["photons"], images.device)[:, None]
        rates = images.flatten(1) * photons
        uniform, normal = paired_fields(moved(drawn["key"], images.device), rates.shape[1])
        if images.device.type != "cpu":
            rates = poisson(rates.view(-1), uniform.view(-1), normal.view(-1)).view(rates.shape)
        else:
            for own in zip(rates, uniform, normal, strict=True):
                own[0].copy_(poisson(*own))
        return torch.div(rates, photons, out=rates).clamp_(0, 1).view(images.shape)

    def words(self, drawn: Drawn, item: int) -> str:
        """'42 photons'."""
        return f"{float(drawn['photons'][item]):.0f} photons"


def poisson(rates: Tensor, uniform: Tensor, normal: Tensor) -> Tensor:
    """Counts of those mean rates, all (m,): quantiles at `uniform` in (0, 1), of which `normal` are the normal ones.

    Where less than six are expected, by summing the probabilities up; elsewhere by the Cornish-Fisher expansion
    (1938), λ + z √λ + (z² - 1) / 6 + (z - z³) / (72 √λ), rounded. Its mean is right to a ten-thousandth, its
    variance to 1.4 % at six and to 0.1 % at a hundred.
    """
    counts = torch.empty_like(rates)
    for parts in zip(*(pieces(values) for values in (rates, normal, counts)), strict=True):
        parts[2].copy_(_expanded(*parts[:2]))
    few = (rates < _FEW).nonzero().squeeze(1)
    if len(few) > 0:
        # All of an image together: it takes many steps, each of them short.
        summed = [_summed_up(*part) for part in zip(pieces(rates[few]), pieces(uniform[few]), strict=True)]
        counts[few] = torch.cat(summed)
    return counts


def _expanded(rates: Tensor, normal: Tensor) -> Tensor:
    roots, squares = rates.clamp(min=_FEW).sqrt_(), normal.square()
    third = ((1 - squares) * normal).div_(roots * 72)
    return roots.mul_(normal).add_(rates).add_(squares.sub_(1).div_(6)).add_(third).round_().clamp_(min=0)


def _summed_up(rates: Tensor, uniform: Tensor) -> Tensor:
    chance = (-rates).exp()
    reached, counts = chance.clone(), torch.zeros_like(rates)
    for count in range(1, _MOST + 1):
        counts += uniform > reached
        reached += chance.mul_(rates).div_(count)
    return counts


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
        number = uniform_field(moved(drawn["key"], images.device), height * width).view(n, 1, height, width)
        share = spread(drawn["share"], images)
        white = (number < share * self.params.salt).float()
        black = (number > 1 - share * (1 - self.params.salt)).float()
        return images.mul_(1 - white).mul_(1 - black).add_(white)

    def words(self, drawn: Drawn, item: int) -> str:
        """'2.1 % of the pixels'."""
        return f"{100 * float(drawn['share'][item]):.1f} % of the pixels"


def _photons(strength: float) -> float:
    return float(5.0 * 100.0 ** (1 - strength))


def _poisson_in_torchvision(params: PoissonParams, size: int) -> str:
    del size
    low, high = (math.log(photons) for photons in params.photons)
    photons = f"torch.empty(1).uniform_({low:.4f}, {high:.4f}).exp()"
    counted = "(lambda photons: (torch.poisson(image * photons) / photons).clamp(0, 1))"
    return sometimes(f"v2.Lambda(lambda image: {counted}({photons}))", params.p)


def _salt_in_torchvision(params: SaltParams, size: int) -> str:
    del size
    share = f"torch.empty(1).uniform_({params.share[0]:g}, {params.share[1]:g})"
    white, black = f"number < {params.salt:g} * share", f"number > 1 - {1 - params.salt:g} * share"
    changed = f"(lambda number, share: image.masked_fill({white}, 1.0).masked_fill({black}, 0.0))"
    return sometimes(f"v2.Lambda(lambda image: {changed}(torch.rand(image.shape[-2:]), {share}))", params.p)


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
        torchvision=_poisson_in_torchvision,
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
        torchvision=_salt_in_torchvision,
    ),
)
