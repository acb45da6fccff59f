"""The menu of presets: by section, with the help of the one that is pointed at, and what can be done with a plan."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from workbench.gui import icons
from workbench.gui.pages.views.own import own_file
from workbench.gui.widgets.explained_menu import ExplainedMenu, add_explained
from workbench.gui.widgets.menu_heading import add_heading
from workbench.spec.catalog import Broken, PresetCard, PresetSection

_SECTIONS: tuple[tuple[PresetSection, str], ...] = (
    ("published", "Published"),
    ("images", "For kinds of images"),
    ("single", "One view"),
)
_SUGGESTION_HELP = (
    "Chooses a preset by the method and by what is known of your images (size, channels, X-rays and the like), "
    "scales it to them, and says why."
)
_SCALING_HELP = (
    "On, presets lose what your images have no use for: blur at 64 px and less, changes of color where there is "
    "none, very small crops of small images. Off, they are as published; only sizes are fitted."
)


class PresetMenu(ExplainedMenu):
    """Says what was chosen, and does nothing itself."""

    preset_chosen = Signal(object)
    """A PresetCard."""
    suggestion_wanted = Signal()
    scaling_changed = Signal(bool)
    save_wanted = Signal()
    export_wanted = Signal()
    open_wanted = Signal()
    copy_wanted = Signal()
    copy_python_wanted = Signal()
    paste_wanted = Signal()
    removed = Signal(object)
    """The Path of one of the user's own presets."""
    broken_chosen = Signal(object)
    """A Broken, whose reason is to be said."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets: dict[str, QAction] = {}
        self.scaling = QAction("Scale presets to my data", self, checkable=True, checked=True)
        self.scaling.setToolTip(_SCALING_HELP)
        self.scaling.toggled.connect(self.scaling_changed)
        self.keep(self.scaling)

    def fill(self, bundled: Sequence[PresetCard], own: Sequence[PresetCard], broken: Sequence[Broken]) -> None:
        """Shows these presets; `own` and `broken` are of the user's folder."""
        self.empty()
        self._presets = {}
        self.add_entry("Scaled to your data", _SUGGESTION_HELP, self.suggestion_wanted.emit)
        for section, title in _SECTIONS:
            self._add_presets(title, [card for card in bundled if card.section == section])
        self._add_presets("Yours", own)
        for entry in broken:
            broken_one = self.add_entry(
                f"{Path(entry.file).name} cannot be used", entry.message, partial(self.broken_chosen.emit, entry)
            )
            icons.follow(broken_one, "warning", "watch")
        self.addSeparator()
        self.addAction(self.scaling)
        self.addSeparator()
        self._add_deeds([own_file(card) for card in own] + [Path(entry.file) for entry in broken])
        self.add_help()

    def mark(self, name: str) -> None:
        """Checks the preset of that name, and no other."""
        for other, action in self._presets.items():
            action.setChecked(other == name)

    def action_of(self, name: str) -> QAction:
        """The entry of a preset."""
        return self._presets[name]

    def _add_presets(self, title: str, cards: Sequence[PresetCard]) -> None:
        if cards:
            add_heading(self, title)
        for card in cards:
            words = card.help or "Views that you have saved."
            if card.source:
                words += f" Source: {card.source}."
            action = self.add_entry(card.title, words, partial(self.preset_chosen.emit, card))
            action.setCheckable(True)
            self._presets[card.name] = action

    def _add_deeds(self, files: Sequence[Path]) -> None:
        """`files`: the user's own presets."""
        self.add_entry("Save as preset …", "Keeps these views under a name of yours.", self.save_wanted.emit)
        share = self.add_submenu("Share")
        add_explained(share, "Save to file …", "Writes these views as a small TOML file.", self.export_wanted.emit)
        add_explained(share, "Copy as TOML", "The same as text, to paste here or elsewhere.", self.copy_wanted.emit)
        add_explained(share, "Copy as Python", "The same as code for torchvision.", self.copy_python_wanted.emit)
        self.add_entry("Open from file …", "Takes the views of a preset or an experiment.", self.open_wanted.emit)
        self.add_entry("Paste views\tCtrl+V", "Takes views from TOML text on the clipboard.", self.paste_wanted.emit)
        if files:
            remove = self.add_submenu("Remove one of yours")
            for file in files:
                add_explained(remove, file.stem, "Puts it into the trash.", partial(self.removed.emit, file))
