"""A card: a titled surface that groups what belongs together."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from workbench.gui import theme
from workbench.gui.widgets.column import GUTTER, ScrollColumn
from workbench.gui.widgets.elided import Elided, Mode

_EDGE = 16


class Card(QFrame):
    """Fill `content`; put small controls of the whole card into `corner`, right of the note.

    A card made with `clickable=True` takes the focus and emits `clicked` on a click, Return or Space. The content of
    one made with `scrolls=True` may be higher than the card; its bar stands in the card's own edge.
    """

    clicked = Signal()

    def __init__(
        self,
        title: str = "",
        note: str = "",
        *,
        clickable: bool = False,
        scrolls: bool = False,
        parent: QWidget | None = None,
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
        head = QHBoxLayout(self._head)
        head.setSpacing(8)
        head.addWidget(self._title)
        head.addWidget(self._note, 1)
        head.addLayout(self.corner)
        whole = QVBoxLayout(self)
        whole.setSpacing(8)
        whole.addWidget(self._head)
        self.content = QVBoxLayout()
        if scrolls:
            scroll = ScrollColumn()
            scroll.setProperty("surface", "inside")
            scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            scroll.column.addLayout(self.content)
            scroll.column.addStretch(1)
            whole.addWidget(scroll, 1)
        else:
            whole.addLayout(self.content, 1)
        whole.setContentsMargins(_EDGE, 12, _EDGE - GUTTER if scrolls else _EDGE, 16)
        head.setContentsMargins(0, 0, GUTTER if scrolls else 0, 0)
        self.content.setSpacing(8)
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
