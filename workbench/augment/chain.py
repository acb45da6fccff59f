"""A chain of ops as training runs it: geometry gathered into one resampling, the rest op by op."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.geometry import compose, corners, identity, resample
from workbench.augment.op import Drawn, GeometricOp, Op

Shape = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Link:
    """An op at its place. `occurrence` counts the ops of the same name before it, switched off or not."""

    name: str
    title: str
    op: Op[Any]
    occurrence: int = 0


class OpText(NamedTuple):
    """What an op drew for one image, in words."""

    op: str
    title: str
    text: str


class Step(NamedTuple):
    """One image (C, h, w) after an op."""

    op: str
    title: str
    text: str
    image: Tensor


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Everything that a chain drew for n images, one entry per link; images [a, b) of it are `part(a, b)`.

    matrices: (n, 3, 3) per link, of the run of geometric ops up to this one. corners: (n, 4, 2), where the
    view's corners lie on the stored image, in [0, 1].
    """

    drawn: tuple[Drawn, ...]
    matrices: tuple[Tensor, ...]
    corners: Tensor

    def part(self, first: int, last: int) -> "Drawing":
        """The draws of images first … last - 1."""
        return Drawing(
            drawn=tuple({name: value[first:last] for name, value in drawn.items()} for drawn in self.drawn),
            matrices=tuple(matrices[first:last] for matrices in self.matrices),
            corners=self.corners[first:last],
        )


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Links first … last - 1 of a chain: all geometric (one resampling), or all not."""

    first: int
    last: int
    geometric: bool


class Chain:
    """Ops in order, and the size of the view that they make.

    Consecutive geometric ops become one matrix per image and one resampling; the first such run also
    brings the image to the view's size (ops ahead of it work at the stored size). A chain without
    geometry resizes first. An op that touches none of the images costs nothing.

    So what a crop cut away is there again for a rotation after it, where torchvision turns black corners
    in; only what lies outside the stored image is black.
    """

    def __init__(self, links: Sequence[Link], size: int) -> None:
        self.links = tuple(links)
        self.size = (size, size)
        self._runs = _runs([isinstance(link.op, GeometricOp) for link in self.links])

    def draw(self, keys: Tensor, shape: Shape) -> Drawing:
        """The draws for images of `shape` (C, H, W). keys: (n,) int64 (`sample_keys`)."""
        draws = Draws(keys)
        drawn: list[Drawn] = []
        matrices: list[Tensor] = []
        whole = identity(len(keys))
        for run in self._runs:
            product: Tensor | None = None
            for link in self.links[run.first : run.last]:
                drawn.append(link.op.draw(draws.for_op(link.name, link.occurrence), shape))
                if isinstance(link.op, GeometricOp):
                    matrix = link.op.matrices(drawn[-1], shape)
                    product = matrix if product is None else compose(product, matrix)
                matrices.append(whole if product is None else product)
            if product is not None:
                whole = compose(whole, product)
            if run.geometric:
                shape = (shape[0], *self.size)
        return Drawing(drawn=tuple(drawn), matrices=tuple(matrices), corners=corners(whole).float())

    def apply(self, images: Tensor, drawing: Drawing, out: Tensor | None = None) -> Tensor:
        """(n, C, H, W) float32 in [0, 1], not written to; returns views (n, C, h, w) float32 in [0, 1].

        They are written to `out` where it is given: contiguous, of the views' shape.
        """
        last = max(number for number, run in enumerate(self._runs) if run.geometric)
        for number, run in enumerate(self._runs):
            if run.geometric:
                matrices = drawing.matrices[run.last - 1] if run.last > run.first else identity(len(images))
                images = resample(images, matrices, self.size, out if number == last else None)
                continue
            if number == 0:  # Ops write into what they get, which must not be the caller's.
                images = images.clone()
            for position in range(run.first, run.last):
                images = self.links[position].op.apply(images, drawing.drawn[position])
        return images

    def steps(self, image: Tensor, drawing: Drawing) -> list[Step]:
        """One image (1, C, H, W) after each op in turn; the last is what `apply` gives."""
        texts = self.texts(drawing, 0)
        pictures: list[Tensor] = []
        for run in self._runs:
            before = image
            if run.geometric and run.first == run.last:
                image = resample(before, identity(1), self.size)
            for position in range(run.first, run.last):
                if run.geometric:
                    image = resample(before, drawing.matrices[position], self.size)
                else:
                    image = self.links[position].op.apply(image.clone(), drawing.drawn[position])
                pictures.append(image[0])
        return [Step(*text, picture) for text, picture in zip(texts, pictures, strict=True)]

    def texts(self, drawing: Drawing, item: int) -> list[OpText]:
        """What every op drew for one image."""
        return [
            OpText(link.name, link.title, link.op.describe(drawn, item))
            for link, drawn in zip(self.links, drawing.drawn, strict=True)
        ]


def _runs(geometric: Sequence[bool]) -> tuple[_Run, ...]:
    """Where a chain's resamplings are; an empty one comes first where there is no other."""
    runs = [] if any(geometric) else [_Run(first=0, last=0, geometric=True)]
    position = 0
    for kind, members in groupby(geometric):
        last = position + len(list(members))
        runs.append(_Run(first=position, last=last, geometric=kind))
        position = last
    return tuple(runs)
