"""Two or three ways of looking at one page: a row of joined buttons, of which one is down."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from workbench.gui import theme


class _Segment(QAbstractButton):
    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(title)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        """The words with room around them."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 32, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tinted while it is down, outlined with the focus."""
        del event
        tokens = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        down = self.isChecked()
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setBrush(QColor(tokens.accent_tint if down else tokens.hover if self.underMouse() else tokens.card))
        edge = tokens.accent if down or self.hasFocus() else tokens.border
        painter.setPen(QPen(QColor(edge), 1.5 if self.hasFocus() else 1))
        painter.drawRoundedRect(box, 4, 4)
        color = tokens.text if down else tokens.secondary
        painter.setPen(QColor(color if self.isEnabled() else tokens.disabled))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())


class Segments(QWidget):
    """`chosen(value)` when the user presses another one; left and right move between them."""

    chosen = Signal(str)

    def __init__(self, pairs: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values = tuple(value for value, _ in pairs)
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for number, (_, title) in enumerate(pairs):
            button = _Segment(title, self)
            self._group.addButton(button, number)
            row.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda number: self.chosen.emit(self._values[number]))

    def value(self) -> str:
        """The one that is down."""
        return self._values[self._group.checkedId()]

    def set_value(self, value: str) -> None:
        """Presses one without emitting."""
        self._group.button(self._values.index(value)).setChecked(True)

    def button(self, value: str) -> QAbstractButton:
        """The button of a value."""
        return self._group.button(self._values.index(value))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right."""
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if move is None:
            super().keyPressEvent(event)
            return
        number = min(len(self._values) - 1, max(0, self._group.checkedId() + move))
        self._group.button(number).setFocus()
        self._group.button(number).click()
