"""What every page is: a title with one sentence, actions on the right, a body below, and its state in the rail."""

from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.gui.bridge import Engine
from workbench.gui.session import Session
from workbench.gui.widgets.column import GUTTER
from workbench.gui.widgets.elided import Elided

PageState = Literal["ready", "needs", "running"]


class Page(QWidget):
    """Base of the pages: layout and state only. A subclass fills `self.body` and `self.action_row`.

    Class attributes: `name` (also its icon's), `title`, `purpose` (the sentence under the title).
    """

    name = ""
    title = ""
    purpose = ""

    state_changed = Signal()

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.engine = engine
        self._state: PageState = "ready"
        self._why = ""
        self.setObjectName(f"page-{self.name}")

        self._title = QLabel(self.title)
        self._title.setProperty("role", "title")
        self._purpose = Elided(self.purpose)
        self._purpose.setProperty("role", "secondary")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._title)
        words.addWidget(self._purpose)
        self.action_row = QHBoxLayout()
        self.action_row.setSpacing(8)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, GUTTER, 0)
        head.setSpacing(16)
        head.addLayout(words, 1)
        head.addLayout(self.action_row)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, GUTTER, 0)
        self.body.setSpacing(16)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 16, 24 - GUTTER, 16)
        whole.setSpacing(16)
        whole.addLayout(head)
        whole.addLayout(self.body, 1)

    @property
    def state(self) -> PageState:
        """ready, running, or needs something first (the rail shows it)."""
        return self._state

    @property
    def why(self) -> str:
        """The state in a few words ('needs a folder of images'), for the rail's tip; may be empty."""
        return self._why

    def set_state(self, state: PageState, why: str = "") -> None:
        """Changes what the rail shows."""
        if (state, why) != (self._state, self._why):
            self._state, self._why = state, why
            self.state_changed.emit()

    def way_to_a_run(self) -> tuple[str, str]:
        """What comes next where there is no run: the words of a button, and the page that it leads to."""
        return ("Choose a method", "method") if self.session.draft else ("Choose images", "data")

    def press_primary(self) -> bool:
        """Presses the page's primary button, as its shortcut does. False where it cannot be pressed now."""
        for button in self.findChildren(QPushButton):
            if button.property("kind") == "primary" and button.isVisibleTo(self) and button.isEnabled():
                button.click()
                return True
        return False

    def reach_gutter(self) -> None:
        """The body ends in a `ScrollColumn`, whose gutter is the page's own margin."""
        self.body.setContentsMargins(0, 0, 0, 0)

    def set_purpose(self, text: str) -> None:
        """Another sentence under the title ('epoch 61 of 200 · 1 h 12 min left')."""
        self._purpose.setText(text)

    def entered(self) -> None:
        """The page has become visible. Subclasses refresh here what they left alone while hidden."""

    def left(self) -> None:
        """The page is not visible any more. Subclasses stop timers here."""
