"""Jigsaw: cut an image into tiles, shuffle them, and say which shuffle it was."""

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.exam import Answers
from workbench.method.exhibit import Panel
from workbench.method.losses.labels import accuracy, cross_entropy
from workbench.method.masking import Draw, draw_of, fixed_draw
from workbench.method.permutations import far_apart
from workbench.method.precautions import Precaution, left_of
from workbench.method.tiles import cut, grayed, laid, readable, standardized
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class JigsawParams(Params, frozen=True, kw_only=True):
    """Parameters of the jigsaw."""

    permutations: Annotated[
        int,
        param(
            "Shuffles among which it must tell, as unlike each other as can be; more are harder.",
            ge=2,
            le=2000,
            logarithmic=True,
        ),
    ] = 100
    per_side: Annotated[int, param("Tiles in a row, and in a column.", ge=2, le=3, title="tiles a side")] = 3
    gap: Annotated[
        float,
        param(
            "Share of a grid cell's side that its tile leaves free, so that edges do not give them away.", ge=0, le=0.5
        ),
    ] = 0.15
    gray: Annotated[
        float, param("Share of images that are shown in gray, so that colors do not give tiles away.", ge=0, le=1)
    ] = 0.3
    standardize: Annotated[
        bool, param("Take brightness and contrast out of every tile, so that they do not give tiles away.")
    ] = True
    hidden: Annotated[int, param("Numbers that are kept of each tile.", ge=8, le=4096, advanced=True)] = 256


class Jigsaw(Method):
    """Cross-entropy over the permutations of tiles (Noroozi & Favaro 2016, eq. 3 and section 3.3).

    Every tile goes through the encoder alone (context-free), and only the head sees them together.
    """

    order: Tensor

    def __init__(self, encoder: Encoder, params: JigsawParams, setting: Setting) -> None:
        super().__init__()
        del setting
        tiles = params.per_side**2
        self.encoder = encoder
        self.register_buffer("order", torch.from_numpy(far_apart(tiles, params.permutations).copy()))
        self.tile_head = nn.Linear(encoder.dim, params.hidden)
        self.head = nn.Linear(tiles * params.hidden, len(self.order))
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """One shuffle of every view."""
        asked = [self._asked(view, draw_of(batch.indices, progress, number)) for number, view in enumerate(batch.views)]
        logits = torch.cat([self._answered(tiles) for tiles, _ in asked])
        labels = torch.cat([chosen for _, chosen in asked])
        return Loss(value=cross_entropy(logits, labels), parts=detached(accuracy=accuracy(logits, labels)))

    def exam(self, batch: Batch, progress: Progress) -> tuple[Answers, ...]:
        """One shuffle of every image, always the same."""
        del progress
        tiles, chosen = self._asked(batch.views[0], fixed_draw(batch.indices))
        right = (self._answered(tiles).argmax(dim=1) == chosen).float()
        return (Answers(task="jigsaw", right=right, chance=1 / len(self.order)),)

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The shuffled tiles, the image, and the tiles where the network puts them."""
        del progress
        view = batch.views[0]
        tiles, chosen = self._asked(view, fixed_draw(batch.indices))
        said = self._answered(tiles).argmax(dim=1)
        order, laid_out = self.order[chosen], self.order[said]
        here = torch.arange(tiles.shape[1], device=view.device).expand_as(order)
        placed = (order == laid_out).sum(dim=1).tolist()
        return (
            Panel(part="input", title="Shuffled", images=laid(tiles, here, view.shape[-1])),
            Panel(part="target", title="As it was", images=laid(tiles, order, view.shape[-1])),
            Panel(
                part="answer",
                title="As it is laid",
                images=laid(tiles, laid_out, view.shape[-1]),
                captions=tuple(f"{count} of {tiles.shape[1]} in place" for count in placed),
                right=tuple((said == chosen).tolist()),
            ),
        )

    def _asked(self, view: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """Tiles (B, n, C, t, t) in their shuffled order, and the number (B,) of the permutation."""
        chosen = draw.integers("permutation", len(self.order))
        shown = grayed(view, draw.uniform("gray", 1)[:, 0] < self.params.gray)
        tiles = cut(shown, self.params.per_side, self.params.gap, draw)
        order = self.order[chosen][:, :, None, None, None]
        return tiles.gather(1, order.expand(-1, -1, *tiles.shape[2:])), chosen

    def _answered(self, tiles: Tensor) -> Tensor:
        """Logits (B, permutations)."""
        count = tiles.shape[1]
        each = readable(tiles.flatten(0, 1))
        features = self.encoder(standardized(each) if self.params.standardize else each)
        logits: Tensor = self.head(F.relu(self.tile_head(features)).unflatten(0, (-1, count)).flatten(1))
        return logits


def _chance(params: JigsawParams, setting: Setting) -> float:
    del setting
    return math.log(min(params.permutations, math.factorial(params.per_side**2)))


METHOD = MethodInfo(
    name="jigsaw",
    title="Jigsaw",
    family="puzzle",
    paper="arXiv:1603.09246",
    year=2016,
    summary="Shuffles the tiles of each image and learns to say how they lay.",
    explanation="An image is cut into nine tiles, shuffled in one of a hundred ways, and the network must say "
    "in which. To lay a wheel below a door it must know wheels and doors, and how they belong together. Each tile is "
    "looked at alone, so that what the network learns is to see what is in a tile; only a small head compares them. "
    "Gaps between tiles, tiles in gray and without their brightness keep it from matching edges and colors instead.",
    when="For images with parts that have their places: faces, animals, vehicles, rooms, organs. Not for textures, "
    "satellite tiles or cells, where any arrangement is as likely, nor for images below 48 px: tiles show little.",
    collapse="The loss stays at ln(permutations), 4.61 for 100, and the accuracy at 1 %, where nothing is learned. A "
    "loss near 0 within a few epochs while kNN gets no better is a sign of a shortcut: raise the gap or the share of "
    "gray, and crop dark borders. Where all images show the same arrangement (X-rays), it may just be easy.",
    params=JigsawParams,
    build=Jigsaw,
    tags=("one view",),
    min_batch=1,
    global_views=1,
    exhibits=True,
    preset="rotation",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=1e-4,
        source="Noroozi & Favaro 2016, section 3.3 (gap of 11 in 75 px, gray tiles 30 %, tiles standardized); they and "
        "VISSL train AlexNet and ResNet-50 by SGD, AdamW reaches as much in a short run",
    ),
    chance_loss=_chance,
    precautions=left_of(
        Precaution(parameter="gap", most=0.5, why="so that lines do not run on from tile to tile"),
        Precaution(parameter="gray", most=1, why="so that colors and their fringes do not tell", of_color=True),
        Precaution(parameter="standardize", choice=True, why="so that brightness does not tell"),
    ),
)
