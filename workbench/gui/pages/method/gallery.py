"""The method cards, in sections, in as many columns as fit."""

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from workbench.gui.pages.method.choosing import Section
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.method_card import MethodTile
from workbench.spec.catalog import Broken

_TILE = 240
_MOST = 4
_ABOVE = 40
"""Room for the heading above a card that is scrolled to."""
BAR = 10
"""Pixels right of the cards, for the scroll bar: they keep their width when it comes and goes."""


class MethodGallery(QScrollArea):
    """Cards grouped under headings. `chosen(name)`; the arrow keys move between cards."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Sequence[Section], Sequence[Broken], str] = ((), (), "")
        self._sections: list[tuple[QWidget, list[MethodTile]]] = []
        self._banner: Banner | None = None
        self._columns = 3
        self._current = ""
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().rangeChanged.connect(self._on_range)
        self._start_over()

    @property
    def tiles(self) -> tuple[MethodTile, ...]:
        """All cards, in the order in which they are shown."""
        return tuple(tile for _, tiles in self._sections for tile in tiles)

    def set_sections(self, sections: Sequence[Section], broken: Sequence[Broken] = (), nothing: str = "") -> None:
        """Shows other cards; plugins that could not be loaded are named below them. `nothing` stands in for no card."""
        if (tuple(sections), tuple(broken), nothing) == self._shown:
            return
        self._shown = (tuple(sections), tuple(broken), nothing)
        self._start_over()
        for section in sections:
            tiles = [self._make(card.name, MethodTile(card)) for card in section.cards]
            self._sections.append((_heading(section), tiles))
        if not sections and nothing:
            self._sections.append((_heading(Section(nothing, ())), []))
        if broken:
            noun = "plugin" if len(broken) == 1 else "plugins"
            lines = "\n".join(f"{one.file}: {one.message}" for one in broken)
            self._banner = Banner("watch", f"{len(broken)} {noun} could not be loaded.", lines)
        self._lay_out()
        self.set_current(self._current)

    def set_current(self, name: str) -> None:
        """Marks the chosen method, and brings it into sight where it was not chosen here."""
        changed, self._current = name != self._current, name
        for tile in self.tiles:
            tile.set_chosen(tile.card.name == name)
        if changed:
            self.reveal()

    def reveal(self) -> None:
        """Scrolls to the chosen method."""
        tile = next((tile for tile in self.tiles if tile.card.name == self._current), None)
        if tile is not None:
            self.ensureWidgetVisible(tile, 0, _ABOVE)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many columns as fit."""
        super().resizeEvent(event)
        columns = min(_MOST, max(1, self.viewport().width() // _TILE))
        if columns != self._columns:
            self._columns = columns
            self._lay_out()

    def _make(self, name: str, tile: MethodTile) -> MethodTile:
        tile.clicked.connect(lambda: self.chosen.emit(name))
        tile.step_wanted.connect(lambda columns, rows: self._on_step(tile, columns, rows))
        return tile

    def _lay_out(self) -> None:
        """Sections below each other; small ones that fit side by side share a row."""
        while self._grid.takeAt(0):
            pass
        row = column = high = 0
        for heading, tiles in self._sections:
            wide = min(len(tiles), self._columns) or self._columns
            if column + wide > self._columns:
                row, column, high = row + high, 0, 0
            self._grid.addWidget(heading, row, column, 1, wide)
            for place, tile in enumerate(tiles):
                self._grid.addWidget(tile, row + 1 + place // wide, column + place % wide)
            high = max(high, 1 + math.ceil(len(tiles) / wide))
            column += wide
        if self._banner:
            self._grid.addWidget(self._banner, row + high, 0, 1, self._columns)
        for place in range(_MOST):
            self._grid.setColumnStretch(place, 1 if place < self._columns else 0)

    def _start_over(self) -> None:
        self._sections = []
        self._banner = None
        self._inside = QWidget()
        self._whole = QVBoxLayout(self._inside)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._whole.addLayout(self._grid)
        self._whole.addStretch(1)
        self.setWidget(self._inside)
        bar = self.verticalScrollBar()
        self._on_range(bar.minimum(), bar.maximum())

    def _on_range(self, low: int, high: int) -> None:
        self._whole.setContentsMargins(0, 0, 0 if high > low else BAR, 0)

    def _on_step(self, tile: MethodTile, columns: int, rows: int) -> None:
        """The nearest card in that direction, by where the cards are on the screen."""
        here = tile.mapTo(self._inside, tile.rect().center())

        def distance(other: MethodTile) -> float:
            there = other.mapTo(self._inside, other.rect().center())
            dx, dy = there.x() - here.x(), there.y() - here.y()
            along = dx * columns + dy * rows
            across = abs(dy) if columns else abs(dx)
            return along + 4 * across if along > 4 else float("inf")

        best = min(self.tiles, key=distance)
        if distance(best) < float("inf"):
            best.setFocus()
            self.ensureWidgetVisible(best)


def _heading(section: Section) -> QWidget:
    heading = QWidget()
    line = QHBoxLayout(heading)
    line.setContentsMargins(0, 4, 0, 0)
    line.setSpacing(8)
    title = QLabel(section.title)
    title.setProperty("role", "heading")
    reason = QLabel(section.reason)
    reason.setProperty("role", "caption")
    line.addWidget(title)
    line.addWidget(reason)
    line.addStretch(1)
    return heading
