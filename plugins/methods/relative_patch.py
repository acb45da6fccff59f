"""Relative patch position (context prediction): where does this patch lie, seen from that one?"""

import math
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.exam import Answers
from workbench.method.exhibit import Panel
from workbench.method.losses.labels import accuracy, cross_entropy
from workbench.method.masking import Draw, draw_of, fixed_draw
from workbench.method.precautions import Precaution, left_of
from workbench.method.tiles import cut, laid, readable
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param

_AROUND = (0, 1, 2, 3, 5, 6, 7, 8)
"""Cells of a 3 × 3 grid around the middle one, in the order of their numbers as answers."""
_MIDDLE = 4
_WANDER = 0.3
"""Of the room in its cell, so that two thirds of the gap stay (section 3: 48 px, ± 7)."""
_WORDS = ("above left", "above", "above right", "left", "right", "below left", "below", "below right")


class RelativePatchParams(Params, frozen=True, kw_only=True):
    """Parameters of relative patch position."""

    gap: Annotated[
        float,
        param("Share of a grid cell's side that its patch leaves free, so that edges do not run on.", ge=0, le=0.6),
    ] = 0.3
    colors: Annotated[
        Literal["drop", "project", "keep"],
        param(
            "Against the fringes that lenses leave, which tell where a patch is: drop all channels but one, take out "
            "the difference of green and magenta (of three channels), or keep the colors."
        ),
    ] = "drop"
    hidden: Annotated[int, param("Width of the layer that compares two patches.", ge=8, le=4096, advanced=True)] = 512


