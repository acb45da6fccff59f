"""A notice: one line of words across the top of a card, with the one thing to do about it at its right."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from workbench.gui.theme import Level


class Notice(QFrame):
    """Hidden while it has nothing to say. `pressed` when its button is."""

    pressed = Signal()

    def __init__(self, level: Level, button: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "banner")
        self.setProperty("level", level)
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = QPushButton(button)
        self.button.setProperty("kind", "link")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.setSpacing(8)
        row.addWidget(self._words, 1)
        row.addWidget(self.button)
        self.button.clicked.connect(self.pressed)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._words.text()

    def tell(self, text: str) -> None:
        """Says this; nothing hides it."""
        self._words.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))
