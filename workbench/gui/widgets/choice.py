"""One of a few: a combo box of values with titles."""

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget


class Choice(QComboBox):
    """Shows titles, speaks values. `chosen(value)` only when the user chose; the wheel scrolls the column instead."""

    chosen = Signal(str)

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_options(pairs)
        self.activated.connect(lambda _index: self.chosen.emit(self.value()))

    def set_options(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Other (value, title) pairs; the value stays where it still exists."""
        value = self.value()
        self.blockSignals(True)
        self.clear()
        for item, title in pairs:
            self.addItem(title, item)
        self.blockSignals(False)
        if value:
            self.set_value(value)

    def value(self) -> str:
        """The value that is chosen, '' while there is none."""
        data = self.currentData()
        return str(data) if data is not None else ""

    def set_value(self, value: str) -> None:
        """Shows a value without emitting; one that is not among the options is added, so that nothing is hidden."""
        index = self.findData(value)
        self.blockSignals(True)
        if index < 0:
            self.addItem(value, value)
            index = self.count() - 1
        self.setCurrentIndex(index)
        self.blockSignals(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the column; it must not change what it passes over."""
        event.ignore()
