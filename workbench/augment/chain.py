"""A chain of ops as training runs it: geometry gathered into one resampling, the rest op by op."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

    @property
    def is_resized_first(self) -> bool:
        """Whether there is no geometry, so that images are brought to the view's size ahead of all ops."""
        return self._runs[0].last == 0

    def side_at(self, place: int, stored: tuple[int, int]) -> tuple[int, int]:
        """(h, w) of what comes in to the op at a seam. stored: (H, W)."""
        return self.size if any(run.geometric and run.first < max(place, 1) for run in self._runs) else stored

    def seam(self, place: int) -> int:
        """The last place up to this one where a chain can be cut in two: not within a run of geometric ops."""
        return next((run.first for run in self._runs if run.geometric and run.first < place < run.last), place)

    def draw(self, keys: Tensor, shape: Shape, known: Drawing | None = None, count: int = 0) -> Drawing:
        """The draws for images of `shape` (C, H, W). keys: (n,) int64 (`sample_keys`).

        known: a drawing for the same keys and shape by a chain whose first `count` links are the same; these are taken.
        """
        draws = Draws(keys)
        drawn: list[Drawn] = []
        matrices: list[Tensor] = []
        whole = identity(len(keys))
        for run in self._runs:
            product: Tensor | None = None
            for position in range(run.first, run.last):
                link = self.links[position]
                if known is not None and position < count:
                    drawn.append(known.drawn[position])
                    product = known.matrices[position] if run.geometric else None
                    matrices.append(known.matrices[position])
                    continue
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
        return self.apply_links(images, drawing, 0, len(self.links), out)

    def apply_links(self, images: Tensor, drawing: Drawing, first: int, last: int, out: Tensor | None = None) -> Tensor:
        """Links first … last - 1 of a chain that is cut at seams, on what the links before made. See `apply`."""
        runs = self._between(first, last)
        latest = max((number for number, run in enumerate(runs) if run.geometric), default=-1)
        for number, run in enumerate(runs):
            if run.geometric:
                matrices = drawing.matrices[run.last - 1] if run.last > run.first else identity(len(images))
                images = resample(images, matrices, self.size, out if number == latest else None)
                continue
            if number == 0:  # Ops write into what they get, which must not be the caller's.
                images = images.clone() if out is None or latest >= 0 else out.copy_(images)
            for position in range(run.first, run.last):
                images = self.links[position].op.apply(images, drawing.drawn[position])
        return images

    def steps(self, image: Tensor, drawing: Drawing, known: Sequence[Step] = ()) -> list[Step]:
        """One image (1, C, H, W) after each op in turn; the last is what `apply` gives.

        known: the first of these steps, up to a seam.
        """
        texts = self.texts(drawing, 0)
        pictures = [step.image for step in known]
        if pictures:
            image = pictures[-1][None]
        for run in self._runs:
            before = image
            if run.geometric and run.first == run.last and not pictures:
                image = resample(before, identity(1), self.size)
            for position in range(max(run.first, len(known)), run.last):
                if run.geometric:
                    image = resample(before, drawing.matrices[position], self.size)
                else:
                    image = self.links[position].op.apply(image.clone(), drawing.drawn[position])
                pictures.append(image[0])
        return [Step(*text, picture) for text, picture in zip(texts, pictures, strict=True)]

    def _between(self, first: int, last: int) -> list[_Run]:
        """The runs, or parts of them, with links first … last - 1; the empty one has its place at the beginning."""
        return [
            replace(run, first=max(first, run.first), last=min(last, run.last))
            for run in self._runs
            if (run.first < last and run.last > first) or run.last == first == 0
        ]

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
