"""From the pixel store to batches on the device: gathered ahead in a thread, in an order that the seed fixes."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.augment.moving import moved

_AHEAD = 2

Tuples = Callable[[Tensor], Tensor | None]
"""From the images of a batch, (B,) int64, to those that come together, (B, T), or to none (`Method.tuples`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One step's raw images. pixels: (B, C, S, S) uint8 or uint16, on the device.

    ids: (B,) int64, who the images are, on the CPU, where the draws of views are made of them;
    indices: (B,) int64 among the training images; labels: (B,) int64, -1 where unknown. partners: the other images of
    their tuples, where the method asks for some.
    """

    step: int
    pixels: Tensor
    ids: Tensor
    indices: Tensor
    labels: Tensor
    partners: tuple["Drawn", ...] = ()

    def first(self, count: int) -> "Drawn":
        """The first `count` images of it."""
        return self._rows(slice(count))

    def split(self, parts: int) -> list["Drawn"]:
        """Its images in `parts` parts of one size, in order; in fewer where there are not enough."""
        size = -(-len(self.ids) // parts)
        return [self._rows(slice(first, first + size)) for first in range(0, len(self.ids), size)]

    def _rows(self, rows: slice) -> "Drawn":
        return Drawn(
            step=self.step,
            pixels=self.pixels[rows],
            ids=self.ids[rows],
            indices=self.indices[rows],
            labels=self.labels[rows],
            partners=tuple(one._rows(rows) for one in self.partners),  # noqa: SLF001  # its own kind
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """What the thread has gathered: rows among the training images, and their pixels on the CPU."""

    indices: NDArray[np.int64]
    pixels: Tensor


class Feed:
    """Batches of the training images: `rows` of `pixels`, with their `ids` and `labels` in the same order.

    What a rank gets is every `world`-th image of the whole batch.
    """

    def __init__(
        self,
        pixels: NDArray[np.unsignedinteger[Any]],
        *,
        rows: NDArray[np.int64],
        ids: NDArray[np.int64],
        labels: NDArray[np.int64],
        batch_size: int,
        seed: int,
        device: torch.device,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._pixels = pixels
        self._rows = rows
        self._ids = ids
        self._labels = labels
        self._batch_size = batch_size
        self._seed = seed
        self._device = device
        self._rank = rank
        self._world = world
        self.waited = 0.0
        """Seconds that the loop has waited for batches."""

    @property
    def steps(self) -> int:
        """Steps of an epoch; a last batch that is not full is left out."""
        return len(self._rows) // self._batch_size

    def epoch(self, epoch: int, *, start: int = 0, tuples: Tuples | None = None) -> Iterator[Drawn]:
        """The batches of an epoch, from step `start` on, each of the images that `tuples` names for its own."""
        order = permutation(len(self._rows), seed=self._seed, epoch=epoch)
        waiting: queue.Queue[_Item | BaseException] = queue.Queue(_AHEAD)
        over = threading.Event()

        def gather() -> None:
            try:
                for step in range(start, self.steps):
                    whole = order[step * self._batch_size : (step + 1) * self._batch_size]
                    indices = whole[self._rank :: self._world]
                    named = tuples(torch.from_numpy(indices)) if tuples else None
                    columns = [indices] if named is None else list(named.numpy().T)
                    if not _put(waiting, (step, tuple(map(self._gather, columns))), over):
                        return
            except Exception as error:  # noqa: BLE001  # it is raised again where the loop asks for the batch
                _put(waiting, error, over)

        thread = threading.Thread(target=gather, name="feed", daemon=True)
        thread.start()
        try:
            for _ in range(start, self.steps):
                since = time.perf_counter()
                item = waiting.get()
                self.waited += time.perf_counter() - since
                if isinstance(item, BaseException):
                    raise item
                step, blocks = item
                drawn, *others = (self._move(step, block) for block in blocks)
                yield replace(drawn, partners=tuple(others))
        finally:
            over.set()
            thread.join()

    def _gather(self, indices: NDArray[np.int64]) -> _Block:
        pixels = torch.from_numpy(np.ascontiguousarray(self._pixels[self._rows[indices]]))
        return _Block(indices=indices, pixels=pixels.pin_memory() if self._device.type == "cuda" else pixels)

    def _move(self, step: int, block: _Block) -> Drawn:
        return Drawn(
            step=step,
            pixels=block.pixels.to(self._device, non_blocking=True),
            ids=torch.from_numpy(self._ids[block.indices]),
            indices=moved(torch.from_numpy(block.indices), self._device),
            labels=moved(torch.from_numpy(self._labels[block.indices]), self._device),
        )


def permutation(count: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of an epoch: of `seed` and `epoch` alone."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, epoch])))
    return generator.permutation(count).astype(np.int64)


_Item = tuple[int, tuple[_Block, ...]]


def _put(waiting: "queue.Queue[_Item | BaseException]", item: _Item | BaseException, over: threading.Event) -> bool:
    """Waits for room, and gives up when the epoch has been left."""
    while not over.is_set():
        try:
            waiting.put(item, timeout=0.05)
            return True
        except queue.Full:
            continue
    return False
