"""Which preset a view plan is, from the plan alone. No Qt."""

from collections.abc import Iterable, Sequence

import msgspec

from workbench.spec.catalog import PresetCard
from workbench.spec.experiment import DataSpec, ViewSpec
from workbench.spec.fitting import fit_to


class KnownPlans:
    """Presets as they come out for one data set, scaled to it and as published, to be found by their views."""

    def __init__(self, cards: Iterable[PresetCard], data: DataSpec) -> None:
        self._found: dict[bytes, list[tuple[PresetCard, bool]]] = {}
        for card in cards:
            for scaled in (True, False):
                views = fit_to(card, size=data.size, channels=data.channels, scaled=scaled)
                self._found.setdefault(_packed(views), []).append((card, scaled))

    def find(
        self, views: Sequence[ViewSpec], *, meant: Sequence[str] = (), scaled: bool = True
    ) -> tuple[PresetCard, bool] | None:
        """(preset, whether it is scaled to the data), or None.

        Presets may make the same views: the first of the names in `meant` is taken, and the mode `scaled`.
        """

        def rank(entry: tuple[PresetCard, bool]) -> tuple[int, bool]:
            card, mode = entry
            return meant.index(card.name) if card.name in meant else len(meant), mode != scaled

        return min(self._found.get(_packed(views), ()), key=rank, default=None)


def _packed(views: Sequence[ViewSpec]) -> bytes:
    """A pair is the same as a list, as after a trip through a file."""
    return msgspec.msgpack.encode(tuple(views))
