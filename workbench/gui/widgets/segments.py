"""Two or three ways of looking at one page: a row of joined buttons, of which one is down."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from workbench.gui import theme

_RADIUS = 6


class _Segment(QAbstractButton):
    """Ends where the next one begins, whose left edge is the line between them."""

    def __init__(self, title: str, parent: QWidget, *, first: bool, last: bool) -> None:
        super().__init__(parent)
        self.setText(title)
        self.before: _Segment | None = None
        self._first, self._last = first, last
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
        down, accent = self.isChecked(), QColor(tokens.accent)
        painter.setBrush(QColor(tokens.accent_tint if down else tokens.hover if self.underMouse() else tokens.card))
        outlined = down or self.hasFocus()
        painter.setPen(QPen(accent if outlined else QColor(tokens.border), 1))
        painter.drawPath(self._shape())
        if self.before is not None and (self.before.isChecked() or self.before.hasFocus()):
            painter.setPen(QPen(accent, 1))
            painter.drawLine(QPointF(0.5, 0), QPointF(0.5, self.height()))
        if self.hasFocus():
            painter.setPen(QPen(accent, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(3.5, 3.5, -3.5, -3.5), 3, 3)
        color = tokens.text if down else tokens.secondary
        painter.setPen(QColor(color if self.isEnabled() else tokens.disabled))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())

    def _shape(self) -> QPainterPath:
        """Round where it is the end of the row."""
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5 if self._last else 0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(box, _RADIUS, _RADIUS)
        half = box.adjusted(0, 0, -box.width() / 2, 0)
        for end, corner in ((self._first, half), (self._last, half.translated(box.width() / 2, 0))):
            if not end:
                square = QPainterPath()
                square.addRect(corner)
                shape = shape.united(square)
        return shape


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
        before: _Segment | None = None
        for number, (_, title) in enumerate(pairs):
            button = _Segment(title, self, first=number == 0, last=number == len(pairs) - 1)
            button.before, before = before, button
            self._group.addButton(button, number)
            row.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idToggled.connect(lambda _number, _down: self._repaint())
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

    def _repaint(self) -> None:
        """A line between two buttons is in the color of both."""
        for button in self._group.buttons():
            button.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right."""
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if move is None:
            super().keyPressEvent(event)
            return
        number = min(len(self._values) - 1, max(0, self._group.checkedId() + move))
        self._group.button(number).setFocus()
        self._group.button(number).click()
