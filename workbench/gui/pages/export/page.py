"""The Export page: the encoder and its features as files, each loaded again and compared before it is called done."""

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from workbench.engine.messages import Arrays, Export, ExportReply, MakeReport, ReportReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine, Job
from workbench.gui.pages.export.formats import EMBEDDINGS, ENCODERS, Format
from workbench.gui.pages.export.records import RecordList
from workbench.gui.pages.page import Page
from workbench.gui.session import Session
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.column import GUTTER, SIDE_WIDTH, ScrollColumn
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.errors import show_failure
from workbench.runs.results import ExportRecord, load_exports

_FIRST = ("safetensors", "onnx", "parquet")
_INDENT = 24
"""To the words of a check box: its box of 16 px, and 8 px between."""


class ExportPage(Page):
    """Exports the session's run through the engine; remembers what the run folder says was exported before."""

    name = "export"
    title = "Export"
    purpose = "Take the encoder away. Every file is loaded again and compared with the original before it counts."

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(session, engine, parent)
        self._job: Job | None = None
        self.boxes: dict[str, QCheckBox] = {}
        self.report = QPushButton("Write report")
        self.report.setToolTip("One self-contained page with curves, map, health and results, for any browser.")
        self.report.clicked.connect(self._on_report)
        self.start = QPushButton("Export and verify")
        self.start.setProperty("kind", "primary")
        self.start.clicked.connect(self._on_start)
        self.action_row.addWidget(self.report)
        self.action_row.addWidget(self.start)
        self._empty = EmptyState("export", "", "", "x", self._on_empty_button)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._board())
        self.body.addWidget(self._stack)
        self.reach_gutter()
        session.watcher.reset.connect(self._on_reset)
        session.watcher.state_changed.connect(self._refresh)
        session.draft_opened.connect(self._refresh)
        self._on_reset()

    # Building

    def _board(self) -> QWidget:
        encoders = self._format_card("The encoder", ENCODERS)
        embeddings = self._format_card("Embeddings of all images", EMBEDDINGS)
        board = QWidget()
        row = QHBoxLayout(board)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16 - GUTTER)
        row.addWidget(_scrolling(encoders, embeddings, self._target_card()), 1)
        row.addWidget(self._result_card())
        return board

    def _format_card(self, title: str, formats: tuple[Format, ...]) -> Card:
        card = Card(title)
        card.content.setSpacing(12)
        for one in formats:
            box = QCheckBox(one.title)
            box.setChecked(one.name in _FIRST)
            box.toggled.connect(self._refresh)
            self.boxes[one.name] = box
            text = QLabel(one.text)
            text.setProperty("role", "secondary")
            text.setWordWrap(True)
            text.setIndent(_INDENT)
            pair = QVBoxLayout()
            pair.setSpacing(2)
            pair.addWidget(box)
            pair.addWidget(text)
            card.content.addLayout(pair)
        return card

    def _target_card(self) -> Card:
        card = Card("Folder")
        self.folder = QLineEdit()
        self.folder.setAccessibleName("folder to export to")
        self.folder.textChanged.connect(self._refresh)
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._on_browse)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.folder, 1)
        row.addWidget(browse)
        card.content.addLayout(row)
        return card

    def _result_card(self) -> QWidget:
        self._results = Card("Files")
        self.records = RecordList()
        self._none = QLabel("Nothing has been exported of this run yet.")
        self._none.setProperty("role", "secondary")
        self._none.setWordWrap(True)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._what = QLabel()
        self._what.setProperty("role", "secondary")
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(self._on_cancel)
        self.open = QPushButton("Open folder")
        self.open.clicked.connect(self._on_open)
        buttons = QHBoxLayout()
        buttons.addWidget(self.open)
        buttons.addStretch(1)
        buttons.addWidget(self._cancel)
        for part in (self._what, self._progress, self._none, self.records):
            self._results.content.addWidget(part)
        self._results.content.addLayout(buttons)
        scroll = _scrolling(self._results)
        scroll.setFixedWidth(SIDE_WIDTH + GUTTER)
        return scroll

    # The run

    def _on_reset(self) -> None:
        if self._job is not None:
            self._job.cancel()  # What comes would be about another run.
            self._job = None
        run = self.session.watcher.run
        self.folder.setText(str(run.exports) if run else "")
        self._show_records(load_exports(run) if run else ())
        self._refresh()

    def _show_records(self, records: tuple[ExportRecord, ...]) -> None:
        self.records.show_records(records)
        good = sum(record.verified for record in records)
        self._results.set_note(f"{good} of {len(records)} verified" if records else "")

    def _refresh(self) -> None:
        watcher = self.session.watcher
        has_encoder = watcher.state is not None and watcher.state.checkpoint is not None
        busy = self._job is not None
        self._stack.setCurrentIndex(1 if has_encoder else 0)
        self.start.setVisible(has_encoder)
        self.report.setVisible(watcher.run is not None)
        self.report.setEnabled(not busy)
        self.start.setEnabled(not busy and bool(self.chosen()) and bool(self.folder.text().strip()))
        for part in (self._progress, self._what, self._cancel):
            part.setVisible(busy)
        self._none.setVisible(not busy and not self.records.records)
        self.open.setEnabled(Path(self.folder.text().strip() or "?").is_dir())
        why = "" if has_encoder else "needs a trained encoder"
        self.set_state("running" if busy else "ready" if has_encoder else "needs", why)
        if watcher.run is None:
            text = "Train an encoder first, or open an earlier run on the Runs page."
            self._empty.set_words("Nothing to export yet", text, self.way_to_a_run()[0])
        elif not has_encoder:
            text = "The encoder can be exported as soon as the run has written its first checkpoint."
            self._empty.set_words("No checkpoint yet", text, "Watch the training")

    def chosen(self) -> tuple[str, ...]:
        """The formats that are ticked."""
        return tuple(name for name, box in self.boxes.items() if box.isChecked())

    def _on_empty_button(self) -> None:
        self.session.page_wanted.emit(self.way_to_a_run()[1] if self.session.watcher.run is None else "train")

    def _on_browse(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Export to", self.folder.text())
        if name:
            self.folder.setText(name)

    def _on_open(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self.folder.text().strip()))

    # Exporting

    def _on_start(self) -> None:
        run = self.session.watcher.run
        if run is None:
            return
        request = Export(run=str(run.path), formats=self.chosen(), folder=self.folder.text().strip())
        self._begin("Export", "exporting")
        self._job = self.engine.ask(
            request, done=self._on_done, failed=self._on_failed, progress=self._on_progress, title="Export"
        )
        self._refresh()

    def _on_done(self, reply: ExportReply, arrays: Arrays) -> None:
        del arrays
        self._job = None
        new = {record.format for record in reply.records}
        kept = tuple(record for record in self.records.records if record.format not in new)
        self._show_records((*reply.records, *kept))
        self._refresh()

    def _on_failed(self, failure: Failed) -> None:
        self._job = None
        self._refresh()
        if failure.reason == "error":
            show_failure(self, failure)

    def _on_report(self) -> None:
        run = self.session.watcher.run
        if run is None:
            return
        self._begin("Report", "writing the report")
        self._job = self.engine.ask(
            MakeReport(run=str(run.path)),
            done=self._on_reported,
            failed=self._on_failed,
            progress=self._on_progress,
            title="Report",
        )
        self._refresh()

    def _on_reported(self, reply: ReportReply, arrays: Arrays) -> None:
        del arrays
        self._job = None
        self._refresh()
        QDesktopServices.openUrl(QUrl.fromLocalFile(reply.file))

    def _begin(self, title: str, what: str) -> None:
        self._results.set_note(title.lower())
        self._on_progress(what, 0, 0)

    def _on_progress(self, what: str, done: int, total: int) -> None:
        self._what.setText(what)
        self._progress.setRange(0, total)
        self._progress.setValue(done)

    def _on_cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()


def _scrolling(*cards: QWidget) -> ScrollColumn:
    """Cards in a column that scrolls where the window is low."""
    scroll = ScrollColumn()
    for card in cards:
        scroll.column.addWidget(card)
    scroll.column.addStretch(1)
    return scroll
