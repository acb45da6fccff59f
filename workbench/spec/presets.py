"""View plans as small TOML files: the bundled presets, the user's own, and what people send each other."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from workbench.spec import toml
from workbench.spec.catalog import Broken, PresetCard, PresetSection
from workbench.spec.errors import NotFoundError, SpecError, WorkbenchError, why
from workbench.spec.experiment import ViewSpec
from workbench.spec.params import Params, convert, param

VERSION = 1
SUFFIX = ".toml"


class PresetFile(Params, frozen=True, kw_only=True):
    """What stands above the views. `made_for` and `order` (in the menu) may be left out."""

    version: int = VERSION
    title: str = ""
    help: str = ""
    source: str = ""
    section: PresetSection = "images"
    made_for: Annotated[int, param("The images' side that the sizes were chosen for.", ge=0, le=1024)] = 0
    order: int = 1000


def load_preset(path: Path, *, own: bool = True) -> PresetCard:
    """Reads a preset, or the views of an experiment. Raises `NotFoundError` or `SpecError`, which name the file."""
    return _read(path, own=own)[1]


def parse_preset(text: str, *, name: str, source: str) -> PresetCard:
    """A preset, or the views of an experiment, from TOML text. `source` is what an error calls the text."""
    return _card(_tree(text, source), name=name, own=True)[1]


def load_presets(folder: Path, *, own: bool = False) -> tuple[tuple[PresetCard, ...], tuple[Broken, ...]]:
    """The presets of a folder, by their `order` and then by title, and the files that cannot be read, with the reason.

    A folder that does not exist has none.
    """
    found: list[tuple[int, PresetCard]] = []
    failed: list[Broken] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.name.startswith("."):
            continue
        try:
            found.append(_read(path, own=own))
        except WorkbenchError as error:
            failed.append(Broken(file=str(path), message=str(error)))
    found.sort(key=lambda entry: (entry[0], entry[1].title.lower(), entry[1].name))
    return tuple(card for _, card in found), tuple(failed)


def own_presets(folder: Path, bundled: Sequence[PresetCard]) -> tuple[tuple[PresetCard, ...], tuple[Broken, ...]]:
    """The user's presets, and the files that cannot be used: unreadable, or named as a bundled one is."""
    cards, failed = load_presets(folder, own=True)
    taken = {card.name: card.title for card in bundled if not card.own}
    clashes = tuple(
        Broken(
            file=str(folder / f"{card.name}{SUFFIX}"),
            message=f"'{card.name}' is the name of the bundled preset {taken[card.name]}. Rename the file.",
        )
        for card in cards
        if card.name in taken
    )
    return tuple(card for card in cards if card.name not in taken), (*failed, *clashes)


def preset_text(card: PresetCard) -> str:
    """The preset as TOML text, one line per op; the inverse of `parse_preset`."""
    head: dict[str, Any] = {"version": VERSION, "title": card.title}
    if card.help:
        head["help"] = card.help
    if card.source:
        head["source"] = card.source
    if card.made_for:
        head["made_for"] = card.made_for
    return toml.views_text(head, card.views)


def _read(path: Path, *, own: bool) -> tuple[int, PresetCard]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not a preset: it is not text (UTF-8).") from error
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {why(error)}.") from error
    tree = _tree(text, str(path))
    try:
        return _card(tree, name=path.stem, own=own)
    except SpecError as error:
        raise error.within(path) from None


def _tree(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{source} is not valid TOML: {error}.") from error


def _card(tree: Mapping[str, Any], *, name: str, own: bool) -> tuple[int, PresetCard]:
    """(place in the order, card)"""
    values = dict(tree)
    if "views" not in values:
        raise SpecError("'views' is missing: a view plan has at least one [[views]] table.")
    if "data" in values:
        experiment = toml.from_tree(values)
        return 0, PresetCard(
            name=name,
            title=experiment.name,
            help="",
            views=_some(experiment.views),
            made_for=experiment.data.size,
            own=own,
        )
    version = values.get("version", VERSION)
    if isinstance(version, int) and version > VERSION:
        raise SpecError(
            f"this preset has version {version}, and this program knows {VERSION} at most",
            hint="Update Pretext Workbench.",
        )
    views = _some(toml.views_from_tree(values.pop("views")))
    head = convert(values, PresetFile)
    card = PresetCard(
        name=name,
        title=head.title or name,
        help=head.help,
        views=views,
        source=head.source,
        section=head.section,
        made_for=head.made_for,
        own=own,
    )
    return head.order, card


def _some(views: tuple[ViewSpec, ...]) -> tuple[ViewSpec, ...]:
    if not views:
        raise SpecError("there must be at least one kind of view", where="views")
    return views
