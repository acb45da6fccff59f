"""A slider for numbers: linear or logarithmic, painted thin, and never moved by a wheel that wants to scroll."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from workbench.gui import theme
from workbench.spec.params import ParamInfo

_TICKS = 10_000
_RADIUS = 5.5


@dataclass(frozen=True, slots=True)
class Scale:
    """How a number maps to a position from 0 to 1. A logarithmic scale from 0 keeps its left end for 0 itself.

    unit: the step between neighboring values; 0 for one that suits the range.
    """

    low: float
    high: float
    logarithmic: bool = False
    whole: bool = False
    unit: float = 0.0

    def position(self, value: float) -> float:
        """Where a value lies; values outside lie at the ends."""
        if value <= self.low or self.high <= self.low:
            return 0.0
        if value >= self.high:
            return 1.0
        if not self.logarithmic:
            return (value - self.low) / (self.high - self.low)
        floor = self._floor()
        start = 0.0 if self.low > 0 else 0.02
        part = math.log(max(value, floor) / floor) / math.log(self.high / floor)
        return start + (1 - start) * part

    def value(self, position: float) -> float:
        """The value at a position, rounded to what a person would type."""
        if position <= 0:
            return self.low
        if position >= 1:
            return self.high
        if not self.logarithmic:
            return self._rounded(self.low + position * (self.high - self.low))
        start = 0.0 if self.low > 0 else 0.02
        if position < start:
            return self.low
        floor = self._floor()
        return self._rounded(floor * (self.high / floor) ** ((position - start) / (1 - start)))

    def step(self, value: float, steps: int) -> float:
        """The value some keyboard steps away; always a different one inside the scale."""
        if self.whole and not self.logarithmic:
            return self._inside(value + steps * self._unit())
        moved = self.value(self.position(value) + steps * 0.01)
        for extra in range(2, 40):
            if moved != value:
                break
            moved = self.value(self.position(value) + steps * 0.01 * extra)
        return self._inside(moved)

    def _floor(self) -> float:
        """The smallest value on a logarithmic scale."""
        if self.low > 0:
            return self.low
        return 1.0 if self.whole else self.high * 1e-6

    def _unit(self) -> float:
        span = self.high - self.low
        if self.unit:
            return self.unit
        if self.whole:
            return 1.0 if span <= 250 else 8.0 if span <= 5000 else 10 ** math.floor(math.log10(span / 200))
        return float(10 ** math.floor(math.log10(span / 50))) if span > 0 else 1.0

    def _rounded(self, value: float) -> float:
        if not self.logarithmic:
            unit = self._unit()
            anchor = self.low if self.whole and self.low % unit else 0.0
            return self._inside(round(anchor + round((value - anchor) / unit) * unit, 10))
        if self.whole:
            power = 2.0 ** math.floor(math.log2(max(value, 1)))
            return self._inside(min((power, power * 1.5, power * 2), key=lambda near: abs(near - value)) // 1)
        digits = 1 - math.floor(math.log10(abs(value))) if value else 2
        return self._inside(round(value, digits))

    def _inside(self, value: float) -> float:
        return min(self.high, max(self.low, value))


def scale_of(info: ParamInfo, value: float | None = None) -> Scale:
    """The scale for a parameter: its bounds, or a sensible part of them where they are huge.

    It always holds `value` (the present one), so that a number that was typed stays where it is.
    """
    whole = info.kind == "int"
    numbers = info.default if isinstance(info.default, (tuple, list)) else (info.default or 0,)
    typical = max(abs(float(number)) for number in numbers)
    low = info.low if info.low is not None else 0.0 if typical >= 0 else -typical
    high = info.high if info.high is not None else math.inf
    logarithmic = info.logarithmic
    huge = high > 1 and high - low > 100 * max(typical, 1e-12)
    if logarithmic and not whole and typical > 0:
        low, high = max(low, typical / 1000), min(high, typical * 100)
    elif huge and whole and high > 5000:
        logarithmic = True
        high = min(high, max(1000.0, typical * 10)) if typical else min(high, 1e6)
    elif huge or high == math.inf:
        high = min(high, typical * 10 if typical else 20.0)
    if value is not None and math.isfinite(value):
        low, high = min(low, value), max(high, value)
    return Scale(low, high, logarithmic, whole)


class Slider(QSlider):
    """A horizontal slider over a `Scale`. Emits `moved` for every step, `settled` when a gesture is over."""

    moved = Signal(float)
    settled = Signal()

    def __init__(self, scale: Scale, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._scale = scale
        self._number = scale.low
        self.setRange(0, _TICKS)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(48)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def number(self) -> float:
        """The value."""
        return self._number

    def set_scale(self, scale: Scale) -> None:
        """Another range; the number stays."""
        if scale != self._scale:
            self._scale = scale
            self.set_number(self._number)

    def set_number(self, number: float) -> None:
        """Moves the handle without emitting."""
        self._number = number
        self.setValue(round(self._scale.position(number) * _TICKS))
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(112, 24)

    def minimumSizeHint(self) -> QSize:
        """Still usable."""
        return QSize(48, 24)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Jumps to the pointer and follows it."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.setSliderDown(True)
        self._go_to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follows the pointer."""
        if self.isSliderDown():
            self._go_to(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The drag is over."""
        if self.isSliderDown():
            self.setSliderDown(False)
            self.settled.emit()
            self.update()
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows step, Page Up and Down step by ten, Home and End go to the ends."""
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Down: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: 1,
            Qt.Key.Key_PageDown: -10,
            Qt.Key.Key_PageUp: 10,
        }.get(Qt.Key(event.key()))
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            event.ignore()
        elif steps is not None:
            self.step_by(steps)
        elif event.key() == Qt.Key.Key_Home:
            self._take(self._scale.low)
        elif event.key() == Qt.Key.Key_End:
            self._take(self._scale.high)
        else:
            event.ignore()

    def step_by(self, steps: int) -> None:
        """Steps as the arrow keys do, and emits."""
        self._take(self._scale.step(self._number, steps))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """What was done with the keyboard is one gesture until now."""
        super().focusOutEvent(event)
        self.settled.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the column; it must not change what it passes over."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A thin track, filled up to a hollow handle."""
        del event
        tokens = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = QColor(tokens.accent if self.isEnabled() else tokens.scroll)
        middle = self.height() / 2
        left, right = self._ends()
        x = left + (right - left) * self.value() / _TICKS
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.track))
        painter.drawRoundedRect(QRectF(left - 2, middle - 2, right - left + 4, 4), 2, 2)
        painter.setBrush(accent)
        painter.drawRoundedRect(QRectF(left - 2, middle - 2, x - left + 2, 4), 2, 2)
        painter.setBrush(QColor(tokens.card))
        painter.setPen(QPen(accent, 2))
        painter.drawEllipse(QPointF(x, middle), _RADIUS, _RADIUS)
        if self.hasFocus():
            halo = QColor(accent)
            halo.setAlpha(70)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(halo, 3))
            painter.drawEllipse(QPointF(x, middle), _RADIUS + 2.5, _RADIUS + 2.5)

    def _ends(self) -> tuple[float, float]:
        return 9.0, self.width() - 9.0

    def _go_to(self, point: QPointF) -> None:
        left, right = self._ends()
        self._take(self._scale.value((point.x() - left) / max(1.0, right - left)))

    def _take(self, number: float) -> None:
        if number != self._number:
            self.set_number(number)
            self.moved.emit(number)
