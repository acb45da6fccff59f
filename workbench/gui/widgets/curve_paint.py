"""How a line plot is painted: grid, lines, names at their ends, the box under the cursor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QPainter, QPen

from workbench.gui import theme
from workbench.gui.widgets import ticks
from workbench.gui.widgets.series import Values

Line = tuple[Values, Values]
Words = tuple[str, QColor]


@dataclass(frozen=True, kw_only=True)
class Axes:
    """The plot's area in pixels, and the ranges that it shows (y is a logarithm on a logarithmic axis)."""

    area: QRectF
    x: tuple[float, float]
    y: tuple[float, float]

    def to_x(self, values: Values) -> Values:
        """Pixels from left to right."""
        return self.area.left() + (values - self.x[0]) * (self.area.width() / (self.x[1] - self.x[0]))

    def to_y(self, values: Values) -> Values:
        """Pixels from top to bottom."""
        return self.area.bottom() - (values - self.y[0]) * (self.area.height() / (self.y[1] - self.y[0]))

    def spot(self, x: float, y: float) -> QPointF:
        """The pixel of one point."""
        return QPointF(float(self.to_x(np.array(x))), float(self.to_y(np.array(y))))

    def from_x(self, pixel: float) -> float:
        """The value at a pixel."""
        return self.x[0] + (pixel - self.area.left()) * (self.x[1] - self.x[0]) / self.area.width()


def curve_color(number: int) -> QColor:
    """A curve's color; -1 is gray."""
    return theme.color("secondary") if number < 0 else QColor(theme.class_color(number))


def readable(color: QColor) -> QColor:
    """The color, darker or lighter until words in it can be read on a card (contrast 4.5:1)."""
    card, shade = theme.tokens().card, QColor(color)
    for _ in range(12):
        if theme.contrast(shade.name(), card) >= 4.5:
            break
        shade = shade.lighter(115) if theme.tokens().dark else shade.darker(112)
    return shade


def small_font(font: QFont) -> QFont:
    """The font of marks and names."""
    small = QFont(font)
    small.setPixelSize(max(9, round(QFontInfo(font).pixelSize() * 0.85)))
    return small


def draw_grid(painter: QPainter, axes: Axes, marks: Sequence[tuple[float, str]], *, x_label: str, width: float) -> None:
    """Horizontal lines with their marks at the left, marks below, and the name of x at the lower right."""
    metrics = QFontMetricsF(painter.font())
    for value, text in marks:
        height = round(axes.spot(0.0, value).y()) + 0.5
        painter.setPen(QPen(theme.color("grid"), 1.0))
        painter.drawLine(QPointF(axes.area.left(), height), QPointF(axes.area.right(), height))
        painter.setPen(theme.color("secondary"))
        left = axes.area.left() - 8 - metrics.horizontalAdvance(text)
        painter.drawText(QPointF(left, height + metrics.capHeight() / 2), text)
    base = axes.area.bottom() + 6 + metrics.ascent()
    label = metrics.horizontalAdvance(x_label)
    painter.drawText(QPointF(width - 4 - label, base), x_label)
    limit = width - label - 12 if x_label else width
    values, step = ticks.linear_ticks(*axes.x, max(2, int(axes.area.width() / 80)))
    for value in values:
        text = ticks.tick_text(value, step)
        x, half = axes.spot(value, 0.0).x(), metrics.horizontalAdvance(text) / 2
        if axes.area.left() - 1 <= x <= axes.area.right() + 1 and x + half < limit:
            painter.drawText(QPointF(x - half, base), text)


