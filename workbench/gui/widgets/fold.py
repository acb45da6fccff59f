"""A part that can be folded away: a line with an arrow, and what is under it."""

from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget


class Fold(QWidget):
    """'▸ Advanced (5)'. Fill `content`; folded at first."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QPushButton()
        self.button.setProperty("kind", "fold")
        self.button.setCheckable(True)
        self.button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._inside = QWidget()
        self._inside.setVisible(False)
        self.content = QVBoxLayout(self._inside)
        self.content.setContentsMargins(0, 4, 0, 0)
        self.content.setSpacing(4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.button)
        whole.addWidget(self._inside)
        self._title = title
        self._show_title()
        self.button.toggled.connect(self._on_toggled)

    def set_title(self, title: str) -> None:
        """Another line."""
        self._title = title
        self._show_title()

    def set_open(self, is_open: bool) -> None:
        """Unfolds or folds it."""
        self.button.setChecked(is_open)

    def _on_toggled(self, is_open: bool) -> None:
        self._show_title()
        self._inside.setVisible(is_open)

    def _show_title(self) -> None:
        self.button.setText(f"{'▾' if self.button.isChecked() else '▸'} {self._title}")
