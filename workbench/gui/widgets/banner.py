"""A banner: one thing to know, with a colored edge and words that say the same without color."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from workbench.gui import theme
from workbench.gui.theme import Level


class Banner(QFrame):
    """A bold title and a text below it, on the tint of its level. Buttons go into `action_row`."""

    def __init__(self, level: Level = "note", title: str = "", text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "banner")
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        self._title.setWordWrap(True)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self.action_row = QHBoxLayout()
        self.action_row.setSpacing(8)
        self.content = QVBoxLayout(self)
        self.content.setContentsMargins(12, 8, 12, 8)
        self.content.setSpacing(4)
        self.content.addWidget(self._title)
        self.content.addWidget(self._text)
        self.content.addLayout(self.action_row)
        self.level: Level = level
        self.show_words(level, title, text)

    def show_words(self, level: Level, title: str, text: str = "") -> None:
        """Says something else."""
        self.level = level
        self.setProperty("level", level)
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.setAccessibleName(f"{_WORDS[level]}: {title} {text}".strip())
        theme.restyle(self)

    @property
    def title(self) -> str:
        """The bold words."""
        return self._title.text()

    @property
    def text(self) -> str:
        """The words below."""
        return self._text.text()


_WORDS: dict[Level, str] = {"good": "Good", "watch": "Worth watching", "bad": "Problem", "note": "Note"}
