"""The view plan: from a batch of stored pixels to every view of every image.

The Views page and training call the same code here, keyed by (seed, epoch, image, view): what is shown
is, to the pixel, what is fed.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from workbench.augment.chain import Chain, Drawing, Link, OpText, Step
from workbench.augment.draws import sample_keys
from workbench.augment.op import OpInfo
from workbench.augment.pixels import LEVELS, as_floats, as_levels
from workbench.augment.takes import Start, Takes
from workbench.spec.errors import NotFoundError, SpecError, suggestion
from workbench.spec.experiment import OpSpec, Role, ViewSpec
from workbench.spec.params import convert

# On a CPU, images go through the whole chain in parts: small enough for its cache, large enough that the calls do
# not count (at 224 px, parts of a quarter of this size take a third longer).
_PART_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True)
class ShownView:
    """One view of n images as pictures, with what was drawn for it.

    pictures: (n, h, w, C) uint8 on the CPU, as `as_levels` makes them. texts: per image, what each op drew.
    """

    name: str
    role: Role
    pictures: Tensor
    drawing: Drawing
    texts: list[list[OpText]]

    @property
    def corners(self) -> Tensor:
        """(n, 4, 2), top left first, clockwise, on the stored image in [0, 1]."""
        return self.drawing.corners


class ViewPlan:
    """Every view kind with its chain, built and checked.

    A kind of count 2 named 'global' makes the views 'global 1' and 'global 2'; `names`, `roles`, `sizes`
    and `kinds` (the place of its kind in `views`) have one entry per view. Raises `SpecError` with the
    dotted path of a bad parameter, `NotFoundError` for an op that does not exist.
    """

    def __init__(self, views: Sequence[ViewSpec], ops: Mapping[str, OpInfo[Any]]) -> None:
        if not views:
            raise SpecError("there must be at least one kind of view", where="views")
        chains = [Chain(_links(view.chain, ops, f"views[{number}]"), view.size) for number, view in enumerate(views)]
        self.kinds = tuple(number for number, view in enumerate(views) for _ in range(view.count))
        self.names = tuple(name for view in views for name in _names(view))
        self.roles: tuple[Role, ...] = tuple(views[kind].role for kind in self.kinds)
        self.sizes = tuple(views[kind].size for kind in self.kinds)
        self._chains = tuple(chains[kind] for kind in self.kinds)

    @torch.no_grad()
    def make(self, pixels: Tensor, *, seed: int, epoch: int, ids: Tensor, together: bool | None = None) -> list[Tensor]:
        """Every view of a batch: (n, C, h, w) float32 in [0, 1] each, on the device of the pixels.

        pixels: (n, C, S, S) uint8 or uint16. ids: (n,) int64, who the images are (`data.identity`). together: whether
        all copies of a kind are made at once, unless said otherwise only on a GPU: the views are the same.
        """
        if pixels.device.type != "cpu" if together is None else together:
            return self._made_by_kind(pixels, seed=seed, epoch=epoch, ids=ids)
        drawings = self._drawings(pixels, seed=seed, epoch=epoch, ids=ids)
        channels = pixels.shape[1]
        views = [pixels.new_empty((len(pixels), channels, size, size), dtype=torch.float32) for size in self.sizes]

        def fill(first: int, last: int) -> None:
            images = as_floats(pixels[first:last])
            for view, chain, drawing in zip(views, self._chains, drawings, strict=True):
                chain.apply(images, drawing.part(first, last), view[first:last])

        self._in_parts(pixels, fill)
        return views

    @torch.no_grad()
    def show(
        self, pixels: Tensor, *, seed: int, epoch: int, ids: Tensor, takes: Takes | None = None
    ) -> list[ShownView]:
        """What `make` gives for the same arguments, as pictures, with names, crop corners and the draws in words.

        takes: the last ones of the same pixels, on a CPU.
        """
        shape = _checked(pixels, ids)
        takes = takes or Takes(0)
        starts = takes.begin((seed, epoch), self._chains, tuple(pixels.shape))
        drawings = [
            chain.draw(sample_keys(seed, epoch, ids, view), shape, start.drawing, start.same)
            for view, (chain, start) in enumerate(zip(self._chains, starts, strict=True))
        ]
        n, channels = pixels.shape[:2]
        pictures = [torch.empty((n, size, size, channels), dtype=torch.uint8) for size in self.sizes]

        def fill(first: int, last: int) -> None:
            images = as_floats(pixels[first:last]) if any(start.images is None for start in starts) else None
            for view, chain, drawing, start in zip(pictures, self._chains, drawings, starts, strict=True):
                as_levels(_taken(chain, drawing.part(first, last), start, images, first, last), view[first:last])

        self._in_parts(pixels, fill)
        takes.end(self._chains, starts, drawings)
        return [
            ShownView(
                name=self.names[view],
                role=self.roles[view],
                pictures=pictures[view],
                drawing=drawing,
                texts=[chain.texts(drawing, item) for item in range(n)],
            )
            for view, (chain, drawing) in enumerate(zip(self._chains, drawings, strict=True))
        ]

    def _made_by_kind(self, pixels: Tensor, *, seed: int, epoch: int, ids: Tensor) -> list[Tensor]:
        """As `make`, all copies of a kind at once: what a GPU waits for is how often it is asked, not how much."""
        shape, images = _checked(pixels, ids), as_floats(pixels)
        views: list[Tensor] = []
        for count in Counter(self.kinds).values():
            first = len(views)
            keys = [sample_keys(seed, epoch, ids, view) for view in range(first, first + count)]
            chain = self._chains[first]
            made = chain.apply(images.repeat(count, 1, 1, 1), chain.draw(torch.cat(keys), shape))
            views.extend(made.split(len(images)))
        return views

    def _drawings(self, pixels: Tensor, *, seed: int, epoch: int, ids: Tensor) -> list[Drawing]:
        shape = _checked(pixels, ids)
        return [chain.draw(sample_keys(seed, epoch, ids, view), shape) for view, chain in enumerate(self._chains)]

    def _in_parts(self, pixels: Tensor, fill: Callable[[int, int], None]) -> None:
        """Calls `fill` for the images first … last - 1, part by part, on several threads where it pays."""
        inference = torch.is_inference_mode_enabled()  # Each thread has modes of its own.

        def work(first: int, last: int) -> None:
            with torch.inference_mode(inference), torch.no_grad():
                fill(first, last)

        _share(work, _parts(pixels, max(self.sizes)))

    def corners(self, shape: tuple[int, int, int], *, seed: int, epoch: int, ids: Tensor, view: int) -> Tensor:
        """(n, 4, 2): where a view's corners lie on images of `shape` (C, H, W), as in `ShownView`; nothing is made."""
        return self._chains[view].draw(sample_keys(seed, epoch, ids, view), shape).corners

    @torch.no_grad()
    def steps(self, pixels: Tensor, *, seed: int, epoch: int, ids: Tensor, view: int = 0) -> list[Step]:
        """One image after each op of one view in turn; the last step is that view.

        pixels: (1, C, S, S) uint8 or uint16; ids: (1,). Ops ahead of the first geometric one give images of the
        stored size.
        """
        shape = _checked(pixels, ids)
        drawing = self._chains[view].draw(sample_keys(seed, epoch, ids, view), shape)
        return self._chains[view].steps(as_floats(pixels), drawing)

    @torch.no_grad()
    def steps_shown(
        self, pixels: Tensor, shown: Sequence[ShownView], takes: Takes, *, view: int, item: int
    ) -> list[Step]:
        """The steps of image `item` of what `show` has just made with these pixels and takes."""
        one = slice(item, item + 1)
        known = takes.steps_before(view, item)
        images = as_floats(pixels[one]) if not known else known[-1].image[None]
        steps = self._chains[view].steps(images, shown[view].drawing.part(item, item + 1), known)
        takes.keep_steps(view, item, steps)
        return steps


