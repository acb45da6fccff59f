"""A method as a card: what it does in a line, and when it fits."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from workbench.gui.widgets.card import Card
from workbench.gui.widgets.chip import Chip
from workbench.gui.widgets.flow import FlowLayout
from workbench.spec.catalog import MethodCard


class MethodTile(Card):
    """One method. `clicked` when it is chosen; `step_wanted(columns, rows)` for the arrow keys."""

    step_wanted = Signal(int, int)

    def __init__(self, card: MethodCard, parent: QWidget | None = None) -> None:
        super().__init__(card.title, clickable=True, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.card = card
        summary = QLabel(card.summary)
        summary.setProperty("role", "secondary")
        summary.setWordWrap(True)
        summary.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.content.addWidget(summary)
        chips = QWidget()
        flow = FlowLayout(4, chips)
        for tag in card.tags:
            flow.addWidget(Chip(tag))
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        chips.setSizePolicy(policy)
        self.content.addWidget(chips)
        self.content.addStretch(1)
        self.content.setSpacing(6)
        self.setAccessibleName(card.title)
        self.setAccessibleDescription(card.summary)
        self.setToolTip(card.when)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go to the next card, Enter and Space choose this one."""
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }.get(Qt.Key(event.key()))
        if steps:
            self.step_wanted.emit(*steps)
        else:
            super().keyPressEvent(event)
