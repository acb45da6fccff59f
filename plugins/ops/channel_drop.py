"""Channel drop: some channels of an image say nothing."""

from typing import Annotated, Literal

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.fill import IN_TORCH, filled
from workbench.augment.moving import moved
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.spec.params import Params, param


class ChannelDropParams(Params, frozen=True, kw_only=True):
    """How many, with what, and how often."""

    most: Annotated[int, param("Up to so many channels are dropped; one always stays.", ge=1, le=64)] = 1
    fill: Annotated[Literal["black", "mean"], param("What stands in their place; mean is the channel's own.")] = "black"
    p: Probability = 0.2


class ChannelDrop(Op[ChannelDropParams]):
    """Some channels become flat. Images of a single channel stay as they are."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """'dropped' (n, C)."""
        channels = shape[0]
        on = draws.flags(self.params.p)
        count = 1 + draws.integers("count", max(1, min(self.params.most, channels - 1)))
        rank = draws.order("order", channels).argsort(dim=1)
        return {"on": on if channels > 1 else torch.zeros_like(on), "dropped": rank < count[:, None]}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        masks = moved(drawn["dropped"][:, :, None, None], images.device).expand_as(images)
        return filled(images, masks, self.params.fill, drawn["on"].long())

    def words(self, drawn: Drawn, item: int) -> str:
        """'without channel 2'."""
        numbers = [str(number + 1) for number, dropped in enumerate(drawn["dropped"][item].tolist()) if dropped]
        return f"without channel{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"


def _in_torchvision(params: ChannelDropParams, size: int) -> str:
    del size
    count = f"1 + int(torch.randint(min({params.most}, len(image) - 1), ())) if len(image) > 1 else 0"
    dropped = f"(torch.randperm(len(image)) < ({count}))[:, None, None]"
    return sometimes(f"v2.Lambda(lambda image: torch.where({dropped}, {IN_TORCH[params.fill]}, image))", params.p)


OP = OpInfo(
    name="channel_drop",
    title="Channel drop",
    group="color",
    help="Leaves out a channel at random, so that no single color or stain decides; nothing on gray images.",
    params=ChannelDropParams,
    build=ChannelDrop,
    ladders=(
        Ladder(
            name="channel_drop",
            title="Channel drop",
            params=lambda _: ChannelDropParams(p=1.0),
            words=lambda _: "one channel",
            steps=1,
        ),
    ),
    torchvision=_in_torchvision,
)
