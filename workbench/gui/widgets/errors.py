"""Errors in words: what happened, what to do, and the details for whoever helps."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from workbench import __version__
from workbench.engine.protocol import Failed
from workbench.gui import icons, theme
from workbench.spec.errors import WorkbenchError


@dataclass(frozen=True)
class Words:
    """An error for a person."""

    message: str
    hint: str = ""
    details: str = ""


def words_of(problem: Failed | WorkbenchError | Words) -> Words:
    """The words of any kind of failure."""
    if isinstance(problem, Words):
        return problem
    if isinstance(problem, Failed):
        return Words(problem.message or "It did not work.", problem.hint, problem.details)
    return Words(problem.message, problem.hint)


class FailureDialog(QDialog):
    """Not modal: the window stays usable, and a second failure does not have to wait."""

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = words
        self.setWindowTitle("Something went wrong")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        sign = QLabel()
        sign.setPixmap(icons.pixmap("error", 32, theme.tokens().bad, self.devicePixelRatioF()))
        message = _wrapped(words.message, "heading")
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(message)
        if words.hint:
            column.addWidget(_wrapped(words.hint, "secondary"))
        self._details = QPlainTextEdit(words.details)
        self._details.setReadOnly(True)
        self._details.setMinimumHeight(160)
        self._details.setVisible(False)
        column.addWidget(self._details)
        column.addStretch(1)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(column, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 24, 24, 16)
        whole.setSpacing(16)
        whole.addLayout(top, 1)
        whole.addLayout(self._buttons())

    def copied_text(self) -> str:
        """What "Copy details" puts on the clipboard."""
        parts = (f"Pretext Workbench {__version__}", self.words.message, self.words.hint, self.words.details)
        return "\n".join(part for part in parts if part)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        if self.words.details:
            details = QPushButton("Details")
            details.setCheckable(True)
            details.toggled.connect(self._details.setVisible)
            row.addWidget(details)
        row.addStretch(1)
        copy = QPushButton("Copy details")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.copied_text()))
        close = QPushButton("Close")
        close.setProperty("kind", "primary")
        close.setDefault(True)
        close.clicked.connect(self.close)
        row.addWidget(copy)
        row.addWidget(close)
        return row


def show_failure(parent: QWidget | None, problem: Failed | WorkbenchError | Words) -> FailureDialog:
    """Shows a failure, and returns at once."""
    dialog = FailureDialog(words_of(problem), parent)
    dialog.open() if parent is None else dialog.show()
    return dialog


def _wrapped(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