def _taken(chain: Chain, drawing: Drawing, start: Start, images: Tensor | None, first: int, last: int) -> Tensor:
    """Images first … last - 1 of a view from where it starts: the images (there where it is the beginning), or kept."""
    begun = images if start.images is None else start.images[first:last]
    assert begun is not None
    place = start.place
    if start.kept is not None:
        begun = chain.apply_links(begun, drawing, place, start.keep, start.kept[first:last])
        place = start.keep
    return chain.apply_links(begun, drawing, place, len(chain.links))


def _names(view: ViewSpec) -> list[str]:
    return [view.name] if view.count == 1 else [f"{view.name} {number + 1}" for number in range(view.count)]


def _links(chain: Sequence[OpSpec], ops: Mapping[str, OpInfo[Any]], where: str) -> list[Link]:
    """The ops that are switched on. Those that are off are checked and counted, so that switching changes no draw."""
    links = []
    seen: dict[str, int] = {}
    for position, spec in enumerate(chain):
        path = f"{where}.chain[{position}]"
        info = ops.get(spec.op)
        if info is None:
            raise NotFoundError(
                f"{path}: unknown op '{spec.op}'{suggestion(spec.op, ops)}", hint=f"Known: {', '.join(sorted(ops))}."
            )
        params = convert(spec.params, info.params, where=path)
        occurrence = seen.get(spec.op, 0)
        seen[spec.op] = occurrence + 1
        if spec.enabled:
            links.append(Link(name=info.name, title=info.title, op=info.build(params), occurrence=occurrence))
    return links


def _checked(pixels: Tensor, ids: Tensor) -> tuple[int, int, int]:
    """The (C, H, W) of a batch. What training feeds here is ours, so that a mismatch is a bug, not bad input."""
    if pixels.dim() != 4 or pixels.dtype not in LEVELS:
        raise ValueError(f"pixels must be (n, C, S, S) uint8 or uint16, not {tuple(pixels.shape)} {pixels.dtype}")
    if ids.shape != pixels.shape[:1]:
        raise ValueError(f"{len(pixels)} images but ids of shape {tuple(ids.shape)}")
    channels, height, width = pixels.shape[1:]
    return channels, height, width


def _share(work: Callable[[int, int], None], parts: list[tuple[int, int]]) -> None:
    """Each part once: in turn, or on as many threads as torch may use (kernels and torch let go of Python's lock)."""
    threads = torch.get_num_threads()
    if threads < 2 or len(parts) < 2:
        for first, last in parts:
            work(first, last)
        return
    for done in [_pool(threads).submit(work, first, last) for first, last in parts]:
        done.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads whose own torch operations stay on that thread: shared out twice, work would wait for itself."""
    pool = ThreadPoolExecutor(threads, "views", initializer=lambda: torch.set_num_threads(1))
    begun = threading.Barrier(threads + 1)
    for _ in range(threads):
        pool.submit(begun.wait)
    begun.wait()
    torch.set_num_threads(threads)  # A thread's setting holds for itself, and for threads that are yet to come.
    return pool


def _parts(pixels: Tensor, largest_view: int) -> list[tuple[int, int]]:
    """(first, last) of what is worked on at once: everything on a GPU, what fits a cache on a CPU."""
    n, channels, height, width = pixels.shape
    step = max(1, n)
    if pixels.device.type == "cpu":
        step = max(1, _PART_BYTES // (4 * channels * max(height * width, largest_view**2)))
        step = min(step, max(1, -(-n // torch.get_num_threads())))
    return [(first, min(n, first + step)) for first in range(0, n, step)]
