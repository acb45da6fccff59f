"""A menu with headings, whose last line explains the entry that is pointed at."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu, QWidget, QWidgetAction

_HELP = "Point at an entry to read what it is for."
_WIDTH, _HEIGHT = 320, 72


class ExplainedMenu(QMenu):
    """`help` holds the words of the entry that is pointed at; `add_help` puts it where the menu ends."""

    def __init__(self, parent: QWidget | None = None, *, help_height: int = _HEIGHT) -> None:
        super().__init__(parent)
        self.help = QLabel(_HELP)
        self.help.setWordWrap(True)
        self.help.setProperty("role", "caption")
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.help.setContentsMargins(12, 6, 12, 4)
        self.help.setFixedSize(_WIDTH, help_height)
        self._footer = QWidgetAction(self)
        self._footer.setDefaultWidget(self.help)
        self._footer.setEnabled(False)
        self._kept: list[QAction] = [self._footer]
        self.hovered.connect(self._on_hovered)
        self.aboutToShow.connect(lambda: self.help.setText(_HELP))

    def keep(self, action: QAction) -> None:
        """An action that stays when the menu is emptied."""
        self._kept.append(action)

    def empty(self) -> None:
        """Takes everything out. Not `clear`, which would delete what is kept, too."""
        for action in self.actions():
            self.removeAction(action)
            if action not in self._kept:
                (action.menu() or action).deleteLater()

    def add_entry(self, title: str, words: str, deed: Callable[[], None]) -> QAction:
        """An entry with its explanation."""
        return add_explained(self, title, words, deed)

    def add_submenu(self, title: str) -> QMenu:
        """A menu within, whose entries are explained in the same place."""
        menu = self.addMenu(title)
        menu.hovered.connect(self._on_hovered)
        return menu

    def add_help(self) -> None:
        """The line that explains, below everything else."""
        self.addSeparator()
        self.addAction(self._footer)

    def _on_hovered(self, action: QAction) -> None:
        """The tip of an action without one of its own is its text."""
        words = action.toolTip()
        self.help.setText(_HELP if action.menu() or not words or words == action.text() else words)


def add_explained(menu: QMenu, title: str, words: str, deed: Callable[[], None]) -> QAction:
    """An entry of any menu, with its explanation."""
    action = menu.addAction(title, deed)
    action.setToolTip(words)
    return action
