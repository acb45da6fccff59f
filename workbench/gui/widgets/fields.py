"""One row of a form per kind of parameter: each shows a value, and tells when the user changed it."""

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.slider import Slider, scale_of
from workbench.gui.widgets.switch import Switch
from workbench.spec.params import ParamInfo

TITLE_WIDTH = 100
NUMBER_WIDTH = 64
"""Room for the longest that `format_number` writes of usual values, '0.0015' and '1.25e-4', in a wide font."""
RESET_WIDTH = 16


def format_number(value: float, *, whole: bool = False) -> str:
    """A number as a person would type it: '256', '0.40', '0.996', '5e-4'."""
    if whole:
        return f"{round(value)}"
    if value == 0:
        return "0.00"
    if abs(value) < 1e-3 or abs(value) >= 1e6:
        digits, exponent = f"{value:.2e}".split("e")
        return f"{float(digits):g}e{int(exponent)}"
    if abs(value) >= 10_000:
        return f"{value:.0f}"
    text = f"{value:.4g}"
    if abs(value) >= 10:
        return text
    whole_part, _, decimals = text.partition(".")
    return f"{whole_part}.{decimals:0<2}"


def parse_number(text: str) -> float | None:
    """What was typed, as a number; None where it is none. '1/3', '4:3' and a decimal comma are understood."""
    text = text.strip().replace("−", "-").replace(",", ".")
    for divider in ("/", ":"):
        if divider in text:
            above, _, below = text.partition(divider)
            first, second = parse_number(above), parse_number(below)
            return first / second if first is not None and second else None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class NumberEdit(QLineEdit):
    """A typed number. `entered(number)` after Enter, Tab or the arrow keys; Escape takes back what was typed."""

    entered = Signal(float)
    stepped = Signal(int)

    def __init__(self, info: ParamInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._info = info
        self._number = 0.0
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setProperty("role", "number")
        self.setFixedWidth(NUMBER_WIDTH)
        self.editingFinished.connect(self._on_finished)

    def set_number(self, number: float) -> None:
        """Shows a number without emitting."""
        self._number = number
        self.setText(format_number(number, whole=self._info.kind == "int"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down step, Escape reverts."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(1 if event.key() == Qt.Key.Key_Up else -1)
        elif event.key() == Qt.Key.Key_Escape and self.isModified():
            self.set_number(self._number)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Selects all, so that typing replaces."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def _on_finished(self) -> None:
        if not self.isModified():
            return
        number = parse_number(self.text())
        if number is None:
            self.set_number(self._number)
            return
        low = -math.inf if self._info.low is None else self._info.low
        high = math.inf if self._info.high is None else self._info.high
        number = min(high, max(low, number))
        number = float(round(number)) if self._info.kind == "int" else number
        changed = number != self._number
        self.set_number(number)
        if changed:
            self.entered.emit(number)


class NumberControl(QWidget):
    """A slider and the number beside it, always the same value."""

    changed = Signal(float)
    settled = Signal()

    def __init__(self, info: ParamInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._info = info
        self.slider = Slider(scale_of(info))
        self.edit = NumberEdit(info)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        row.addWidget(self.edit)
        self.setFocusProxy(self.slider)
        self.slider.moved.connect(self._on_moved)
        self.slider.settled.connect(self.settled)
        self.edit.entered.connect(self._on_entered)
        self.edit.stepped.connect(self.slider.step_by)

    def number(self) -> float:
        """The value."""
        return self.slider.number()

    def set_number(self, number: float) -> None:
        """Shows a value without emitting."""
        if not self.slider.isSliderDown():
            self.slider.set_scale(scale_of(self._info, number))
        self.slider.set_number(number)
        self.edit.set_number(number)

    def _on_moved(self, number: float) -> None:
        self.edit.set_number(number)
        self.changed.emit(number)

    def _on_entered(self, number: float) -> None:
        self.set_number(number)
        self.changed.emit(number)
        self.settled.emit()


class Field(QWidget):
    """Base of the rows: title, control, reset. `edited(value)` while the user changes it, `settled` after.

    The value's type is the parameter's: int, float, bool, str, or a pair of floats.
    """

    edited = Signal(object)
    settled = Signal()

    def __init__(self, info: ParamInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.info = info
        self._default = info.default
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)
        self._reset = QToolButton()
        self._reset.setText("↺")
        self._reset.setAutoRaise(True)
        self._reset.setProperty("kind", "reset")
        self._reset.setFixedWidth(RESET_WIDTH)
        self._reset.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        policy = self._reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._reset.setSizePolicy(policy)
        self._reset.clicked.connect(self.reset)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu_requested)

    def value(self) -> Any:
        """The value as it is shown."""
        raise NotImplementedError

    def _show_value(self, value: Any) -> None:
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Shows a value without emitting."""
        self._show_value(value)
        self._mark()

    def set_default(self, default: Any) -> None:
        """What reset goes back to, where that is not the declared default."""
        self._default = default
        self._mark()

    def reset(self) -> None:
        """Back to the default, as an edit of the user's."""
        self.set_value(self._default)
        self.edited.emit(self.value())
        self.settled.emit()

    @property
    def is_default(self) -> bool:
        """Whether there is nothing to reset."""
        return _same(self.value(), self._default)

    def _add_row(self, title: str, control: QWidget, *, with_reset: bool = True) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        label = QLabel(f"{title}, {self.info.unit}" if self.info.unit else title)
        label.setProperty("role", "secondary")
        label.setFixedWidth(TITLE_WIDTH)
        label.setWordWrap(True)
        label.setBuddy(control)
        row.addWidget(label)
        row.addWidget(control, 1)
        if with_reset:
            row.addWidget(self._reset)
        else:
            empty = QWidget()
            empty.setFixedWidth(RESET_WIDTH)
            row.addWidget(empty)
        self._rows.addLayout(row)
        for part in (control, *control.findChildren(QWidget)):
            if part.focusPolicy() != Qt.FocusPolicy.NoFocus or part is control:
                part.setAccessibleName(title)
                part.setAccessibleDescription(self.info.help)
        self.setToolTip(_tooltip(self.info))

    def _tell(self) -> None:
        self._mark()
        self.edited.emit(self.value())

    def _mark(self) -> None:
        self._reset.setVisible(not self.is_default)
        self._reset.setToolTip(f"Reset to {words(self._default, self.info)}")

    def _on_menu_requested(self, point: QPoint) -> None:
        menu = QMenu(self)
        action = menu.addAction(f"Reset to {words(self._default, self.info)}", self.reset)
        action.setEnabled(not self.is_default)
        menu.exec(self.mapToGlobal(point))
        menu.deleteLater()


class NumberField(Field):
    """A whole or a real number."""

    def __init__(self, info: ParamInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        self.control = NumberControl(info)
        self._add_row(info.title, self.control)
        self.control.changed.connect(lambda _number: self._tell())
        self.control.settled.connect(self.settled)
        self.set_value(info.default)

    def value(self) -> int | float:
        """The number."""
        number = self.control.number()
        return round(number) if self.info.kind == "int" else float(number)

    def _show_value(self, value: Any) -> None:
        self.control.set_number(float(value or 0))


class RangeField(Field):
    """Two numbers, the smallest and the largest; one pushes the other along."""

    def __init__(self, info: ParamInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        self.smallest = NumberControl(info)
        self.largest = NumberControl(info)
        self._add_row(f"smallest {info.title}", self.smallest)
        self._add_row(f"largest {info.title}", self.largest, with_reset=False)
        self.smallest.changed.connect(self._on_smallest_changed)
        self.largest.changed.connect(self._on_largest_changed)
        self.smallest.settled.connect(self.settled)
        self.largest.settled.connect(self.settled)
        self.set_value(info.default)

    def value(self) -> tuple[float, float]:
        """(smallest, largest)."""
        return float(self.smallest.number()), float(self.largest.number())

    def _show_value(self, value: Any) -> None:
        smallest, largest = value or (0.0, 1.0)
        self.smallest.set_number(float(smallest))
        self.largest.set_number(float(largest))

    def _on_smallest_changed(self, number: float) -> None:
        if number > self.largest.number():
            self.largest.set_number(number)
        self._tell()

    def _on_largest_changed(self, number: float) -> None:
        if number < self.smallest.number():
            self.smallest.set_number(number)
        self._tell()


class SwitchField(Field):
    """Yes or no."""

    def __init__(self, info: ParamInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        self.switch = Switch(info.title)
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(self.switch)
        holder.setFocusProxy(self.switch)
        self._add_row(info.title, holder)
        self.switch.toggled.connect(self._on_toggled)
        self.set_value(info.default)

    def value(self) -> bool:
        """Whether it is on."""
        return self.switch.isChecked()

    def _show_value(self, value: Any) -> None:
        self.switch.set_on(bool(value))

    def _on_toggled(self, _on: bool) -> None:
        self._tell()
        self.settled.emit()


class ChoiceField(Field):
    """One of a few; also a text whose values are known (`pairs` of value and title)."""

    def __init__(self, info: ParamInfo, pairs: Sequence[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        self.combo = Choice(pairs or [(choice, choice.replace("_", " ")) for choice in info.choices])
        self._add_row(info.title, self.combo)
        self.combo.chosen.connect(self._on_chosen)
        self.set_value(info.default)

    def value(self) -> str:
        """The chosen value."""
        return self.combo.value()

    def set_options(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Other values to choose from."""
        self.combo.set_options(pairs)
        self._mark()

    def _show_value(self, value: Any) -> None:
        self.combo.set_value(str(value))

    def _on_chosen(self, _value: str) -> None:
        self._tell()
        self.settled.emit()


class TextField(Field):
    """A line of text, told when it is finished."""

    def __init__(self, info: ParamInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        self.line = QLineEdit()
        self.line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._add_row(info.title, self.line)
        self._told = ""
        self.line.editingFinished.connect(self._on_finished)
        self.set_value(info.default)

    def value(self) -> str:
        """The text."""
        return self.line.text()

    def _show_value(self, value: Any) -> None:
        self._told = str(value or "")
        if self.line.text() != self._told:
            self.line.setText(self._told)

    def _on_finished(self) -> None:
        if self.line.text() != self._told:
            self._told = self.line.text()
            self._tell()
            self.settled.emit()


def field_for(info: ParamInfo, pairs: Sequence[tuple[str, str]] = ()) -> Field:
    """The row for a parameter. `pairs` makes a text a choice."""
    if info.kind == "choice" or pairs:
        return ChoiceField(info, pairs)
    kinds: dict[str, type[Field]] = {
        "int": NumberField,
        "float": NumberField,
        "range": RangeField,
        "bool": SwitchField,
        "text": TextField,
    }
    return kinds[info.kind](info)


def words(value: Any, info: ParamInfo) -> str:
    """A value in a sentence: '0.40', 'on', '0.20 to 1.00'."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (tuple, list)):
        return " to ".join(format_number(float(number)) for number in value)
    if isinstance(value, (int, float)):
        return format_number(value, whole=info.kind == "int")
    return str(value) if value not in (None, "") else "nothing"


def _tooltip(info: ParamInfo) -> str:
    bounds = ""
    if info.kind in ("int", "float", "range") and info.low is not None and info.high is not None:
        bounds = f"{words(info.low, info)} to {words(info.high, info)}{' ' + info.unit if info.unit else ''}"
    lines = [info.help or info.title, bounds and f"Allowed: {bounds}.", f"Usual: {words(info.default, info)}."]
    return "\n".join(line for line in lines if line)


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, (tuple, list)):
        return isinstance(value, (tuple, list)) and all(_same(a, b) for a, b in zip(value, default))
    if isinstance(default, float):
        return math.isclose(value, default, rel_tol=1e-9, abs_tol=1e-12)
    return bool(value == default)
