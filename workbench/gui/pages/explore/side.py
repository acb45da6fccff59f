"""The right column of the Explore page: the selection, an image's neighbors, the classes."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.gui import words
from workbench.gui.bridge import Engine
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.chip import Chip
from workbench.gui.widgets.errors import Words, show_failure
from workbench.gui.widgets.gallery import Gallery
from workbench.runs.split import SplitTable

NEIGHBORS = 8
_NAMED = 3


class SelectionCard(Card):
    """The images that the lasso caught. `picked(row of split.csv)`, `cleared`."""

    picked = Signal(int)
    cleared = Signal()

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__("Selection", parent=parent)
        self._table: SplitTable | None = None
        self._rows: NDArray[np.int64] = np.empty(0, np.int64)
        self.gallery = Gallery(engine, 44, gap=4)
        self.gallery.chosen.connect(lambda number: self.picked.emit(int(self._rows[number])))
        self._words = QLabel()
        self._words.setProperty("role", "secondary")
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._export = QPushButton("Export list")
        self._export.setToolTip("A CSV with the path and the labels of every selected image.")
        self._export.clicked.connect(self._on_export)
        self._clear = QPushButton("Clear")
        self._clear.setToolTip("Escape")
        self._clear.clicked.connect(self.cleared)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._export)
        buttons.addWidget(self._clear)
        buttons.addStretch(1)
        self.content.addWidget(self._words)
        self.content.addWidget(self.gallery, 1)
        self.content.addLayout(buttons)
        self._buttons = (self._export, self._clear)
        self.show_rows(None, "", self._rows, ())

    @property
    def rows(self) -> NDArray[np.int64]:
        """The selected rows of split.csv."""
        return self._rows

    def show_rows(self, table: SplitTable | None, folder: str, rows: NDArray[np.int64], names: Sequence[str]) -> None:
        """Shows these images. names: the class of each in the chosen column, "" where unknown."""
        self._table, self._rows = table, rows
        some = table is not None and len(rows) > 0
        self.gallery.setVisible(some)
        for button in self._buttons:
            button.setVisible(some)
        self.set_note(words.counted(len(rows), "image") if some else "")
        if table is None or not some:
            self._words.setText("Draw around points with the lasso, or hold Shift and drag. Their images appear here.")
            self._words.show()
            return
        common = Counter(name for name in names if name).most_common(_NAMED)
        self._words.setText(", ".join(f"{name} {100 * count / len(names):.0f} %" for name, count in common))
        self._words.setVisible(bool(common))
        self.gallery.set_items(folder, [table.paths[row] for row in rows])

    def write_list(self, file: Path) -> None:
        """Writes the selection as CSV. Raises OSError."""
        assert self._table is not None
        with file.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("path", "part", "label", *self._table.factors))
            for row in self._rows.tolist():
                table = self._table
                factors = [values[row] for values in table.factors.values()]
                writer.writerow((table.paths[row], table.parts[row], table.labels[row], *factors))

    def _on_export(self) -> None:
        start = str(QSettings().value("explore/list", "selection.csv"))
        name, _ = QFileDialog.getSaveFileName(self, "Export the list of selected images", start, "Tables (*.csv)")
        if not name:
            return
        QSettings().setValue("explore/list", name)
        try:
            self.write_list(Path(name))
        except OSError as error:
            show_failure(self, Words(f"The list could not be written to {name}: {error.strerror or error}."))


class NearestCard(Card):
    """The images that the encoder finds most similar to one. `picked(row of split.csv)`."""

    picked = Signal(int)

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__("Nearest", parent=parent)
        self._rows: list[int] = []
        self._chip = Chip("")
        self.corner.addWidget(self._chip)
        self._words = QLabel("Click on a point to see the images that the encoder finds most similar to it.")
        self._words.setProperty("role", "secondary")
        self._words.setWordWrap(True)
        self.gallery = Gallery(engine, 70, gap=6)
        self.gallery.setFixedHeight(self.gallery.height_for(NEIGHBORS, 300))
        self.gallery.chosen.connect(lambda number: self.picked.emit(self._rows[number]))
        self.content.addWidget(self._words)
        self.content.addWidget(self.gallery)
        self.show_none()

    @property
    def rows(self) -> list[int]:
        """The rows of split.csv that are shown, most similar first."""
        return self._rows

    def show_none(self) -> None:
        """No image is chosen."""
        self._rows = []
        self.set_title("Nearest")
        self._chip.hide()
        self.gallery.hide()
        self._words.show()

    def show_rows(self, table: SplitTable, folder: str, row: int, found: list[int], cosines: list[float]) -> None:
        """The image `row` and what was found near it."""
        self._rows = found
        self.set_title("Nearest to")
        name = table.paths[row].rsplit("/", 1)[-1].rsplit(".", 1)[0]
        self._chip.setText(name if len(name) <= 28 else f"{name[:12]}…{name[-12:]}")
        self._chip.setToolTip(table.paths[row])
        self._chip.show()
        self._words.hide()
        captions = [f"{cosine:.3f}" for cosine in cosines]
        self.gallery.set_items(folder, [table.paths[other] for other in found], captions)
        self.gallery.setFixedHeight(self.gallery.height_for(NEIGHBORS, 300))
        self.gallery.show()


def stacked(*parts: tuple[QWidget, int], width: int) -> QWidget:
    """Widgets in a column of fixed width, each with its share of the height."""
    column = QWidget()
    column.setFixedWidth(width)
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(16)
    for part, share in parts:
        layout.addWidget(part, share)
    return column
