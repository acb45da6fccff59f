"""A column of cards that scrolls: the bar has its own gutter, so that cards keep their width when it comes and goes."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

GUTTER = 14
"""Pixels right of the cards. A page whose column stands at its right border gives them of its margin."""
SIDE_WIDTH = 336
"""Of the cards in the right column, on every page: nothing jumps when one page follows another."""


class ScrollColumn(QScrollArea):
    """Fill `column`; a stretch at its end keeps the cards at the top."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(0, 0, GUTTER, 0)
        self.column.setSpacing(16)
        self.setWidget(inside)
        self.verticalScrollBar().rangeChanged.connect(self._on_range)

    def _on_range(self, low: int, high: int) -> None:
        taken = self.verticalScrollBar().sizeHint().width() if high > low else 0
        self.column.setContentsMargins(0, 0, max(0, GUTTER - taken), 0)
