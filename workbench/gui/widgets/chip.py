"""A chip: a word or two in a rounded field, and a dot with a color."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from workbench.gui import theme
from workbench.gui.theme import Level


class Chip(QLabel):
    """A few words; a level gives it the level's tint."""

    def __init__(self, text: str, level: Level | None = None, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("role", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if level:
            self.set_level(level)

    def set_level(self, level: Level) -> None:
        """Another tint."""
        self.setProperty("level", level)
        theme.restyle(self)


class Dot(QWidget):
    """A colored dot of 8 px, for a class or a state that is also named in words beside it."""

    def __init__(self, color: QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color = color
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_color(self, color: QColor) -> None:
        """Another color."""
        self._color = color
        self.update()

    def sizeHint(self) -> QSize:
        """The dot and a pixel around it."""
        return QSize(10, 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A filled circle."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color)
        painter.drawEllipse(1, 1, 8, 8)
        painter.end()
