"""Which patches of an image a masked method hides, drawn on the images' own device.

A mask depends on the epoch and the image's number alone, not on its place in a batch, so that several processes draw
what one draws. The ops of `workbench.augment.masks` hide the same kinds of patches from every method, in the view
itself; here the method knows which, and leaves them out or asks for them.
"""

import math
import zlib
from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.augment.field import image_keys, uniform_field
from workbench.method.contract import Progress
from workbench.method.gather import smallest

_LAYOUTS = 8
_RECTANGLES = 48


@dataclass(frozen=True, slots=True)
class Draw:
    """Random numbers of images: of the epoch, the image's number (n,) int64, and the view's, alone."""

    images: Tensor
    epoch: int
    view: int = 0

    def keys(self, name: str) -> Tensor:
        """(n,) int64, for a field of numbers of this name."""
        return image_keys(self.images, self.epoch, self.view, zlib.crc32(name.encode()))

    def uniform(self, name: str, count: int) -> Tensor:
        """(n, count) float32 between 0 and 1; another name gives other numbers."""
        return uniform_field(self.keys(name), count)

    def integers(self, name: str, high: int) -> Tensor:
        """(n,) int64 from 0 to high - 1."""
        return (self.uniform(name, 1)[:, 0] * high).long()


def draw_of(indices: Tensor, progress: Progress, view: int = 0) -> Draw:
    """What a step draws for its images."""
    return Draw(indices, progress.epoch, view)


def fixed_draw(indices: Tensor) -> Draw:
    """What is drawn for pictures of a task: the same in every epoch."""
    return Draw(indices, 0)


@dataclass(frozen=True, slots=True)
class Split:
    """The patches of each image in two parts, each of one size for all images: (B, ·) int64, ascending."""

    visible: Tensor
    hidden: Tensor

    def mask(self) -> Tensor:
        """(B, N) bool, true where hidden."""
        count = self.visible.shape[1] + self.hidden.shape[1]
        return chosen(self.hidden, count)


def random_split(draw: Draw, count: int, ratio: float) -> Split:
    """Any round(ratio · count) of an image's patches hidden, at least one, and one visible (MAE, section 3)."""
    hidden = min(count - 1, max(1, round(ratio * count)))
    order = draw.uniform("patches", count).argsort(dim=1, stable=True)
    return Split(order[:, hidden:].sort(dim=1).values, order[:, :hidden].sort(dim=1).values)


