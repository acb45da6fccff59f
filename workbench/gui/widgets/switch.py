"""A switch: on or off, at once."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from workbench.gui import theme


class Switch(QAbstractButton):
    """A check box in the shape of a switch. `toggled` as of any button; Space flips it."""

    def __init__(self, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """A fixed size."""
        return QSize(32, 20)

    def set_on(self, on: bool) -> None:
        """Flips it without emitting."""
        if on != self.isChecked():
            self.blockSignals(True)
            self.setChecked(on)
            self.blockSignals(False)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A pill with a knob: filled and right when on, pale and left when off."""
        del event
        tokens = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.5)
        box = QRectF((self.width() - 26) / 2, (self.height() - 14) / 2, 26, 14)
        if self.hasFocus():
            halo = QColor(tokens.accent)
            halo.setAlpha(90)
            painter.setPen(QPen(halo, 2))
            painter.drawRoundedRect(box.adjusted(-2, -2, 2, 2), 9, 9)
        on = self.isChecked()
        painter.setPen(Qt.PenStyle.NoPen if on else QPen(QColor(tokens.scroll), 1))
        painter.setBrush(QColor(tokens.accent if on else tokens.track))
        painter.drawRoundedRect(box if on else box.adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.on_accent if on else tokens.card))
        x = box.right() - 7 if on else box.left() + 7
        painter.drawEllipse(QPointF(x, box.center().y()), 5, 5)
