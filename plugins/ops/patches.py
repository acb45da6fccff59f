"""Patches of an image in another order, missing, or in each other's place."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.fill import Fill, filled
from workbench.augment.masks import rectangle_mask
from workbench.augment.moving import moved
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability
from workbench.spec.params import Params, param


class PatchShuffleParams(Params, frozen=True, kw_only=True):
    """How fine, and how often."""

    patches: Annotated[int, param("Patches along a side.", ge=2, le=16)] = 3
    p: Probability = 0.5


class PatchShuffle(Op[PatchShuffleParams]):
    """The patches of a grid change places; what is left over at the right and lower rim stays where it is."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """'order' (n, patches²): from where each patch comes. No more patches than pixels."""
        side = min(self.params.patches, *shape[1:])
        return {"on": draws.flags(self.params.p), "order": draws.order("order", side * side)}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        n, channels, height, width = images.shape
        order = moved(drawn["order"], images.device)
        side = round(order.shape[1] ** 0.5)
        tall, wide = height // side, width // side
        inner = images[:, :, : side * tall, : side * wide]
        patches = inner.reshape(n, channels, side, tall, side, wide).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
        laid = patches[torch.arange(n, device=images.device)[:, None], order]
        grid = laid.view(n, side, side, channels, tall, wide).permute(0, 3, 1, 4, 2, 5)
        result = images.clone()
        result[:, :, : side * tall, : side * wide] = grid.reshape(n, channels, side * tall, side * wide)
        return result

    def words(self, drawn: Drawn, item: int) -> str:
        """'9 patches'."""
        del item
        return f"{drawn['order'].shape[1]} patches"


class PatchDropParams(Params, frozen=True, kw_only=True):
    """How much, with what, and how often."""

    share: Annotated[tuple[float, float], param("Smallest and largest share that goes.", ge=0, le=0.9)] = (0.1, 0.5)
    largest: Annotated[float, param("Longest side of a patch, as a share.", ge=0.05, le=1, advanced=True)] = 0.3
    fill: Annotated[Fill, param("What stands in their place; mean is the image's own color.")] = "noise"
    p: Probability = 0.5


class PatchDrop(Op[PatchDropParams]):
    """Rectangles are filled until a share of the image is gone (SiT, arXiv:2104.03602)."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """'mask' (n, h, w)."""
        share = draws.uniform("share", *self.params.share)
        mask = rectangle_mask(draws, shape[1], shape[2], share, largest=self.params.largest)
        return {"on": draws.flags(self.params.p), "mask": mask, "key": draws.words("field")}

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        return filled(images, moved(drawn["mask"][:, None], images.device), self.params.fill, drawn["key"])

    def words(self, drawn: Drawn, item: int) -> str:
        """'32 % gone'."""
        return f"{100 * float(drawn['mask'][item].float().mean()):.0f} % gone"


class PatchReplaceParams(Params, frozen=True, kw_only=True):
    """How much, and how often."""

    share: Annotated[tuple[float, float], param("Smallest and largest share that is replaced.", ge=0, le=0.9)] = (
        0.1,
        0.5,
    )
    largest: Annotated[float, param("Longest side of a patch, as a share.", ge=0.05, le=1, advanced=True)] = 0.3
    p: Probability = 0.5


class PatchReplace(Op[PatchReplaceParams]):
    """Rectangles show another place of the same image.

    SiT takes them from another image. Here a view depends on its own image alone, so that it is the same in
    every batch; the image is moved by a random way, around its edges, and shows through the rectangles.
    """

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """'mask' (n, h, w), and how far the image that shows through is moved, 'down' and 'right' in pixels."""
        share = draws.uniform("share", *self.params.share)
        # A quarter of the side at least, so that nobody sees the same again.
        move = [side // 4 + draws.integers(slot, max(1, side // 2)) for slot, side in zip("yx", shape[1:], strict=True)]
        return {
            "on": draws.flags(self.params.p),
            "mask": rectangle_mask(draws, shape[1], shape[2], share, largest=self.params.largest),
            "down": move[0],
            "right": move[1],
        }

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        moves = zip(drawn["down"].tolist(), drawn["right"].tolist(), strict=True)
        rolled = [image.roll(move, dims=(1, 2)) for image, move in zip(images, moves, strict=True)]
        return torch.stack(rolled).where(moved(drawn["mask"][:, None], images.device), images)

    def words(self, drawn: Drawn, item: int) -> str:
        """'32 % replaced'."""
        return f"{100 * float(drawn['mask'][item].float().mean()):.0f} % replaced"


def _patches(strength: float) -> int:
    return max(2, round(8 * strength))


OPS = (
    OpInfo(
        name="patch_shuffle",
        title="Patch shuffle",
        group="masking",
        help="Changes the places of patches, so that parts count and not their arrangement.",
        params=PatchShuffleParams,
        build=PatchShuffle,
        ladders=(
            Ladder(
                name="patch_shuffle",
                title="Patch shuffle",
                params=lambda strength: PatchShuffleParams(patches=_patches(strength), p=1.0),
                words=lambda strength: f"{_patches(strength)} × {_patches(strength)} patches",
            ),
        ),
    ),
    OpInfo(
        name="patch_drop",
        title="Patch drop",
        group="masking",
        help="Removes rectangles of any size, so that the network learns to do without any one part.",
        params=PatchDropParams,
        build=PatchDrop,
        ladders=(
            Ladder(
                name="patch_drop",
                title="Patch drop",
                params=lambda strength: PatchDropParams(share=(0.8 * strength, 0.8 * strength), p=1.0),
                words=lambda strength: f"{80 * strength:.0f} % gone",
            ),
        ),
    ),
    OpInfo(
        name="patch_replace",
        title="Patch replace",
        group="masking",
        help="Puts other parts of the same image into rectangles, so that what belongs together is learned.",
        params=PatchReplaceParams,
        build=PatchReplace,
        ladders=(
            Ladder(
                name="patch_replace",
                title="Patch replace",
                params=lambda strength: PatchReplaceParams(share=(0.8 * strength, 0.8 * strength), p=1.0),
                words=lambda strength: f"{80 * strength:.0f} % replaced",
            ),
        ),
    ),
)
