"""Random grayscale."""

import torch
from torch import Tensor

from workbench.augment.color import grayscale_
from workbench.augment.draws import Draws
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability
from workbench.spec.params import Params


class GrayscaleParams(Params, frozen=True, kw_only=True):
    """How often."""

    p: Probability = 0.2


class Grayscale(Op[GrayscaleParams]):
    """All three channels become the gray value. Images without three channels stay as they are."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Whom it touches."""
        on = draws.flags(self.params.p)
        return {"on": on if shape[0] == 3 else torch.zeros_like(on)}

    def change_rows(self, images: Tensor, rows: Tensor, drawn: Drawn) -> None:
        """In place."""
        del drawn
        grayscale_(images, rows)


OP = OpInfo(
    name="grayscale",
    title="Grayscale",
    group="color",
    help="Takes all color out of some images, so that shape and texture must do.",
    params=GrayscaleParams,
    build=Grayscale,
    ladders=(
        Ladder(
            name="grayscale",
            title="Grayscale",
            params=lambda _: GrayscaleParams(p=1.0),
            words=lambda _: "yes",
            steps=1,
        ),
    ),
    torchvision=lambda params, _: f"v2.RandomGrayscale(p={params.p:g})",
)
