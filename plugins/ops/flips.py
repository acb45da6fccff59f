"""Horizontal and vertical flip."""

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.op import Drawn, GeometricOp, Ladder, OpInfo, Probability
from workbench.spec.params import Params


class FlipParams(Params, frozen=True, kw_only=True):
    """How often."""

    p: Probability = 0.5


class _Flip(GeometricOp[FlipParams]):
    diagonal: tuple[float, float, float]

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Whom it touches."""
        del shape
        return {"on": draws.flags(self.params.p)}

    def matrix(self, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """A mirror."""
        del shape
        return torch.diag(torch.tensor(self.diagonal, dtype=torch.float64)).repeat(len(drawn["on"]), 1, 1)


class HorizontalFlip(_Flip):
    """Left and right change places."""

    diagonal = (-1.0, 1.0, 1.0)


class VerticalFlip(_Flip):
    """Top and bottom change places."""

    diagonal = (1.0, -1.0, 1.0)


def _always(strength: float) -> FlipParams:
    del strength
    return FlipParams(p=1.0)


OPS = (
    OpInfo(
        name="horizontal_flip",
        title="Horizontal flip",
        group="geometry",
        help="Mirrors left and right, so that facing left or right makes no difference.",
        params=FlipParams,
        build=HorizontalFlip,
        ladders=(
            Ladder(name="horizontal_flip", title="Horizontal flip", params=_always, words=lambda _: "yes", steps=1),
        ),
        torchvision=lambda params, _: f"v2.RandomHorizontalFlip(p={params.p:g})",
    ),
    OpInfo(
        name="vertical_flip",
        title="Vertical flip",
        group="geometry",
        help="Mirrors top and bottom; for images without an up, such as microscopy or satellite tiles.",
        params=FlipParams,
        build=VerticalFlip,
        ladders=(Ladder(name="vertical_flip", title="Vertical flip", params=_always, words=lambda _: "yes", steps=1),),
        torchvision=lambda params, _: f"v2.RandomVerticalFlip(p={params.p:g})",
    ),
)
