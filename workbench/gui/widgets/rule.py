"""A hairline between two things."""

from PySide6.QtWidgets import QFrame, QWidget


class Rule(QFrame):
    """One pixel of the border's color."""

    def __init__(self, *, vertical: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "line")
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)
