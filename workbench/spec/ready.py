"""Ready experiments: small TOML files that say what they show, and only what differs from a usual experiment."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from workbench.spec import toml
from workbench.spec.catalog import Broken, PresetCard, ReadyCard
from workbench.spec.errors import SpecError, UnknownKeyError, WorkbenchError, why
from workbench.spec.experiment import BackboneSpec, Experiment, TrainSpec, WatchSpec
from workbench.spec.fitting import fit_to
from workbench.spec.params import Params, convert

VERSION = 1
SUFFIX = ".toml"

_PARTIAL: dict[str, type[Params]] = {"backbone": BackboneSpec, "train": TrainSpec, "watch": WatchSpec}
"""Tables of which a file holds the values that matter to it; the others are suggested for the data."""


class ReadyFile(Params, frozen=True, kw_only=True):
    """What stands above the tables. `preset` or [[views]] may be left out: then the method's own preset is taken."""

    version: int = VERSION
    title: str
    shows: str
    expect: str
    source: str = ""
    beside: str = ""
    after: str = ""
    order: int = 1000
    preset: str = ""


def load_ready(folder: Path) -> tuple[tuple[ReadyCard, ...], tuple[Broken, ...]]:
    """The ready experiments of a folder, by their `order`, and the files that cannot be read, with the reason."""
    found: list[tuple[int, ReadyCard]] = []
    failed: list[Broken] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found.append(_read(path))
        except WorkbenchError as error:
            failed.append(Broken(file=str(path), message=str(error)))
    found.sort(key=lambda entry: (entry[0], entry[1].name))
    return tuple(card for _, card in found), tuple(failed)


def parse_ready(text: str, *, name: str) -> ReadyCard:
    """A ready experiment from TOML text. Raises `SpecError` with the dotted path of what is wrong."""
    return _card(text, name)[1]


def run_title(card: ReadyCard, folder: str) -> str:
    """What an experiment made of it is called: 'two-rounds-1 on leaves'."""
    return f"{card.name} on {Path(folder).name or 'images'}"


def applied(card: ReadyCard, experiment: Experiment) -> Experiment:
    """What was suggested for its method and these data, with what the ready experiment asks for.

    The data, the seed and whatever it does not name stay as they are. Raises `SpecError` for a bad value.
    """
    parts = {
        name: convert({**asdict(getattr(experiment, name)), **getattr(card, name)}, spec, where=name)
        for name, spec in _PARTIAL.items()
    }
    changed = replace(experiment, name=run_title(card, experiment.data.folder), method=card.method, **parts)
    if card.views:
        plan = PresetCard(name=card.name, title=card.title, help=card.shows, views=card.views)
        changed = replace(changed, views=fit_to(plan, size=changed.data.size, channels=changed.data.channels))
    return changed


def follows(card: ReadyCard, experiment: Experiment) -> bool:
    """Whether an experiment still has the method and the values that the ready experiment asks for."""
    return experiment.method == card.method and all(
        asdict(getattr(experiment, part))[name] == value
        for part in _PARTIAL
        for name, value in getattr(card, part).items()
    )


def _read(path: Path) -> tuple[int, ReadyCard]:
    try:
        return _card(path.read_text(encoding="utf-8"), path.stem)
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not a ready experiment: it is not text (UTF-8).") from error
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {why(error)}.") from error


def _card(text: str, name: str) -> tuple[int, ReadyCard]:
    """(place in the order, card)"""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"'{name}' is not valid TOML: {error}.") from error
    known = (*ReadyFile.__struct_fields__, "method", "views", *_PARTIAL)
    for key in values:
        if key not in known:
            raise UnknownKeyError(key, known, where="")
    if values.get("version", VERSION) != VERSION:
        raise SpecError(
            f"this ready experiment has version {values['version']}, and this program knows {VERSION}",
            hint="Update Pretext Workbench.",
        )
    method = _table(values.pop("method", None), "method")
    if "name" not in method:
        raise SpecError("'name' is missing", where="method")
    views = toml.views_from_tree(values.pop("views", []))
    partial = {part: _checked(values.pop(part, {}), part) for part in _PARTIAL}
    head = convert(values, ReadyFile)
    if views and head.preset:
        raise SpecError("there are views and a preset; leave one of them out", where="preset")
    card = ReadyCard(
        name=name,
        title=head.title,
        shows=head.shows,
        expect=head.expect,
        source=head.source,
        beside=head.beside,
        after=head.after,
        method=toml.method_from_tree(method),
        preset=head.preset,
        views=views,
        backbone=partial["backbone"],
        train=partial["train"],
        watch=partial["watch"],
    )
    return head.order, card


def _checked(value: Any, part: str) -> dict[str, Any]:
    table = _table(value, part)
    convert(table, _PARTIAL[part], where=part)
    return dict(table)


def _table(value: Any, part: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SpecError(f"must be a table, written [{part}]", where=part)
    return value
