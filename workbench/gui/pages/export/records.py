"""The exported files, each with what its verification found."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui import icons, theme, words
from workbench.gui.pages.export.formats import FORMATS, check_words, loading_code
from workbench.gui.widgets.chip import Chip
from workbench.gui.widgets.elided import Elided, Mode
from workbench.gui.widgets.errors import Words, show_failure
from workbench.gui.widgets.rule import Rule
from workbench.runs.results import ExportRecord


class RecordList(QWidget):
    """One row per file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._rows: list[QWidget] = []
        self.records: tuple[ExportRecord, ...] = ()

    def show_records(self, records: Sequence[ExportRecord]) -> None:
        """Shows these."""
        for row in self._rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.records = tuple(records)
        self._rows = []
        for number, record in enumerate(self.records):
            if number:
                self._rows.append(Rule())
            self._rows.append(RecordRow(record))
        for row in self._rows:
            self._column.addWidget(row)


class RecordRow(QWidget):
    """A sign, the format and the file, what was compared, and a button for the code that loads it."""

    def __init__(self, record: ExportRecord, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record = record
        done = record.verified and not record.problem
        self._sign = QLabel()
        self._done = done
        self._paint_sign()
        theme.changed.connect(self._paint_sign)
        title = QLabel(FORMATS[record.format].title if record.format in FORMATS else record.format)
        title.setProperty("role", "heading")
        chip = Chip("verified" if done else "not exported", "good" if done else "bad")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._sign)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(chip)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(_words(check_words(record), "" if done else "bad"))
        if record.file and done:
            column.addLayout(self._foot())

    def _paint_sign(self) -> None:
        name, tone = ("good", "good") if self._done else ("error", "bad")
        color = getattr(theme.tokens(), tone)
        self._sign.setPixmap(icons.pixmap(name, 20, color, self.devicePixelRatioF()))

    def _foot(self) -> QHBoxLayout:
        parts = (Path(self._record.file).name, words.size(self._record.size) if self._record.size else "")
        file = Elided(" · ".join(filter(None, parts)), Mode.ElideMiddle)
        file.setProperty("role", "secondary")
        file.setToolTip(self._record.file)
        code = QPushButton("Copy code")
        code.setToolTip("Copies Python that loads this file")
        code.setProperty("kind", "link")
        code.clicked.connect(self._on_copy)
        foot = QHBoxLayout()
        foot.addWidget(file, 1)
        foot.addWidget(code)
        return foot

    def _on_copy(self) -> None:
        try:
            QGuiApplication.clipboard().setText(loading_code(self._record))
        except OSError as error:
            show_failure(self, Words(f"The loading script cannot be read: {error}.", "Export again."))


def _words(text: str, level: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "secondary")
    label.setProperty("level", level)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label
