"""A card: a titled surface that groups what belongs together."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from workbench.gui import theme
from workbench.gui.widgets.column import GUTTER
from workbench.gui.widgets.elided import Elided, Mode

_EDGE = 16


class Card(QFrame):
    """Fill `content`; put small controls of the whole card into `corner`, right of the note.

    A card made with `clickable=True` takes the focus and emits `clicked` on a click, Return or Space.
    """

    clicked = Signal()

    def __init__(
        self, title: str = "", note: str = "", *, clickable: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self._clickable = clickable
        if clickable:
            self.setProperty("clickable", True)
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._title = QLabel(title)
        self._title.setProperty("role", "heading")
        self._note = Elided(note, Mode.ElideMiddle)
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._note.setProperty("role", "caption")
        self.corner = QHBoxLayout()
        self.corner.setSpacing(4)
        self._head = QWidget()
        self._line = QHBoxLayout(self._head)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(8)
        self._line.addWidget(self._title)
        self._line.addWidget(self._note, 1)
        self._line.addLayout(self.corner)
        self.content = QVBoxLayout()
        self.content.setSpacing(8)
        self._whole = QVBoxLayout(self)
        self._whole.setContentsMargins(_EDGE, 12, _EDGE, 16)
        self._whole.setSpacing(8)
        self._whole.addWidget(self._head)
        self._whole.addLayout(self.content, 1)
        self._head.setVisible(bool(title or note))
        if title:
            self.setAccessibleName(title)

    @property
    def title(self) -> str:
        """The heading."""
        return self._title.text()

    def set_title(self, text: str) -> None:
        """Another heading."""
        self._title.setText(text)
        self.setAccessibleName(text)
        self._head.setVisible(True)

    def set_note(self, text: str) -> None:
        """The small words at the right of the heading."""
        self._note.setText(text)
        self._head.setVisible(True)

    def reach_gutter(self) -> None:
        """The content is a `ScrollColumn`, whose gutter is the card's own edge."""
        self._whole.setContentsMargins(_EDGE, 12, _EDGE - GUTTER, 16)
        self._line.setContentsMargins(0, 0, GUTTER, 0)

    def set_chosen(self, chosen: bool) -> None:
        """Marks the card as the chosen one of several."""
        self.setProperty("chosen", chosen)
        theme.restyle(self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click."""
        super().mouseReleaseEvent(event)
        inside = self.rect().contains(event.position().toPoint())
        if self._clickable and event.button() == Qt.MouseButton.LeftButton and inside:
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return and Space click."""
        if self._clickable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)
