"""A label that gives way: words that do not fit end in an ellipsis, and can be read in whole on hover."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyle, QStyleOption, QStylePainter, QToolTip, QWidget

Mode = Qt.TextElideMode


class Elided(QLabel):
    """One line of plain text at any width; `mode` says where it is shortened."""

    def __init__(self, text: str = "", mode: Mode = Mode.ElideRight, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @property
    def shown(self) -> str:
        """What there is room for."""
        return self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())

    def minimumSizeHint(self) -> QSize:
        """None to speak of: it takes what others leave."""
        return QSize(0, super().minimumSizeHint().height())

    def event(self, event: QEvent) -> bool:
        """The whole text where it was cut and nothing else is to be said."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and not self.toolTip():
            QToolTip.showText(event.globalPos(), self.text() if self.shown != self.text() else "", self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The text, in the style of every label."""
        del event
        option = QStyleOption()
        option.initFrom(self)
        painter = QStylePainter(self)
        painter.drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option)
        self.style().drawItemText(
            painter,
            self.contentsRect(),
            self.alignment().value,
            option.palette,
            self.isEnabled(),
            self.shown,
            self.foregroundRole(),
        )
