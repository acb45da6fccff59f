"""A line plot: no frame, a faint grid, names at the ends of lines, the value under the cursor.

Painted here with QPainter rather than by a plot library: what a line needs is thinned to four points per
pixel column first, so ten million points cost as much to draw as four thousand, and the picture is kept
until data, size or theme change; moving the cursor paints no curve.
"""

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui import theme
from workbench.gui.widgets import curve_paint, ticks
from workbench.gui.widgets.curve_paint import Axes, Line, Words, curve_color
from workbench.gui.widgets.series import Curve, Level, Trace, Values, envelope, visible

_DIRECT = 4
"""Up to so many curves have their names at their ends; more have a legend above."""


_FAINT = {False: 0.35, True: 0.6}
"""How strong what was measured stands behind its smoothed line, on light and on dark."""


class CurvePlot(QWidget):
    """Curves over one axis. The wheel zooms around the cursor, a drag pans, a double click shows everything."""

    def __init__(self, *, x_label: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._x_label = x_label
        self._traces: list[Trace] = []
        self._levels: tuple[Level, ...] = ()
        self._weight = 0.0
        self._logarithmic = False
        self._x_range: tuple[float, float] | None = None
        self._y_limits: tuple[float, float] | None = None
        self._y_span = 0.0
        self._text: Callable[[float], str] = ticks.value_text
        self._mark_text: Callable[[float, float], str] = ticks.tick_text
        self._view: tuple[float, float] | None = None
        self._axes: Axes | None = None
        self._picture: QPixmap | None = None
        self._cursor: QPointF | None = None
        self._grabbed: tuple[float, tuple[float, float]] | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 96)
        theme.changed.connect(self._redraw)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """What is shown."""
        return tuple(trace.curve for trace in self._traces)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The lines to compare with."""
        return self._levels

    def set_curves(self, curves: Sequence[Curve], levels: Sequence[Level] = ()) -> None:
        """Shows these. A curve whose arrays are the same objects as before keeps its smoothed values."""
        known = {(id(trace.curve.x), id(trace.curve.y)): trace for trace in self._traces}
        self._traces = []
        for curve in curves:
            trace = known.pop((id(curve.x), id(curve.y)), None) or Trace(curve=curve)
            trace.curve = curve
            self._traces.append(trace)
        self._levels = tuple(levels)
        self._redraw()

    def set_smoothing(self, weight: float) -> None:
        """From 0 (as measured) to below 1; only curves that say `smoothed` follow."""
        self._weight = weight
        self._redraw()

    def set_logarithmic(self, on: bool) -> None:
        """A logarithmic y axis; values of 0 and less are then left out."""
        self._logarithmic = on
        self._redraw()

    def set_x_range(self, low: float, high: float) -> None:
        """What is shown along x although curves do not fill it yet (all epochs of a run)."""
        self._x_range = (low, high) if high > low else None
        self._redraw()

    def set_y_limits(self, low: float, high: float, *, span: float = 0.0) -> None:
        """y never shows more than this (an accuracy has no marks above 1), and never less than `span`."""
        self._y_limits, self._y_span = (low, high), span
        self._redraw()

    def set_value_text(self, text: Callable[[float], str]) -> None:
        """How the value under the cursor is written."""
        self._text = text

    def set_mark_text(self, text: Callable[[float, float], str]) -> None:
        """How a value at a mark of a linear y axis is written; the second number is the step between marks."""
        self._mark_text = text
        self._redraw()

    def sizeHint(self) -> QSize:
        """Wide and not high."""
        return QSize(480, 240)

    # What is shown

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Another font asks for another picture."""
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._redraw()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another size asks for another picture."""
        self._redraw()
        super().resizeEvent(event)

    def _whole_x(self) -> tuple[float, float]:
        ends = [(trace.x[0], trace.x[-1]) for trace in self._traces if len(trace.x)]
        if self._x_range:
            ends.append(self._x_range)
        if not ends:
            return 0.0, 1.0
        low, high = min(first for first, _ in ends), max(last for _, last in ends)
        return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)

    def _transformed(self, values: Values) -> Values:
        if not self._logarithmic:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(values)

    def _height_of(self, value: float) -> float | None:
        """A value on the axis; None where a logarithmic axis has no place for it."""
        height = float(self._transformed(np.array([value]))[0])
        return height if np.isfinite(height) else None

    def _thinned(self, trace: Trace, x_range: tuple[float, float], *, raw: bool) -> Line:
        part = visible(trace.x, *x_range)
        y = trace.y if raw else trace.values(self._weight)
        x, y = envelope(trace.x[part], y[part], *x_range, max(1, self.width()))
        y = self._transformed(y)
        good = np.isfinite(y)
        return x[good], y[good]

    def _y_range(self, lines: Sequence[Line]) -> tuple[float, float]:
        ends = [float(end) for _, y in lines if len(y) for end in (y.min(), y.max())]
        ends += [height for level in self._levels if (height := self._height_of(level.y)) is not None]
        if not ends:
            return 0.0, 1.0
        low, high = min(ends), max(ends)
        missing = max(0.0, self._y_span - (high - low)) / 2
        low, high = low - missing, high + missing
        return (0.0, high) if not self._logarithmic and 0 < low < 0.4 * high else (low, high)

    # The picture

    def paintEvent(self, event: QPaintEvent) -> None:
        """The kept picture, and the cursor over it."""
        del event
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatio() != ratio:
            picture = QPixmap(self.size() * ratio)
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
            with QPainter(picture) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setFont(curve_paint.small_font(self.font()))
                self._draw(painter)
            self._picture = picture
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._picture)
            if self._cursor is not None and self._axes is not None:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setFont(curve_paint.small_font(self.font()))
                self._draw_cursor(painter, self._axes, self._cursor)

    def _draw(self, painter: QPainter) -> None:
        x_range = self._view or self._whole_x()
        smoothed = [trace for trace in self._traces if trace.curve.smoothed and self._weight > 0]
        raw = [self._thinned(trace, x_range, raw=True) for trace in smoothed]
        lines = [self._thinned(trace, x_range, raw=False) for trace in self._traces]
        marks = self._y_marks(self._y_range([*lines, *map(_core, raw)]), self.height() - 24.0)
        axes = self._lay_out(QFontMetricsF(painter.font()), x_range, marks)
        self._axes = axes
        curve_paint.draw_grid(painter, axes, marks, x_label=self._x_label, width=float(self.width()))
        painter.save()
        painter.setClipRect(axes.area.adjusted(-1, -2, 1, 2))
        faint = _FAINT[theme.tokens().dark]
        for trace, line in zip(smoothed, raw, strict=True):
            curve_paint.draw_line(painter, axes, line, curve_color(trace.curve.color), strength=faint)
        for level in self._levels:
            if (height := self._height_of(level.y)) is not None:
                curve_paint.draw_level(painter, axes, height, dotted=level.dotted)
        for trace, line in zip(self._traces, lines, strict=True):
            curve_paint.draw_line(painter, axes, line, curve_color(trace.curve.color), width=1.6)
        painter.restore()
        self._draw_words(painter, axes, lines)

    def _y_marks(self, y_range: tuple[float, float], height: float) -> list[tuple[float, str]]:
        wanted = max(2, int(height / 56))
        if self._logarithmic:
            return [(exponent, ticks.log_text(exponent)) for exponent in ticks.log_ticks(*y_range, wanted)]
        values, step = ticks.linear_ticks(*y_range, wanted)
        if self._y_limits:
            least, greatest = self._y_limits
            values = [value for value in values if least - step * 1e-6 <= value <= greatest + step * 1e-6]
        if len(values) < 2:  # nothing but one value, at a limit
            values = [y_range[0] - step, y_range[1] + step]
        return [(value, self._mark_text(value, step)) for value in values]

    def _lay_out(self, metrics: QFontMetricsF, x_range: tuple[float, float], marks: list[tuple[float, str]]) -> Axes:
        top = 8.0 if len(self._traces) <= _DIRECT else 12.0 + metrics.height()
        bottom = self.height() - metrics.height() - 8.0
        left = max(metrics.horizontalAdvance(text) for _, text in marks) + 10.0
        right = float(self.width()) - 4.0
        right -= self._room_for_names(metrics, x_range, right - left)
        area = QRectF(left, top, max(16.0, right - left), max(16.0, bottom - top))
        return Axes(area=area, x=x_range, y=(marks[0][0], marks[-1][0]))

    def _room_for_names(self, metrics: QFontMetricsF, x_range: tuple[float, float], width: float) -> float:
        """How far the area must end before the right border, so that every name at a line's end fits."""
        room = max((metrics.horizontalAdvance(level.label) + 8 for level in self._levels), default=0.0)
        for trace in self._traces if len(self._traces) <= _DIRECT else ():
            name = trace.curve.note or trace.curve.label
            if name and len(trace.x):
                share = min(1.0, max(0.0, (trace.x[-1] - x_range[0]) / (x_range[1] - x_range[0])))
                text = metrics.horizontalAdvance(name) + 8
                # The line ends at share * (width - room), and its name must end at width.
                room = max(room, width - (width - text) / share if share > 0 else 0.0)
        return min(room, width * 0.5)

    def _draw_words(self, painter: QPainter, axes: Axes, lines: Sequence[Line]) -> None:
        """Names of levels and, up to four, of curves at their ends; a legend for more."""
        gray = theme.color("secondary")
        names: list[tuple[QPointF, Words]] = [
            (axes.spot(axes.x[1], height), (level.label, gray))
            for level in self._levels
            if (height := self._height_of(level.y)) is not None
        ]
        if len(self._traces) <= _DIRECT:
            for trace, (x, y) in zip(self._traces, lines, strict=True):
                words = (trace.curve.note or trace.curve.label, curve_color(trace.curve.color))
                if words[0] and len(x):
                    names.append((axes.spot(float(x[-1]), float(y[-1])), words))
        else:
            legend = [(trace.curve.label, curve_color(trace.curve.color)) for trace in self._traces]
            curve_paint.draw_legend(painter, axes.area.left(), float(self.width()), legend)
        curve_paint.draw_names(painter, axes, names)

    # The cursor

    def reading(self, x: float) -> list[tuple[Curve, float, float]]:
        """What each curve that reaches `x` shows at its point nearest to it: (curve, x, y)."""
        found = []
        for trace in self._traces:
            if len(trace.x) and trace.x[0] <= x <= trace.x[-1]:
                at = int(np.searchsorted(trace.x, x))
                if at > 0 and (at == len(trace.x) or x - trace.x[at - 1] < trace.x[at] - x):
                    at -= 1
                found.append((trace.curve, float(trace.x[at]), float(trace.values(self._weight)[at])))
        return found

    def _draw_cursor(self, painter: QPainter, axes: Axes, cursor: QPointF) -> None:
        reading = self.reading(axes.from_x(cursor.x()))
        if not reading:
            return
        gray, at = theme.color("secondary"), reading[0][1]
        x = axes.spot(at, 0.0).x()
        painter.setPen(QPen(gray, 1.0, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, axes.area.top()), QPointF(x, axes.area.bottom()))
        rows: list[Words] = [(f"{self._x_label} {ticks.value_text(at)}".strip(), gray)]
        for curve, where, value in reading[:12]:
            if (height := self._height_of(value)) is not None:
                curve_paint.draw_dot(painter, axes.spot(where, height), curve_color(curve.color))
            rows.append((f"{curve.label} {self._text(value)}", curve_color(curve.color)))
        curve_paint.draw_box(painter, axes, x, rows, width=float(self.width()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Reads values, or pans while the button is down."""
        self._cursor = event.position()
        if self._grabbed and self._axes:
            start, (low, high) = self._grabbed
            shift = (start - event.position().x()) * (high - low) / self._axes.area.width()
            self._look_at(low + shift, high + shift)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Takes hold."""
        if event.button() == Qt.MouseButton.LeftButton and self._view:
            self._grabbed = (event.position().x(), self._view)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Lets go."""
        del event
        self._grabbed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Everything again."""
        del event
        self._view = None
        self._redraw()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms x around the cursor."""
        turn = event.angleDelta().y()
        if not self._axes or not turn:
            event.ignore()
            return
        low, high = self._view or self._whole_x()
        center, factor = self._axes.from_x(event.position().x()), 0.998**turn
        self._look_at(center - (center - low) * factor, center + (high - center) * factor)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """No value without a cursor."""
        self._cursor = None
        self.update()
        super().leaveEvent(event)

    def _look_at(self, low: float, high: float) -> None:
        least, greatest = self._whole_x()
        span = min(high - low, greatest - least)
        if span <= (greatest - least) * 1e-6:
            return
        low = min(max(low, least), greatest - span)
        self._view = None if span >= greatest - least else (low, low + span)
        self._redraw()


def _core(line: Line) -> Line:
    """The middle 98 % of a noisy line: single spikes must not decide what the axis shows."""
    x, y = line
    if len(y) < 50:
        return line
    low, high = np.quantile(y, (0.01, 0.99))
    inside = (y >= low) & (y <= high)
    return x[inside], y[inside]
