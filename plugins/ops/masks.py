"""Masks of patches, at random or in blocks, as masked modelling hides them."""

from typing import Annotated

from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.fill import IN_TORCH, Fill, filled
from workbench.augment.masks import block_mask, on_pixels, random_mask
from workbench.augment.moving import moved
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.spec.params import Params, param


class RandomMaskParams(Params, frozen=True, kw_only=True):
    """How fine, how much, with what, and how often."""

    patches: Annotated[int, param("Patches along a side.", ge=2, le=64)] = 8
    ratio: Annotated[float, param("Share of the patches that is hidden.", ge=0, le=0.95)] = 0.6
    fill: Annotated[Fill, param("What stands in their place; mean is the image's own color.")] = "gray"
    p: Probability = 1.0


class BlockMaskParams(Params, frozen=True, kw_only=True):
    """How fine, how much, with what, and how often."""

    patches: Annotated[int, param("Patches along a side.", ge=2, le=64)] = 14
    ratio: Annotated[float, param("Share of the patches that is hidden.", ge=0, le=0.95)] = 0.4
    smallest: Annotated[int, param("Patches of a block, at least.", ge=1, le=64, advanced=True)] = 4
    fill: Annotated[Fill, param("What stands in their place; mean is the image's own color.")] = "gray"
    p: Probability = 1.0


def _hidden(images: Tensor, drawn: Drawn, fill: Fill) -> Tensor:
    """New images, filled where 'mask' (n, patches, patches) says so."""
    height, width = images.shape[2:]
    hidden = moved(on_pixels(drawn["mask"], height, width)[:, None], images.device)
    return filled(images, hidden, fill, drawn["key"])


def _share(drawn: Drawn, item: int) -> str:
    return f"{100 * float(drawn['mask'][item].float().mean()):.0f} % hidden"


class RandomMask(Op[RandomMaskParams]):
    """Any patches, always the same number of them."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The mask. No more patches than pixels."""
        side = min(self.params.patches, *shape[1:])
        mask = random_mask(draws, side, side, self.params.ratio)
        return {"on": draws.flags(self.params.p), "mask": mask, "key": draws.words("field")}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        return _hidden(images, drawn, self.params.fill)

    def words(self, drawn: Drawn, item: int) -> str:
        """'60 % hidden'."""
        return _share(drawn, item)


class BlockMask(Op[BlockMaskParams]):
    """Blocks of patches (BEiT)."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The mask. No more patches than pixels."""
        side = min(self.params.patches, *shape[1:])
        mask = block_mask(draws, side, side, self.params.ratio, smallest=self.params.smallest)
        return {"on": draws.flags(self.params.p), "mask": mask, "key": draws.words("field")}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        return _hidden(images, drawn, self.params.fill)

    def words(self, drawn: Drawn, item: int) -> str:
        """'60 % hidden'."""
        return _share(drawn, item)


def _random_in_torchvision(params: RandomMaskParams, size: int) -> str:
    side = min(params.patches, size)
    hidden = f"(torch.randperm({side * side}) < {round(params.ratio * side * side)}).view({side}, {side})"
    place = f"(torch.arange({size}) // {max(1, size // side)}).clamp(max={side - 1})"
    masked = f"(lambda hidden, place: torch.where(hidden[place][:, place], {IN_TORCH[params.fill]}, image))"
    return sometimes(f"v2.Lambda(lambda image: {masked}({hidden}, {place}))", params.p)


OPS = (
    OpInfo(
        name="random_mask",
        title="Random mask",
        group="masking",
        help="Hides random patches, so that the network must complete what it does not see.",
        params=RandomMaskParams,
        build=RandomMask,
        ladders=(
            Ladder(
                name="random_mask",
                title="Random mask",
                params=lambda strength: RandomMaskParams(ratio=0.9 * strength),
                words=lambda strength: f"{90 * strength:.0f} % hidden",
            ),
        ),
        torchvision=_random_in_torchvision,
    ),
    OpInfo(
        name="block_mask",
        title="Block mask",
        group="masking",
        help="Hides whole blocks of patches, which cannot be completed from the nearest neighbors alone.",
        params=BlockMaskParams,
        build=BlockMask,
        ladders=(
            Ladder(
                name="block_mask",
                title="Block mask",
                params=lambda strength: BlockMaskParams(ratio=0.8 * strength),
                words=lambda strength: f"{80 * strength:.0f} % hidden",
            ),
        ),
    ),
)
