"""Accuracies side by side: a dot for the figure, a whisker for its interval, a faint bar from zero."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui import theme

_ROW = 30.0
_HEAD = 24.0
_NARROW, _TIGHT = 220.0, 100.0
_WITH_INTERVALS = 400
"""Narrower than this, intervals are drawn and told on hover, not written."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One figure from 0 to 1 with its interval. `strong` has the accent's color, others are gray."""

    label: str
    value: float
    low: float
    high: float
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class BarGroup:
    """Figures that are compared with each other; `chance` is where guessing would be, 0 draws none."""

    title: str
    bars: tuple[Bar, ...]
    chance: float = 0.0


class IntervalBars(QWidget):
    """Groups of figures on one axis from 0 to 100 %; `chance` is a dotted line where guessing would be."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._groups: tuple[BarGroup, ...] = ()
        self._chance = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_groups(self, groups: Sequence[BarGroup], *, chance: float = 0.0) -> None:
        """Shows these."""
        self._groups = tuple(groups)
        self._chance = chance
        words = [
            f"{group.title}, {bar.label}: {100 * bar.value:.1f} %, from {100 * bar.low:.1f} to {100 * bar.high:.1f} %"
            for group in self._groups
            for bar in group.bars
        ]
        self.setAccessibleDescription("; ".join(words))
        self.setToolTip("\n".join(words))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as its rows."""
        rows = sum(len(group.bars) for group in self._groups)
        return QSize(480, round(rows * _ROW + len(self._groups) * _HEAD + 22))

    def minimumSizeHint(self) -> QSize:
        """All rows are always shown."""
        return QSize(280, self.sizeHint().height())

    @property
    def _writes_intervals(self) -> bool:
        return self.width() >= _WITH_INTERVALS

    def paintEvent(self, event: QPaintEvent) -> None:
        """Rows from top to bottom."""
        del event
        if not self._groups:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            metrics = QFontMetricsF(self.font())
            labels = [metrics.horizontalAdvance(bar.label) for group in self._groups for bar in group.bars]
            left = max(labels) + 16
            figures = "100.0 % 00.0–00.0" if self._writes_intervals else "100.0 %"
            right = self.width() - metrics.horizontalAdvance(figures) - 24
            self._draw_axis(painter, left, right)
            top = 0.0
            for group in self._groups:
                font = QFont(self.font())
                font.setWeight(QFont.Weight.DemiBold)
                painter.setFont(font)
                painter.setPen(QColor(theme.tokens().text))
                box = QRectF(0, top, self.width(), _HEAD)
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, group.title)
                painter.setFont(self.font())
                top += _HEAD
                height = len(group.bars) * _ROW
                self._draw_chance(painter, group.chance, QRectF(left, top + 2, right - left, height - 4))
                for bar in group.bars:
                    self._draw_bar(painter, bar, QRectF(left, top, right - left, _ROW))
                    top += _ROW

    def _draw_axis(self, painter: QPainter, left: float, right: float) -> None:
        tokens = theme.tokens()
        bottom = self.height() - 20.0
        font = QFont(self.font())
        font.setPixelSize(max(9, round(QFontInfo(font).pixelSize() * 0.85)))
        painter.setFont(font)
        room = right - left
        for share in (
            (0.0, 0.25, 0.5, 0.75, 1.0) if room > _NARROW else (0.0, 0.5, 1.0) if room > _TIGHT else (0.0, 1.0)
        ):
            x = left + share * (right - left)
            painter.setPen(QPen(QColor(tokens.grid), 1))
            painter.drawLine(QPointF(x, _HEAD), QPointF(x, bottom))
            painter.setPen(QColor(tokens.secondary))
            painter.drawText(QRectF(x - 30, bottom + 2, 60, 18), Qt.AlignmentFlag.AlignCenter, f"{100 * share:.0f} %")
        self._draw_chance(painter, self._chance, QRectF(left, _HEAD, right - left, bottom - _HEAD))

    def _draw_chance(self, painter: QPainter, chance: float, area: QRectF) -> None:
        if chance <= 0:
            return
        pen = QPen(QColor(theme.tokens().secondary), 1.2)
        pen.setDashPattern([1.2, 2.6])
        painter.setPen(pen)
        x = area.left() + chance * area.width()
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _draw_bar(self, painter: QPainter, bar: Bar, area: QRectF) -> None:
        tokens = theme.tokens()
        color = QColor(tokens.accent if bar.strong else tokens.secondary)
        middle, width = area.center().y(), area.width()
        painter.setPen(QColor(tokens.text if bar.strong else tokens.secondary))
        middle_left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(0, area.top(), area.left(), area.height()), middle_left, bar.label)
        faint = QColor(color)
        faint.setAlphaF(0.16)
        painter.fillRect(QRectF(area.left(), middle - 6, bar.value * width, 12), faint)
        painter.setPen(QPen(color, 2))
        low, high = area.left() + bar.low * width, area.left() + bar.high * width
        painter.drawLine(QPointF(low, middle), QPointF(high, middle))
        for end in (low, high):
            painter.drawLine(QPointF(end, middle - 4), QPointF(end, middle + 4))
        painter.setBrush(color)
        painter.drawEllipse(QPointF(area.left() + bar.value * width, middle), 4, 4)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QColor(tokens.text if bar.strong else tokens.secondary))
        figures = QRectF(area.right() + 16, area.top(), self.width() - area.right() - 16, area.height())
        middle_right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        if not self._writes_intervals:
            painter.drawText(figures, middle_right, f"{100 * bar.value:.1f} %")
            return
        painter.drawText(figures, middle_left, f"{100 * bar.value:.1f} %")
        painter.setPen(QColor(tokens.secondary))
        painter.drawText(figures, middle_right, f"{100 * bar.low:.1f}–{100 * bar.high:.1f}")
