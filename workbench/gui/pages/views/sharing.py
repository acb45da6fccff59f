"""View plans go out and come in: saved, opened, copied, pasted, as TOML or as Python."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from workbench.engine import protocol
from workbench.engine.messages import Arrays, ViewsAsPython, ViewsAsPythonReply
from workbench.gui.bridge import Engine
from workbench.gui.pages.views import own
from workbench.gui.pages.views.preset_menu import PresetMenu
from workbench.gui.session import Session
from workbench.gui.widgets.note import Note
from workbench.spec.catalog import Broken, PresetCard
from workbench.spec.errors import WorkbenchError
from workbench.spec.experiment import Experiment
from workbench.spec.presets import SUFFIX, load_preset, parse_preset, preset_text

_FILTER = f"Views (*{SUFFIX})"


class Sharing(QObject):
    """What the preset menu can do with the views of the draft. Says in a note what was done, and what failed."""

    offered = Signal(object, str)
    """A PresetCard from outside, to be taken if it can be made, and what taking it is called in the history."""
    own_changed = Signal(str)
    """The user's folder has another preset, of that name, or ('') one less."""

    def __init__(
        self,
        session: Session,
        engine: Engine,
        menu: PresetMenu,
        note: Note,
        *,
        title: Callable[[], str],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._note = note
        self._title = title
        self._over = parent
        menu.save_wanted.connect(self._on_save_wanted)
        menu.export_wanted.connect(self._on_export_wanted)
        menu.open_wanted.connect(self._on_open_wanted)
        menu.copy_wanted.connect(self.copy_toml)
        menu.copy_python_wanted.connect(self.copy_python)
        menu.paste_wanted.connect(self.paste)
        menu.removed.connect(self._on_removed)
        menu.broken_chosen.connect(self._on_broken_chosen)

    def save_as(self, title: str) -> PresetCard:
        """Keeps the views in the user's folder. Raises `RunError`."""
        card = self._card(title)
        own.save(card, own.own_file(card))
        self.own_changed.emit(card.name)
        self._note.tell("good", f"Saved as '{card.title}'.", f"The menu has it under Yours. File: {own.own_file(card)}")
        return card

    def save_to(self, file: Path) -> None:
        """Writes the views to a file. Raises `RunError`."""
        file = file if file.suffix == SUFFIX else file.with_name(file.name + SUFFIX)
        own.save(self._card(self._title()), file)
        self._note.tell(
            "good", f"Saved to {file.name}.", "Others open it from this menu, or with `workbench new --preset`."
        )

    def open_file(self, file: Path) -> None:
        """Takes the views of a preset or an experiment. Raises `WorkbenchError` where it is neither."""
        self.offered.emit(load_preset(file), f"Views from {file.name}")

    def copy_toml(self) -> None:
        """Puts the views on the clipboard as text."""
        QGuiApplication.clipboard().setText(preset_text(self._card(self._title())))
        kinds = len(self._draft().views)
        what = "1 kind of view" if kinds == 1 else f"{kinds} kinds of view"
        self._note.tell("good", f"Copied {what} as TOML.", "Paste it into a message, a file, or into this page again.")

    def copy_python(self) -> None:
        """Puts code on the clipboard that makes the same views with torchvision."""
        draft = self._draft()
        request = ViewsAsPython(views=draft.views, data=draft.data)
        self._engine.ask(request, done=self._on_python, failed=self._on_failed, topic="views-as-python")

    def paste(self) -> None:
        """Takes views from the clipboard; what is wrong with the text is said."""
        if self._session.draft is None:
            return
        text = QGuiApplication.clipboard().text()
        if not text.strip():
            self._note.tell("watch", "The clipboard holds no text.", "Copy the TOML of some views first.")
            return
        try:
            card = parse_preset(text, name="pasted", source="The text on the clipboard")
        except WorkbenchError as error:
            self._note.tell("bad", "Nothing was pasted.", str(error))
        else:
            self.offered.emit(card, "Paste views")

    def _draft(self) -> Experiment:
        assert self._session.draft is not None, "the menu is hidden without a draft"
        return self._session.draft

    def _card(self, title: str) -> PresetCard:
        return own.as_preset(
            self._draft(), title, taken={card.name for card in self._session.catalog.presets if not card.own}
        )

    def _on_python(self, reply: ViewsAsPythonReply, arrays: Arrays) -> None:
        del arrays
        QGuiApplication.clipboard().setText(reply.text)
        if reply.missing:
            names = ", ".join(reply.missing)
            self._note.tell("watch", "Copied as Python, but not all of it.", f"torchvision has nothing for: {names}.")
        else:
            self._note.tell("good", "Copied as Python.", "It makes these views with torchvision alone.")

    def _on_failed(self, failure: protocol.Failed) -> None:
        if failure.reason == "error":
            self._note.tell("bad", "Nothing was copied.", f"{failure.message} {failure.hint}".strip())

    def _on_save_wanted(self) -> None:
        title, agreed = QInputDialog.getText(self._over, "Save as preset", "Name of the preset", text=self._title())
        title = title.strip()
        if not agreed or not title:
            return
        if own.own_file(self._card(title)).exists() and not self._agrees("Save as preset", f"Replace your '{title}'?"):
            return
        self._try(lambda: self.save_as(title))

    def _on_export_wanted(self) -> None:
        name = f"{self._card(self._title()).name}{SUFFIX}"
        chosen, _ = QFileDialog.getSaveFileName(self._over, "Save views to a file", name, _FILTER)
        if chosen:
            self._try(lambda: self.save_to(Path(chosen)))

    def _on_open_wanted(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self._over, "Open views from a file", "", _FILTER)
        if chosen:
            self._try(lambda: self.open_file(Path(chosen)))

    def _on_removed(self, file: Path) -> None:
        if self._agrees("Remove a preset", f"Put your preset '{file.stem}' into the trash?"):
            self._try(lambda: own.remove(file))
            self.own_changed.emit("")

    def _on_broken_chosen(self, entry: Broken) -> None:
        self._note.tell("bad", f"{Path(entry.file).name} cannot be used.", entry.message)

    def _agrees(self, title: str, question: str) -> bool:
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel
        answer = QMessageBox.question(self._over, title, question, buttons, QMessageBox.StandardButton.Cancel)
        return answer == QMessageBox.StandardButton.Yes

    def _try(self, deed: Callable[[], object]) -> None:
        """Does it, or says why it cannot be done."""
        try:
            deed()
        except WorkbenchError as error:
            self._note.tell("bad", "That did not work.", str(error))
