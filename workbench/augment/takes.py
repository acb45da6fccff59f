"""The same images again and again while one op is edited: what lies ahead of that op is not made anew.

For each view there is kept what came in to the op that was edited last. An edit of that op, or of one behind it,
begins there; any other begins at the stored pixels. What is kept was made by the same calls for the same draws,
so that the views are the same to the bit.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from workbench.augment.chain import Chain, Drawing, Step

LARGEST_BYTES = 64 << 20
"""As much is kept: twice 32 views of 288 px."""


@dataclass(slots=True)
class Take:
    """A view of n images as it was made last.

    place, images: what came in to the op at a place, (n, C, h, w) float32; none at place 0, where it is the stored
    pixels. steps: of image `steps_of`, up to where they are known.
    """

    chain: Chain
    drawing: Drawing | None = None
    place: int = 0
    images: Tensor | None = None
    steps_of: int = -1
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Start:
    """How a view is made this time.

    same: how many links are as they were, drawn is what these drew (`drawing`). place, images: where to begin, and
    what to begin with. keep: the place at which images are to be kept, into `kept`; 0 for none.
    """

    same: int = 0
    drawing: Drawing | None = None
    place: int = 0
    images: Tensor | None = None
    keep: int = 0
    kept: Tensor | None = None


class Takes:
    """The last take of each view. Not for several threads at once."""

    def __init__(self, largest: int = LARGEST_BYTES) -> None:
        self._largest = largest
        self._name = ""
        self._about: Hashable = None
        self._takes: list[Take] = []

    def turn_to(self, name: str) -> None:
        """The pixels that come next: another name for any others."""
        if name != self._name:
            self._name, self._takes = name, []

    def begin(self, about: Hashable, chains: Sequence[Chain], shape: tuple[int, ...]) -> list[Start]:
        """Where each view begins. about: what draws depend on, beside the images and the chains.

        shape: (n, C, H, W) of the stored pixels.
        """
        if about != self._about or len(chains) != len(self._takes):
            self._about, self._takes = about, [Take(chain) for chain in chains]
            return [Start() for _ in chains]
        room = sum(4 * shape[0] * shape[1] * max(chain.size[0] ** 2, shape[2] * shape[3]) for chain in chains)
        return [
            _start(take, chain, shape, keeps=room <= self._largest)
            for take, chain in zip(self._takes, chains, strict=True)
        ]

    def end(self, chains: Sequence[Chain], starts: Sequence[Start], drawings: Sequence[Drawing]) -> None:
        """Every view has been made."""
        for take, chain, start, drawing in zip(self._takes, chains, starts, drawings, strict=True):
            take.steps = take.steps[: start.same]
            take.chain, take.drawing = chain, drawing
            if start.kept is not None:
                take.place, take.images = start.keep, start.kept
            elif start.place != take.place:
                take.place, take.images = 0, None

    def steps_before(self, view: int, item: int) -> list[Step]:
        """The steps of an image that are as they were, up to a seam of the chain."""
        take = self._takes[view]
        known = take.steps if take.steps_of == item else []
        return known[: take.chain.seam(len(known))]

    def keep_steps(self, view: int, item: int, steps: list[Step]) -> None:
        """All of them."""
        self._takes[view].steps_of, self._takes[view].steps = item, list(steps)


def _start(take: Take, chain: Chain, shape: tuple[int, ...], *, keeps: bool) -> Start:
    same = _same_links(take.chain, chain) if take.drawing is not None else 0
    place = take.place if take.images is not None and take.place <= same and chain.seam(take.place) == take.place else 0
    images = take.images if place else None
    edited = chain.seam(same)
    if not keeps or edited <= place or same == len(chain.links):
        return Start(same, take.drawing, place, images)
    side = chain.side_at(edited, (shape[2], shape[3]))
    return Start(same, take.drawing, place, images, edited, torch.empty((shape[0], shape[1], *side)))


def _same_links(one: Chain, other: Chain) -> int:
    """How many links from the first on are the same in both."""
    if one.size != other.size or one.is_resized_first != other.is_resized_first:
        return 0
    count = 0
    for first, second in zip(one.links, other.links):
        if (first.name, first.occurrence, first.op.params) != (second.name, second.occurrence, second.op.params):
            break
        count += 1
    return count
