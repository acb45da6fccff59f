"""A grid of what a method is given, asked and answers; one image of it large, two of its pictures in one place."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from workbench.gui.widgets.exhibit_grid import ExhibitGrid
from workbench.gui.widgets.lightbox import Lightbox, Stage
from workbench.runs.exhibit import ShownPanel


class ExhibitBoard(QStackedWidget):
    """`told(words)` about what is under the pointer; `large_changed(large)` when one image is opened or closed."""

    told = Signal(str)
    large_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "inside")
        self.grid = ExhibitGrid()
        self.lightbox = Lightbox(step="image", listed="In words")
        self.addWidget(self.grid)
        self.addWidget(self.lightbox)
        self.grid.hovered.connect(self.told)
        self.grid.opened.connect(self.open_large)
        self.lightbox.told.connect(self.told)
        self.lightbox.closed.connect(self.close_large)
        self.lightbox.moved.connect(lambda aside, down: self._step(aside + down))

    @property
    def is_large(self) -> bool:
        """Whether one image is shown large."""
        return self.currentWidget() is self.lightbox

    def set_panels(self, paths: tuple[str, ...], panels: Sequence[ShownPanel]) -> None:
        """Other pictures; what is large stays large, with the same two pictures compared."""
        self.grid.set_panels(paths, panels)
        if self.is_large and paths:
            self._show_large()
        elif not paths:
            self.close_large()

    def open_large(self, row: int) -> None:
        """Shows an image large: what was asked, or given, beside the answer."""
        if not self.grid.columns:
            return
        self.grid.select(row)
        self.setCurrentWidget(self.lightbox)
        self._show_large()
        parts = [column.panel.part for column in self.grid.columns]
        before = next((parts.index(part) for part in ("target", "input") if part in parts), 0)
        after = parts.index("answer") if "answer" in parts else len(parts) - 1
        if before == after:
            before = 0
        self.lightbox.compare(self._key(before), self._key(after))
        self.lightbox.wipe.setFocus()
        self.large_changed.emit(True)

    def close_large(self) -> None:
        """All images again."""
        if self.is_large:
            self.setCurrentWidget(self.grid)
            self.told.emit("")
            self.grid.setFocus()
            self.large_changed.emit(False)

    def _show_large(self) -> None:
        row, columns = self.grid.row, self.grid.columns
        stages = [
            Stage(self._key(number), column.panel.title, np.asarray(column.panel.pictures[row], np.uint8))
            for number, column in enumerate(columns)
        ]
        said = [("image", self.grid.paths[row])]
        said += [(column.panel.title.lower(), column.caption(row)) for column in columns if column.caption(row)]
        self.lightbox.set_view(self.grid.name_of(row), stages, said)

    def _key(self, number: int) -> str:
        panel = self.grid.columns[number].panel
        return f"{number} {panel.part}"

    def _step(self, by: int) -> None:
        self.grid.select((self.grid.row + by) % max(1, len(self.grid.paths)))
        self._show_large()