def squares_mask(draw: Draw, grid: tuple[int, int], side: int, ratio: float) -> Tensor:
    """Squares of `side` × `side` patches hidden, round(ratio · squares) of them (SimMIM, section 3.2): (B, N) bool.

    Where the grid is no whole number of squares, those at the right and the bottom are narrower.
    """
    rows, columns = (-(-length // side) for length in grid)
    hidden = random_split(draw, rows * columns, ratio).mask() if rows * columns > 1 else None
    if hidden is None:
        return torch.ones(len(draw.images), grid[0] * grid[1], dtype=torch.bool, device=draw.images.device)
    squares = hidden.unflatten(1, (rows, columns))
    whole = squares.repeat_interleave(side, dim=1).repeat_interleave(side, dim=2)
    return whole[:, : grid[0], : grid[1]].flatten(1)


def rectangles_mask(draw: Draw, grid: tuple[int, int], most: float, *, name: str, largest: float = 0.3) -> Tensor:
    """Rectangles of patches until a share of them is hidden, drawn between most / 2 and `most` (SiT, section 3.1).

    Their sides are up to `largest` of the grid's, at least 1, and they may overlap: (B, N) bool, of various numbers.
    """
    inside = []
    for axis, length in (("rows", grid[0]), ("columns", grid[1])):
        size = 1 + (draw.uniform(f"{name} {axis} size", _RECTANGLES) * max(1, round(largest * length))).long()
        first = (draw.uniform(f"{name} {axis}", _RECTANGLES) * (length - size + 1)).long()
        inside.append(_within(first, size, length))
    each = (inside[0][..., :, None] & inside[1][..., None, :]).flatten(2)
    covered = torch.cat((torch.zeros_like(each[:, :1]), each), dim=1).cumsum(dim=1) > 0
    goal = most * (0.5 + 0.5 * draw.uniform(f"{name} share", 1)) * grid[0] * grid[1]
    enough = (covered.sum(dim=2) >= goal).long()
    enough[:, -1] = 1
    last = enough.argmax(dim=1)
    return covered[torch.arange(len(last), device=last.device), last]


@dataclass(frozen=True, slots=True)
class Blocks:
    """I-JEPA's parts of each image: context (B, M) and targets (B, blocks, K), numbers of patches, int64, ascending."""

    context: Tensor
    targets: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockShape:
    """How large a block is, as shares of all patches, and its ratio of height to width, each between two values.

    The authors' code takes one random number for both, so that large blocks are high ones; here there are two.
    """

    least: float
    most: float
    ratios: tuple[float, float] = (1.0, 1.0)

    def sides(self, grid: tuple[int, int], share: float, slant: float) -> tuple[int, int]:
        """Rows and columns, in one row and column less than the grid has: `share` and `slant` from 0 to 1."""
        area = int(grid[0] * grid[1] * (self.least + share * (self.most - self.least)))
        ratio = self.ratios[0] + slant * (self.ratios[1] - self.ratios[0])
        rows, columns = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        return min(max(1, rows), max(1, grid[0] - 1)), min(max(1, columns), max(1, grid[1] - 1))


def multi_block(
    draw: Draw,
    generator: torch.Generator,
    grid: tuple[int, int],
    *,
    blocks: int,
    target: BlockShape,
    context: BlockShape,
) -> Blocks:
    """Several target blocks, and a large context block less the targets (I-JEPA, section 3 and appendix A).

    Sides are drawn for the batch, with `generator`; places for each image. Of each context as many patches are kept,
    drawn from it, as the smallest of the batch has in any process. Of a few layouts an image gets the first that
    leaves a context of a quarter of the patches, or else the one that leaves most.
    """
    count = grid[0] * grid[1]
    sides, around = (shape.sides(grid, *torch.rand(2, generator=generator).tolist()) for shape in (target, context))
    places = _rectangles(draw, "target", sides, grid, _LAYOUTS * blocks).unflatten(1, (_LAYOUTS, blocks))
    free = _rectangles(draw, "context", around, grid, _LAYOUTS) & ~places.any(dim=2)
    left = free.sum(dim=2)
    layout = left.clamp(max=max(1, count // 4)).argmax(dim=1)  # The first of the largest, which all long ones are.
    images = torch.arange(len(layout), device=layout.device)
    free, places = free[images, layout], places[images, layout]
    kept = max(1, smallest(free.sum(dim=1)))
    lot = draw.uniform("kept", count).masked_fill(~free, 2.0)
    return Blocks(
        context=lot.argsort(dim=1, stable=True)[:, :kept].sort(dim=1).values,
        targets=places.int().argsort(dim=2, descending=True, stable=True)[..., : sides[0] * sides[1]],
    )


def _rectangles(draw: Draw, name: str, sides: tuple[int, int], grid: tuple[int, int], count: int) -> Tensor:
    """`count` blocks of one size anywhere in the grid: (B, count, N) bool."""
    inside = []
    for axis, side, length in zip(("row", "column"), sides, grid, strict=True):
        first = (draw.uniform(f"{name} {axis}", count) * (length - side + 1)).long()
        inside.append(_within(first, torch.full_like(first, side), length))
    return (inside[0][..., :, None] & inside[1][..., None, :]).flatten(2)


def _within(first: Tensor, size: Tensor, length: int) -> Tensor:
    """(...) first places and sizes to (..., length) bool."""
    at = torch.arange(length, device=first.device)
    return (at >= first[..., None]) & (at < (first + size)[..., None])


def chosen(places: Tensor, count: int) -> Tensor:
    """(B, M) numbers of patches as (B, count) bool."""
    mask = torch.zeros(len(places), count, dtype=torch.bool, device=places.device)
    return mask.scatter(1, places, value=True)


def take(tokens: Tensor, places: Tensor) -> Tensor:
    """Of (B, N, d) those at `places` (B, M): (B, M, d)."""
    return tokens.gather(1, places[..., None].expand(-1, -1, tokens.shape[2]))


def put(tokens: Tensor, places: Tensor, count: int) -> Tensor:
    """(B, M, d) at their `places` (B, M) among `count`: (B, count, d), 0 elsewhere. The way back from `take`."""
    whole = tokens.new_zeros(len(tokens), count, tokens.shape[2])
    return whole.scatter(1, places[..., None].expand(-1, -1, tokens.shape[2]), tokens)
