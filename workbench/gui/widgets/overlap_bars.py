"""How much two views share: a small histogram of twenty bars."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.gui import theme

_LINE = 16.0


class OverlapBars(QWidget):
    """Shares of pairs by shared area, from none (left) to all (right); what lies below `edge` is told apart."""

    def __init__(self, edge: float = 0.1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edge = edge
        self._shares: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def shares(self) -> tuple[float, ...]:
        """What is shown."""
        return self._shares

    def set_shares(self, shares: Sequence[float]) -> None:
        """Shows them: one per bar, of equal width."""
        self._shares = tuple(shares)
        self.setAccessibleDescription(", ".join(self.words(number) for number in range(len(self._shares))))
        self.update()

    def words(self, number: int) -> str:
        """What a bar says."""
        step = 100 / len(self._shares)
        between = f"{number * step:.0f} to {(number + 1) * step:.0f} % of the area"
        return f"{100 * self._shares[number]:.1f} % of pairs share {between}"

    def sizeHint(self) -> QSize:
        """A low strip."""
        return QSize(240, 64)

    def event(self, event: QEvent) -> bool:
        """The bar under the pointer, in words."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._shares:
            number = min(len(self._shares) - 1, max(0, int(event.pos().x() / self.width() * len(self._shares))))
            QToolTip.showText(event.globalPos(), self.words(number), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars on a line, and the ends of the axis."""
        del event
        tokens = theme.tokens()
        with QPainter(self) as painter:
            bottom = self.height() - _LINE
            painter.setPen(QPen(QColor(tokens.grid), 1))
            painter.drawLine(0, round(bottom), self.width(), round(bottom))
            most = max(self._shares, default=0.0)
            wide = self.width() / max(1, len(self._shares))
            for number, share in enumerate(self._shares):
                high = (bottom - 2) * share / most if most else 0.0
                below = (number + 1) / len(self._shares) <= self._edge + 1e-9
                color = QColor(tokens.watch if below else tokens.accent)
                painter.fillRect(QRectF(number * wide + 0.5, bottom - high, wide - 1, high), color)
            font = QFont(self.font())
            font.setPixelSize(max(9, round(QFontInfo(font).pixelSize() * 0.85)))
            painter.setFont(font)
            painter.setPen(QColor(tokens.secondary))
            foot = QRectF(0, bottom, self.width(), _LINE)
            painter.drawText(foot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, "nothing shared")
            painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, "all")
