"""The large card: every image of the folder, filtered by class, side and name, and the broken files."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.gui import words
from workbench.gui.bridge import Engine
from workbench.gui.pages.data import facts
from workbench.gui.pages.data.division import Division
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.gallery import Gallery, Mapped
from workbench.spec.dataset import BrokenFile, ScanReport

_ALL = ""
_ORDERS = (("mixed", "Mixed"), ("name", "By name"))
_SIDES = ((_ALL, "Both sides"), ("train", "Train"), ("test", "Test"))


class PicturesCard(Card):
    """Shows a scan. `row_chosen` gives the scan's row of the picture that was clicked."""

    row_chosen = Signal(int)

    def __init__(self, engine: Engine, division: Division, parent: QWidget | None = None) -> None:
        super().__init__("Images", parent=parent)
        self._division = division
        self._scan: ScanReport | None = None
        self._ending = ""
        self._rows = np.empty(0, np.int64)
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(False)  # There are two, and there is room.
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find by name")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(200)
        self.search.setAccessibleName("Find images by name")
        self.label_choice = Choice([(_ALL, "All classes")])
        self.label_choice.setAccessibleName("Class")
        self.label_choice.setFixedWidth(160)
        self.side_choice = Choice(_SIDES)
        self.side_choice.setAccessibleName("Side of the split")
        self.side_choice.setFixedWidth(120)
        self.order_choice = Choice(_ORDERS)
        self.order_choice.setAccessibleName("Order")
        self.order_choice.setFixedWidth(104)
        self.gallery = Gallery(engine)
        self.broken = _BrokenTable()
        self.none_found = EmptyState("search", "No image fits", "Change the name, the class or the side.")
        self.line = QLabel()
        self.line.setProperty("role", "caption")
        self.line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._stack = QStackedWidget()
        self._stack.setProperty("surface", "inside")
        for widget in (self.gallery, self.none_found, self.broken):
            self._stack.addWidget(widget)
        self._lay_out()
        self._soon = QTimer(self, singleShot=True, interval=150)
        self._soon.timeout.connect(self._filter)
        self.search.textChanged.connect(lambda: self._soon.start())
        self.label_choice.chosen.connect(self._filter)
        self.side_choice.chosen.connect(self._filter)
        self.order_choice.chosen.connect(self._filter)
        self.tabs.currentChanged.connect(self._show_tab)
        self.gallery.chosen.connect(self._on_chosen)
        division.changed.connect(self._on_divided)

    def show_scan(self, scan: ScanReport) -> None:
        """Shows another folder."""
        self._scan = scan
        self._ending = facts.common_ending(scan.paths)
        self.set_title(facts.name_of(scan))
        self.search.clear()
        while self.tabs.count():
            self.tabs.removeTab(0)
        self.tabs.addTab("Images")
        if scan.broken:
            self.tabs.addTab(f"Broken ({len(scan.broken):,})")
        self.tabs.setVisible(bool(scan.broken))
        self.broken.show_files(scan.broken)
        self._on_divided()

    @property
    def rows(self) -> NDArray[np.int64]:
        """The scan's rows that are shown."""
        return self._rows

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.setSpacing(8)
        filters.addWidget(self.tabs)
        filters.addStretch(1)
        filters.addWidget(self.search)
        filters.addWidget(self.label_choice)
        filters.addWidget(self.side_choice)
        filters.addWidget(self.order_choice)
        self.content.addLayout(filters)
        self.content.addWidget(self._stack, 1)
        self.content.addWidget(self.line)

    def _on_divided(self) -> None:
        chosen = self.label_choice.value()
        classes = self._division.classes
        self.label_choice.set_options([(_ALL, "All classes"), *((name, name) for name in classes)])
        self.label_choice.set_value(chosen if chosen in classes else _ALL)
        self.label_choice.setVisible(bool(classes))
        self._filter()

    def _filter(self) -> None:
        scan = self._scan
        if scan is None:
            return
        typed = self.search.text().strip().lower()
        rows = self._division.rows(scan.count, self.label_choice.value(), self.side_choice.value())
        if typed:
            rows = rows[[typed in scan.paths[row].lower() for row in rows.tolist()]]
        if self.order_choice.value() == "mixed":
            rows = np.random.default_rng(0).permutation(rows)
        self._rows = rows
        self.gallery.set_items(
            scan.folder,
            Mapped(rows, lambda row: scan.paths[row]),
            Mapped(rows, lambda row: facts.caption(scan.paths[row], self._ending)),
            marks=Mapped(rows, self._division.number),
        )
        shown = words.counted(len(rows), "image")
        note = shown if len(rows) == scan.count else f"{len(rows):,} of {words.counted(scan.count, 'image')}"
        planes = facts.planes_of(scan)
        self.set_note(f"{note} · {words.shown_planes(planes)}, each from its own range" if planes > 1 else note)
        self.line.setText("Click a picture for its details.")
        self._show_tab()

    def _show_tab(self) -> None:
        if self.tabs.currentIndex() == 1:
            self._stack.setCurrentWidget(self.broken)
        else:
            self._stack.setCurrentWidget(self.gallery if len(self._rows) else self.none_found)
        for widget in (self.search, self.side_choice, self.order_choice, self.line):
            widget.setVisible(self.tabs.currentIndex() != 1)
        self.label_choice.setVisible(self.tabs.currentIndex() != 1 and bool(self._division.classes))

    def _on_chosen(self, number: int) -> None:
        scan = self._scan
        if scan is None:
            return
        row = int(self._rows[number])
        text = facts.image_line(scan, row, label=self._division.label(row), part=self._division.part(row))
        self.line.setText(text)
        self.line.setToolTip(text)
        self.row_chosen.emit(row)


class _BrokenTable(QWidget):
    """Which files could not be read, and why."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        words_above = QLabel(
            "These files look like images and cannot be read. They are left out; nothing else is affected."
        )
        words_above.setProperty("role", "secondary")
        words_above.setWordWrap(True)
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels(["File", "Why"])
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # A path's end is its file.
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(words_above)
        column.addWidget(self.table, 1)

    def show_files(self, files: Sequence[BrokenFile]) -> None:
        """Fills the table."""
        self.table.setRowCount(len(files))
        for row, file in enumerate(files):
            for column, text in enumerate((file.path, file.reason)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(row, column, item)