def draw_line(
    painter: QPainter, axes: Axes, line: Line, color: QColor, *, strength: float = 1.0, width: float = 1.0
) -> None:
    """A line, or a dot where there is one point only."""
    x, y = line
    if not len(x):
        return
    color = QColor(color)
    color.setAlphaF(strength)
    # A wide pen joins every corner of a jagged line into one huge outline: dear beyond some thousand corners.
    painter.setPen(QPen(color, width if len(x) <= 1500 else 1.0))
    points = [QPointF(px, py) for px, py in zip(axes.to_x(x).tolist(), axes.to_y(y).tolist(), strict=True)]
    if len(points) == 1:
        painter.setBrush(color)
        painter.drawEllipse(points[0], 2, 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(points)


def draw_level(painter: QPainter, axes: Axes, y: float, *, dotted: bool) -> None:
    """A horizontal line to compare with."""
    height = axes.spot(0.0, y).y()
    pen = QPen(theme.color("secondary"), 1.3)
    pen.setDashPattern([1.2, 2.6] if dotted else [4.0, 3.0])
    painter.setPen(pen)
    painter.drawLine(QPointF(axes.area.left(), height), QPointF(axes.area.right(), height))


def draw_names(painter: QPainter, axes: Axes, names: Sequence[tuple[QPointF, Words]]) -> None:
    """Words at the ends of lines."""
    metrics = QFontMetricsF(painter.font())
    ordered = sorted(names, key=lambda entry: entry[0].y())
    boxes = boxes_of([(end, text) for end, (text, _) in ordered], axes.area, metrics)
    for box, (_, (text, color)) in zip(boxes, ordered, strict=True):
        painter.setPen(readable(color))
        painter.drawText(QPointF(box.left(), box.center().y() + metrics.capHeight() / 2), text)


def boxes_of(names: Sequence[tuple[QPointF, str]], area: QRectF, metrics: QFontMetricsF) -> list[QRectF]:
    """Where words stand, given from the highest to the lowest end: each at its end, pushed down where they would
    overlap, and all up again from the marks below the area.
    """
    boxes: list[QRectF] = []
    for end, text in names:
        height = min(max(end.y(), area.top()), area.bottom())
        left = min(end.x(), area.right()) + 6
        box = QRectF(left, height - metrics.height() / 2, metrics.horizontalAdvance(text), metrics.height())
        for above in boxes:
            if box.intersects(above):
                box.moveTop(above.bottom())
        boxes.append(box)
    lowest = area.bottom() + metrics.capHeight() / 2
    for number in reversed(range(len(boxes))):
        box = boxes[number]
        box.moveBottom(min(box.bottom(), lowest))
        for below in reversed(boxes[number + 1 :]):
            if box.intersects(below):
                box.moveBottom(below.top())
    return boxes


def draw_legend(painter: QPainter, left: float, right: float, names: Sequence[Words]) -> None:
    """Names in a row at the top, as many as fit."""
    metrics = QFontMetricsF(painter.font())
    x, middle = left, metrics.height() / 2
    for text, color in names:
        width = metrics.horizontalAdvance(text) + 28
        if x + width > right:
            break
        painter.setPen(QPen(color, 2))
        painter.drawLine(QPointF(x, middle), QPointF(x + 10, middle))
        painter.setPen(theme.color("text"))
        painter.drawText(QPointF(x + 14, middle + metrics.capHeight() / 2), text)
        x += width


def draw_dot(painter: QPainter, spot: QPointF, color: QColor) -> None:
    """The place of a reading on its line."""
    painter.setPen(QPen(theme.color("card"), 1.5))
    painter.setBrush(color)
    painter.drawEllipse(spot, 4, 4)


def draw_box(painter: QPainter, axes: Axes, x: float, rows: Sequence[Words], *, width: float) -> None:
    """The reading beside the cursor's line, on the side where there is room."""
    metrics = QFontMetricsF(painter.font())
    wide = max(metrics.horizontalAdvance(text) for text, _ in rows) + 16
    box = QRectF(x + 10, axes.area.top() + 4, wide, len(rows) * metrics.lineSpacing() + 8)
    if box.right() > width:
        box.moveRight(x - 10)
    painter.setPen(QPen(theme.color("border"), 1.0))
    painter.setBrush(theme.color("card"))
    painter.drawRoundedRect(box, 4, 4)
    for number, (text, color) in enumerate(rows):
        painter.setPen(readable(color))
        base = box.top() + 4 + number * metrics.lineSpacing() + metrics.ascent()
        painter.drawText(QPointF(box.left() + 8, base), text)
