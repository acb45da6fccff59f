"""A confusion matrix: rows are what an image is, columns what the probe took it for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.gui import theme
from workbench.gui.widgets.heat_map import mixed

_WIDEST = 1.8
"""Cells are up to so many times as wide as high, so that names fit above them."""
_MOST_NAMES = 40
_NUMBERS_FROM = 26.0
_UPRIGHT = 64.0
"""How high names may stand above the columns where they are too long to lie."""


_LYING = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class ConfusionMatrix(QWidget):
    """Counts as shades of the accent, by their share of the row; the cursor tells the count in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._classes: tuple[str, ...] = ()
        self._counts: NDArray[np.int64] = np.zeros((0, 0), np.int64)
        self._shares: NDArray[np.float64] = np.zeros((0, 0))
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 220)
        theme.changed.connect(self.update)

    def set_counts(self, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        """counts[true][predicted], in the order of `classes`."""
        self._classes = tuple(classes)
        self._counts = np.array(counts, np.int64).reshape(len(self._classes), len(self._classes))
        self._shares = self._counts / np.maximum(self._counts.sum(axis=1, keepdims=True), 1)
        self.update()

    def words(self, row: int, column: int) -> str:
        """What a cell says."""
        count, whole = int(self._counts[row, column]), int(self._counts[row].sum())
        true, taken = self._classes[row], self._classes[column]
        share = f" ({100 * self._shares[row, column]:.0f} %)" if whole else ""
        if row == column:
            return f"{count:,} of {whole:,} “{true}” recognized{share}"
        return f"{count:,} of {whole:,} “{true}” taken for “{taken}”{share}"

    def cell_at(self, spot: QPointF) -> tuple[int, int] | None:
        """(row, column) under a place in the widget."""
        area, count = self._area(), len(self._classes)
        if not count or not area.contains(spot):
            return None
        wide, high = area.width() / count, area.height() / count
        row, column = int((spot.y() - area.top()) / high), int((spot.x() - area.left()) / wide)
        return min(row, count - 1), min(column, count - 1)

    def sizeHint(self) -> QSize:
        """About square."""
        return QSize(420, 400)

    def _font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(max(9, round(QFontInfo(font).pixelSize() * 0.85)))
        return font

    def _area(self) -> QRectF:
        metrics = QFontMetricsF(self._font())
        left = top = metrics.height() + 6
        if len(self._classes) <= _MOST_NAMES:
            widest = self._widest(metrics)
            left += min(widest, 96.0) + 8
            level = self._room(left, top + metrics.height() + 2)
            if widest <= level.width() / len(self._classes) - 3:
                return level
            top += min(widest, _UPRIGHT) + 6
        return self._room(left, top)

    def _widest(self, metrics: QFontMetricsF) -> float:
        return max((metrics.horizontalAdvance(name) for name in self._classes), default=0.0)

    def _room(self, left: float, top: float) -> QRectF:
        wide, high = max(16.0, self.width() - left - 2), max(16.0, self.height() - top - 2)
        return QRectF(left, top, min(wide, _WIDEST * high), min(high, wide))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Cells, then names and numbers where there is room."""
        del event
        count = len(self._classes)
        if not count:
            return
        with QPainter(self) as painter:
            painter.setFont(self._font())
            area = self._area()
            cell = QSizeF(area.width() / count, area.height() / count)
            self._draw_cells(painter, area, cell)
            self._draw_names(painter, area, cell)

    def _draw_cells(self, painter: QPainter, area: QRectF, cell: QSizeF) -> None:
        tokens = theme.tokens()
        accent, empty = QColor(tokens.accent), QColor(tokens.background)
        wide, high = cell.width(), cell.height()
        gap = 1.0 if high >= 8 else 0.0
        for row in range(len(self._classes)):
            for column in range(len(self._classes)):
                share = float(self._shares[row, column])
                box = QRectF(area.left() + column * wide, area.top() + row * high, wide - gap, high - gap)
                shade = mixed(empty, accent, share**0.7)
                painter.fillRect(box, shade)
                if high >= _NUMBERS_FROM and self._counts[row, column]:
                    painter.setPen(theme.ink_on(shade))
                    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{self._counts[row, column]}")

    def _draw_names(self, painter: QPainter, area: QRectF, cell: QSizeF) -> None:
        wide, high = cell.width(), cell.height()
        metrics = painter.fontMetrics()
        painter.setPen(QPen(QColor(theme.tokens().secondary)))
        centered = Qt.AlignmentFlag.AlignCenter
        painter.drawText(QRectF(area.left(), 0, area.width(), metrics.height()), centered, "taken for")
        painter.save()
        painter.translate(0, area.bottom())
        painter.rotate(-90)
        painter.drawText(QRectF(0, 0, area.height(), metrics.height()), centered, "is")
        painter.restore()
        if len(self._classes) > _MOST_NAMES or high < metrics.height() - 1:
            return
        start = metrics.height() + 6.0
        upright = area.top() > 2 * start
        for number, name in enumerate(self._classes):
            elided = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(area.left() - start - 6))
            box = QRectF(start, area.top() + number * high, area.left() - start - 6, high - 1)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, elided)
            if upright:
                elided = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(_UPRIGHT))
                painter.save()
                painter.translate(area.left() + number * wide, area.top() - 4)
                painter.rotate(-90)
                painter.drawText(QRectF(0, 0, _UPRIGHT, wide - 1), _LYING, elided)
                painter.restore()
                continue
            box = QRectF(area.left() + number * wide, area.top() - metrics.height() - 2, wide - 1, metrics.height())
            painter.drawText(box, centered, name)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tells the cell under the cursor."""
        cell = self.cell_at(event.position())
        if cell is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), self.words(*cell), self)

    def leaveEvent(self, event: QEvent) -> None:
        """Tells nothing any more."""
        QToolTip.hideText()
        super().leaveEvent(event)