class RelativePatch(Method):
    """Cross-entropy over the eight places around a patch (Doersch et al. 2015, sections 3 and 3.1).

    The middle patch and one of its neighbors go through the encoder, and the head sees the features of both. Where a
    channel is left, the others are 0, the mean color, in place of the faint noise of the paper.
    """

    def __init__(self, encoder: Encoder, params: RelativePatchParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.pair = nn.Linear(2 * encoder.dim, params.hidden)
        self.norm = nn.BatchNorm1d(params.hidden)
        self.head = nn.Linear(params.hidden, len(_AROUND))
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """One neighbor of the middle patch of every view."""
        middles, others, places = [], [], []
        for number, view in enumerate(batch.views):
            draw = draw_of(batch.indices, progress, number)
            tiles, place = self._cut(view, draw), draw.integers("place", len(_AROUND))
            middles.append(tiles[:, _MIDDLE])
            others.append(_neighbor(tiles, place))
            places.append(place)
        logits, labels = self._answered(torch.cat(middles), torch.cat(others)), torch.cat(places)
        return Loss(value=cross_entropy(logits, labels), parts=detached(accuracy=accuracy(logits, labels)))

    def exam(self, batch: Batch, progress: Progress) -> tuple[Answers, ...]:
        """All eight neighbors of every image."""
        del progress
        tiles = self._cut(batch.views[0], fixed_draw(batch.indices))
        asked = torch.arange(len(_AROUND), device=tiles.device)
        right = [
            (self._answered(tiles[:, _MIDDLE], _neighbor(tiles, place.expand(len(tiles)))).argmax(dim=1) == place)
            for place in asked
        ]
        return (Answers(task="patch position", right=torch.stack(right).float().mean(dim=0), chance=1 / len(_AROUND)),)

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The middle patch beside one of its neighbors, where that one was, and where the network puts it."""
        del progress
        view, draw = batch.views[0], fixed_draw(batch.indices)
        tiles, place = self._cut(view, draw), draw.integers("place", len(_AROUND))
        middle, other, size = tiles[:, _MIDDLE], _neighbor(tiles, place), view.shape[-1]
        said = self._answered(middle, other).argmax(dim=1)
        return (
            Panel(part="input", title="Two patches", images=_beside(middle, other, size)),
            Panel(
                part="target", title="Where it was", images=_placed(middle, other, place, size), captions=_words(place)
            ),
            Panel(
                part="answer",
                title="Where it is put",
                images=_placed(middle, other, said, size),
                captions=_words(said),
                right=tuple((said == place).tolist()),
            ),
        )

    def _cut(self, view: Tensor, draw: Draw) -> Tensor:
        """(B, 9, C, t, t), with the colors that the network may see."""
        channels = view.shape[1]
        if self.params.colors == "drop" and channels > 1:
            kept = F.one_hot(draw.integers("channel", channels), channels)
            view = view * kept[:, :, None, None]
        elif self.params.colors == "project" and channels == 3:
            view = torch.einsum("bchw,cd->bdhw", view, _without_fringes().to(view))
        return cut(view, 3, self.params.gap, draw, wander=_WANDER)

    def _answered(self, middle: Tensor, other: Tensor) -> Tensor:
        """Logits (B, 8)."""
        features = self.encoder(readable(torch.cat((middle, other))))
        both = torch.cat(features.chunk(2), dim=1)
        logits: Tensor = self.head(F.relu(self.norm(self.pair(both))))
        return logits


def _without_fringes() -> Tensor:
    """I − aᵀa / aaᵀ with a = (−1, 2, −1), the axis of green and magenta (section 3.1): (3, 3)."""
    axis = torch.tensor([-1.0, 2.0, -1.0])
    return torch.eye(3) - torch.outer(axis, axis) / axis.dot(axis)


def _neighbor(tiles: Tensor, place: Tensor) -> Tensor:
    """(B, C, t, t): of each image the tile at this place (B,), an index of `_AROUND`."""
    cells = torch.tensor(_AROUND, device=tiles.device)[place]
    return tiles[torch.arange(len(tiles), device=tiles.device), cells]


def _placed(middle: Tensor, other: Tensor, place: Tensor, size: int) -> Tensor:
    """A picture (B, C, size, size) with the other patch at a place around the middle one."""
    cells = torch.tensor(_AROUND, device=place.device)[place]
    blank = torch.zeros_like(middle)
    tiles = torch.stack([blank] * 7 + [middle, other], dim=1)
    free = [[cell for cell in range(9) if cell not in (_MIDDLE, taken)] for taken in cells.tolist()]
    order = torch.tensor([[*rest, _MIDDLE, taken] for rest, taken in zip(free, cells.tolist(), strict=True)])
    return laid(tiles, order, size)


def _beside(middle: Tensor, other: Tensor, size: int) -> Tensor:
    """A picture (B, C, size, size) of the two patches, which does not tell where the other one was."""
    side, picture = middle.shape[-1], middle.new_zeros(len(middle), middle.shape[1], size, size)
    top, gap = (size - side) // 2, (size - 2 * side) // 3
    picture[:, :, top : top + side, gap : gap + side] = middle
    picture[:, :, top : top + side, 2 * gap + side : 2 * gap + 2 * side] = other
    return picture


def _words(places: Tensor) -> tuple[str, ...]:
    return tuple(_WORDS[place] for place in places.tolist())


def _chance(params: RelativePatchParams, setting: Setting) -> float:
    del params, setting
    return math.log(len(_AROUND))


METHOD = MethodInfo(
    name="relative_patch",
    title="Relative patch position",
    family="puzzle",
    paper="arXiv:1505.05192",
    year=2015,
    summary="Shows two patches of an image and asks where the second one lies, seen from the first.",
    explanation="Two patches that lie side by side are cut from an image, and the network must say in which of eight "
    "directions the second one lies. Who knows that an ear is above an eye and a wheel below a door can tell. This "
    "was the first puzzle. Networks look for shortcuts: lines that run on, and the fringes of color that lenses leave "
    "towards the edges of a photograph; so patches have gaps, vary in place, and show one channel alone.",
    when="For photographs of things with parts that have their places. Not for textures, satellite tiles or cells, "
    "where every direction is as likely, nor for images below 48 px, whose patches show little.",
    collapse="Stays at ln 8 = 2.08, with an accuracy of 12.5 %, where nothing is learned. A loss near 0 within a few "
    "epochs while kNN gets no better is a sign of a shortcut: raise the gap, and leave 'colors' at drop.",
    params=RelativePatchParams,
    build=RelativePatch,
    tags=("one view",),
    min_batch=2,
    global_views=1,
    exhibits=True,
    preset="rotation",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=1e-4,
        source="Doersch et al. 2015, sections 3 and 3.1 (gap of half a patch, jitter, channels dropped); trained there "
        "by SGD on ImageNet for weeks, AdamW reaches as much in a short run",
    ),
    chance_loss=_chance,
    precautions=left_of(
        Precaution(parameter="gap", most=0.6, why="so that lines do not run on from patch to patch"),
        Precaution(parameter="colors", choice="drop", why="so that fringes of color do not tell", of_color=True),
    ),
)
