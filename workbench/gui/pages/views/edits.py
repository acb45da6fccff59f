"""Changes of an experiment's views, and what can be said about them from the spec alone. No Qt."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from workbench.spec.catalog import Catalog, PresetCard
from workbench.spec.dataset import ScanReport
from workbench.spec.experiment import DataSpec, Experiment, OpSpec, ViewSpec
from workbench.spec.needs import global_count
from workbench.spec.pixels import fitting_rows

_NEEDS_COLOR = ("saturation", "hue")
_COLOR_OPS = ("grayscale", "random_grayscale")


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing worth knowing: a bold title, and a sentence with what to do."""

    title: str
    text: str


def with_view(experiment: Experiment, place: int, view: ViewSpec) -> Experiment:
    """Another view kind at a place."""
    views = (*experiment.views[:place], view, *experiment.views[place + 1 :])
    return replace(experiment, views=views)


def with_kind_added(experiment: Experiment, place: int) -> Experiment:
    """A copy of a view kind behind the last one, under a name that is free."""
    view = experiment.views[place]
    names = {other.name for other in experiment.views}
    base = view.name.rstrip("0123456789 ")
    number = next(number for number in range(2, len(names) + 3) if f"{base} {number}" not in names)
    return replace(experiment, views=(*experiment.views, replace(view, name=f"{base} {number}", count=1)))


def without_kind(experiment: Experiment, place: int) -> Experiment:
    """A view kind less."""
    return replace(experiment, views=experiment.views[:place] + experiment.views[place + 1 :])


def without_local(experiment: Experiment) -> Experiment:
    """Only the global views."""
    return replace(experiment, views=tuple(view for view in experiment.views if view.role != "local"))


def with_global_views(experiment: Experiment, wanted: int) -> Experiment:
    """More of the first global kind, so that there are as many; without one, the first kind becomes it."""
    missing = wanted - global_count(experiment.views)
    if missing <= 0:
        return experiment
    place = next((place for place, view in enumerate(experiment.views) if view.role == "global"), -1)
    if place >= 0:
        view = experiment.views[place]
        return with_view(experiment, place, replace(view, count=view.count + missing))
    view = replace(experiment.views[0], role="global", count=missing, size=experiment.data.size)
    return with_view(experiment, 0, view)


def expanded(views: Sequence[ViewSpec]) -> tuple[tuple[str, int], ...]:
    """(name, number of its kind) of every view, in the order in which training sees them."""
    return tuple(
        (view.name if view.count == 1 else f"{view.name} {number + 1}", place)
        for place, view in enumerate(views)
        for number in range(view.count)
    )


def same_views(first: Sequence[ViewSpec], second: Sequence[ViewSpec]) -> bool:
    """Whether two plans are the same file; a pair is the same as a list."""
    return msgspec.msgpack.encode(tuple(first)) == msgspec.msgpack.encode(tuple(second))


def source_preset(views: Sequence[ViewSpec], presets: Sequence[PresetCard], usual: str) -> PresetCard | None:
    """The preset that a plan was fitted from, as far as its ops show: `usual` if it can be, else the closest.

    Fitting to the data changes numbers and leaves ops out, but keeps the kinds of view and the order.
    """

    def missing(preset: PresetCard) -> int:
        if len(preset.views) != len(views):
            return -1
        left_out = 0
        for view, source in zip(views, preset.views):
            names = iter(spec.op for spec in source.chain)
            if not all(spec.op in names for spec in view.chain):
                return -1
            left_out += len(source.chain) - len(view.chain)
        return left_out

    able = [preset for preset in presets if missing(preset) >= 0]
    return min(able, key=lambda preset: (preset.name != usual, missing(preset)), default=None)


def chosen_rows(count: int, wanted: int, shuffle: int) -> tuple[int, ...]:
    """Which images to show: spread evenly at first, another draw for every shuffle."""
    wanted = min(count, wanted)
    if shuffle == 0:
        return tuple(round((number + 0.5) * count / wanted - 0.5) for number in range(wanted)) if wanted else ()
    return tuple(sorted(random.Random(shuffle).sample(range(count), wanted)))  # noqa: S311  # pictures to look at


def shown_rows(scan: ScanReport, data: DataSpec, wanted: int, shuffle: int) -> tuple[int, ...]:
    """The same, of a scan's images that have as many planes as the set."""
    rows = fitting_rows(scan, data)
    return tuple(rows[place] for place in chosen_rows(len(rows), wanted, shuffle))


def advice(experiment: Experiment, catalog: Catalog, place: int) -> tuple[Advice, ...]:
    """What is odd about a view kind, as far as its spec alone shows; `Findings` says what was measured."""
    view = experiment.views[place]
    found = _planes_as_colors(experiment.data, view, catalog)
    titles = {card.name: card.title for card in catalog.ops}
    for spec in view.chain:
        if spec.enabled and _values(spec, catalog).get("p", 1) == 0:
            found.append(
                Advice(
                    f"{titles.get(spec.op, spec.op)} never acts.", "Its probability is 0; raise it or switch it off."
                )
            )
    if view.role == "global" and view.size > experiment.data.size:
        found.append(
            Advice(
                f"Enlarged {view.size / experiment.data.size:.1f} times.",
                f"Views of {view.size} px are made from images stored at {experiment.data.size} px. "
                "Raise the size on the Data page, or make the views smaller.",
            )
        )
    return tuple(found)


def _planes_as_colors(data: DataSpec, view: ViewSpec, catalog: Catalog) -> list[Advice]:
    """Three planes are taken for red, green and blue by the ops of color."""
    if data.channels != "planes" or data.planes != 3:
        return []
    titles = {card.name: card.title for card in catalog.ops}
    return [
        Advice(
            f"{titles.get(spec.op, spec.op)} takes the planes for colors.", "Three planes count as red, green and blue."
        )
        for spec in view.chain
        if spec.enabled and (spec.op in _COLOR_OPS or any(_values(spec, catalog).get(name) for name in _NEEDS_COLOR))
    ]


def _values(spec: OpSpec, catalog: Catalog) -> dict[str, Any]:
    """An op's parameters, with the declared defaults where the spec is silent."""
    card = next((card for card in catalog.ops if card.name == spec.op), None)
    defaults = {info.name: info.default for info in card.params} if card else {}
    return {**defaults, **spec.params}
