"""Gaussian blur."""

from typing import Annotated

from torch import Tensor

from workbench.augment.blur import blur_, widest
from workbench.augment.draws import Draws
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.spec.params import Params, param


class GaussianBlurParams(Params, frozen=True, kw_only=True):
    """How much, and how often."""

    sigma: Annotated[
        tuple[float, float], param("Smallest and largest deviation of the bell.", ge=0.05, le=10, unit="px")
    ] = (0.1, 2.0)
    p: Probability = 0.5


class GaussianBlur(Op[GaussianBlurParams]):
    """A bell along y and then along x, mirrored at the border, as wide as a tenth of the image (SimCLR, section A)."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The deviation in pixels."""
        del shape
        return {"on": draws.flags(self.params.p), "sigma": draws.uniform("sigma", *self.params.sigma)}

    def change_rows(self, images: Tensor, rows: Tensor, drawn: Drawn) -> None:
        """In place."""
        blur_(images, rows, drawn["sigma"])

    def words(self, drawn: Drawn, item: int) -> str:
        """'σ 1.6'."""
        return f"σ {float(drawn['sigma'][item]):.1f}"


def _in_torchvision(params: GaussianBlurParams, size: int) -> str:
    return sometimes(f"v2.GaussianBlur({2 * widest(size) + 1}, sigma={tuple(params.sigma)})", params.p)


OP = OpInfo(
    name="gaussian_blur",
    title="Gaussian blur",
    group="sharpness",
    help="Softens the image at random, so that fine texture is not all that counts; too strong for images of 64 px.",
    params=GaussianBlurParams,
    build=GaussianBlur,
    ladders=(
        Ladder(
            name="blur",
            title="Gaussian blur",
            params=lambda strength: GaussianBlurParams(sigma=(4 * strength, 4 * strength), p=1.0),
            words=lambda strength: f"σ {4 * strength:.1f} px",
        ),
    ),
    torchvision=_in_torchvision,
)
