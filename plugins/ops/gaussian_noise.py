"""Gaussian noise."""

from typing import Annotated

from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.field import normal_field
from workbench.augment.moving import moved, spread
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.spec.params import Params, param


class GaussianNoiseParams(Params, frozen=True, kw_only=True):
    """How much, and how often."""

    sigma: Annotated[tuple[float, float], param("Smallest and largest deviation, where white is 1.", ge=0, le=1)] = (
        0.0,
        0.1,
    )
    p: Probability = 0.5


class GaussianNoise(Op[GaussianNoiseParams]):
    """Independent noise in every pixel and channel, clipped to [0, 1]."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The deviation, and the key of the noise."""
        del shape
        return {
            "on": draws.flags(self.params.p),
            "sigma": draws.uniform("sigma", *self.params.sigma),
            "key": draws.words("field"),
        }

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """In place."""
        noise = normal_field(moved(drawn["key"], images.device), images[0].numel()).view_as(images)
        return images.add_(noise.mul_(spread(drawn["sigma"], images))).clamp_(0, 1)

    def words(self, drawn: Drawn, item: int) -> str:
        """'σ 0.05'."""
        return f"σ {float(drawn['sigma'][item]):.2f}"


def _in_torchvision(params: GaussianNoiseParams, size: int) -> str:
    del size
    low, high = params.sigma
    if low == high:
        return sometimes(f"v2.GaussianNoise(sigma={low:g})", params.p)
    sigma = f"torch.empty(1).uniform_({low:g}, {high:g}).item()"
    return sometimes(f"v2.Lambda(lambda image: v2.functional.gaussian_noise(image, sigma={sigma}))", params.p)


OP = OpInfo(
    name="gaussian_noise",
    title="Gaussian noise",
    group="noise",
    help="Adds grain to every pixel, as a sensor does in little light.",
    params=GaussianNoiseParams,
    build=GaussianNoise,
    ladders=(
        Ladder(
            name="noise",
            title="Gaussian noise",
            params=lambda strength: GaussianNoiseParams(sigma=(0.4 * strength, 0.4 * strength), p=1.0),
            words=lambda strength: f"σ {0.4 * strength:.2f}",
        ),
    ),
    torchvision=_in_torchvision,
)
