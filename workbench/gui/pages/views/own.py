"""View plans as files: the user's own presets, and what is saved for others. No Qt."""

import re
from collections.abc import Collection
from pathlib import Path

from send2trash import send2trash

from workbench.runs.folder import write_whole
from workbench.spec import places
from workbench.spec.catalog import PresetCard
from workbench.spec.errors import RunError, why
from workbench.spec.experiment import Experiment
from workbench.spec.presets import SUFFIX, preset_text

_LONGEST_NAME = 48


def as_preset(draft: Experiment, title: str, *, taken: Collection[str] = ()) -> PresetCard:
    """The views of a draft, with the size of the images that they are for. `taken`: names that others have."""
    name = re.sub(r"[^\w]+", "-", title.lower()).strip("-_")[:_LONGEST_NAME] or "views"
    if name in taken:
        name = f"{name}-own"
    return PresetCard(name=name, title=title, help="", views=draft.views, made_for=draft.data.size, own=True)


def own_file(card: PresetCard) -> Path:
    """Where the user's preset of that name is kept."""
    return places.presets_folder() / f"{card.name}{SUFFIX}"


def save(card: PresetCard, file: Path) -> None:
    """Writes the preset, whole or not at all. Raises `RunError`."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, preset_text(card).encode("utf-8"))
    except OSError as error:
        raise RunError(f"{file} cannot be written: {why(error)}.", hint="Choose another folder.") from error


def remove(file: Path) -> None:
    """Puts a preset into the trash. Raises `RunError`."""
    try:
        send2trash(str(file))
    except OSError as error:
        raise RunError(
            f"{file.name} cannot be put into the trash: {error}.",
            hint=f"It is still in {file.parent}; delete it yourself where there is no trash.",
        ) from error
