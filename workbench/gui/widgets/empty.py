"""What a page shows while it has nothing: an icon, a sentence, and the next step."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.gui import icons, theme

_WIDTH = 440


class EmptyState(QWidget):
    """Centered in the space that it is given. More widgets go into `content`, further buttons into `buttons`."""

    def __init__(
        self,
        icon: str,
        title: str,
        text: str = "",
        button_text: str = "",
        on_click: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon_name = icon
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = QLabel(title)
        self._title.setProperty("role", "title")
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title.setWordWrap(True)
        self._text = QLabel(text)
        self._text.setProperty("role", "secondary")
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text.setWordWrap(True)
        self._text.setFixedWidth(_WIDTH)
        self.button = QPushButton(button_text)
        self.button.setProperty("kind", "primary")
        if on_click:
            self.button.clicked.connect(lambda: on_click())
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        self.buttons.addWidget(self.button)
        self.content = QVBoxLayout()
        self.content.setSpacing(8)
        self._lay_out()
        self.button.setVisible(bool(button_text))
        self._paint_icon()
        theme.changed.connect(self._paint_icon)

    @property
    def title(self) -> str:
        """The large words."""
        return self._title.text()

    def set_words(self, title: str, text: str = "", button_text: str = "") -> None:
        """Says something else."""
        self._title.setText(title)
        self._text.setText(text)
        self.button.setText(button_text)
        self.button.setVisible(bool(button_text))
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """The style sheet's font is known only now."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A centered label is not asked for its height at its width, so it is told."""
        self._text.setVisible(bool(self._text.text()))
        if self._text.text():
            self._text.setFixedHeight(self._text.heightForWidth(_WIDTH))

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addStretch(1)
        row.addLayout(self.buttons)
        row.addStretch(1)
        middle = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(self._icon, 0, middle)
        column.addSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._text, 0, middle)
        column.addSpacing(8)
        column.addLayout(row)
        column.addLayout(self.content)
        column.addStretch(3)

    def _paint_icon(self) -> None:
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(icons.pixmap(self._icon_name, 48, theme.tokens().secondary, ratio))
