"""Tables: a few facts in rows, and the long ones that a model fills."""

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QGridLayout, QHeaderView, QLabel, QTableView, QWidget

from workbench.gui.widgets.rule import Rule

Fact = tuple[str, str, str]
"""(name, value, note); the note's column stands at the far right and is left out where all notes are empty."""


class FactTable(QWidget):
    """Rows of (name, value, note) with hairlines between them; numbers right-aligned.

    Setting rows of the same number only changes the words, so it may be done every half second.
    """

    def __init__(self, rows: Sequence[Fact] = (), *, header: Fact | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._header = header
        self._labels: list[tuple[QLabel, QLabel, QLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(0)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(0, 1)
        self._rows: tuple[Fact, ...] = ()
        self.set_rows(rows)

    @property
    def rows(self) -> tuple[Fact, ...]:
        """What is shown."""
        return self._rows

    def set_rows(self, rows: Sequence[Fact]) -> None:
        """Shows other rows."""
        self._rows = tuple(rows)
        shown = (self._header, *self._rows) if self._header else self._rows
        if len(shown) != len(self._labels):
            self._rebuild(len(shown))
        with_notes = any(note for _, _, note in shown)
        for labels, words in zip(self._labels, shown, strict=True):
            for label, text in zip(labels, words, strict=True):
                if label.text() != text:
                    label.setText(text)
            labels[2].setVisible(with_notes)

    def set_tip(self, row: int, text: str) -> None:
        """An explanation on hover of one row (the header not counted)."""
        for label in self._labels[row + (1 if self._header else 0)]:
            label.setToolTip(text)

    def _rebuild(self, count: int) -> None:
        while item := self._grid.takeAt(0):
            if widget := item.widget():
                widget.hide()  # It would stay in sight until the event loop comes round.
                widget.deleteLater()
        self._labels = []
        for number in range(count):
            self._labels.append(self._add_row(number, first=number == 0, last=number == count - 1))

    def _add_row(self, number: int, *, first: bool, last: bool) -> tuple[QLabel, QLabel, QLabel]:
        name, value, note = QLabel(), QLabel(), QLabel()
        name.setWordWrap(True)
        value.setContentsMargins(12, 0, 0, 0)
        note.setContentsMargins(12, 0, 0, 0)
        value.setProperty("role", "number")
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        note.setProperty("role", "secondary")
        note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        is_header = first and self._header is not None
        for column, label in enumerate((name, value, note)):
            label.setMinimumHeight(26)
            if is_header:
                label.setProperty("role", "secondary")
            self._grid.addWidget(label, 2 * number, column)
        if not last:
            self._grid.addWidget(Rule(), 2 * number + 1, 0, 1, 3)
        return name, value, note


class LongTable(QTableView):
    """A table of a model with many rows: whole rows are chosen, a click on a heading sorts."""

    def __init__(self, model: QAbstractItemModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(32)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setSortingEnabled(True)
