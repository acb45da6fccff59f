"""Before the start: what would stop or spoil this run, and what it will cost on this machine."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from workbench.engine import protocol
from workbench.engine.messages import Arrays, Check, CheckReply, Measure, MeasureReply
from workbench.gui import icons, theme
from workbench.gui.bridge import Engine, Job
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.table import FactTable
from workbench.gui.words import counted, duration, memory, percent
from workbench.spec.experiment import Experiment
from workbench.spec.machine import Finding, Measurement

_DEBOUNCE_MS = 350
_ICONS = {
    "error": ("error", "bad"),
    "warning": ("warning", "watch"),
    "note": ("info", "secondary"),
    "good": ("good", "good"),
}

Asked = Callable[[], tuple[Experiment, int] | None]
"""The draft and the number of images in its folder, or None while there is no draft."""


class CheckCard(Card):
    """Findings in words, worst first. `checked` when they are there; `problem` is the first that stops a run."""

    checked = Signal()

    def __init__(self, engine: Engine, asked: Asked, parent: QWidget | None = None) -> None:
        super().__init__("Before the start", parent=parent)
        self._engine = engine
        self._asked = asked
        self._findings: tuple[Finding, ...] | None = None
        self._lines = QVBoxLayout()
        self._lines.setSpacing(6)
        self.content.addLayout(self._lines)
        self._wait = QTimer(self, singleShot=True, interval=_DEBOUNCE_MS)
        self._wait.timeout.connect(self._on_waited)
        theme.changed.connect(self._show)

    @property
    def problem(self) -> str:
        """Why a run cannot start, '' where it can."""
        return "Checking this experiment …" if self._findings is None else self.error

    @property
    def error(self) -> str:
        """The first thing that was found to stop it, '' where nothing was."""
        return next((finding.message for finding in self._findings or () if finding.level == "error"), "")

    def check_soon(self) -> None:
        """Checks when the user has stopped moving things."""
        self.set_note("checking …")
        self._wait.start()

    def _on_waited(self) -> None:
        asked = self._asked()
        if asked:
            request = Check(experiment=asked[0], images=asked[1])
            self._engine.ask(request, done=self._on_done, failed=self._on_failed, topic="check")

    def _on_done(self, reply: CheckReply, arrays: Arrays) -> None:
        del arrays
        self._take(reply.findings)

    def _on_failed(self, failure: protocol.Failed) -> None:
        if failure.reason == "error":
            self._take((Finding(level="error", message=f"{failure.message} {failure.hint}".strip()),))

    def _take(self, findings: tuple[Finding, ...]) -> None:
        self._findings = findings
        self.set_note("")
        self._show()
        self.checked.emit()

    def _show(self) -> None:
        while item := self._lines.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        if self._findings is None:
            return
        if not any(finding.level == "error" for finding in self._findings):
            self._lines.addWidget(_line("good", "Ready to start."))
        for finding in self._findings:
            self._lines.addWidget(_line(finding.level, finding.message))


class MeasureCard(Card):
    """A few real steps: time, memory, and what limits the speed."""

    def __init__(self, engine: Engine, asked: Asked, parent: QWidget | None = None) -> None:
        super().__init__("On this machine", parent=parent)
        self._engine = engine
        self._asked = asked
        self._job: Job | None = None
        self._measured: Experiment | None = None
        self.button = QPushButton("Measure time and memory")
        self.button.setToolTip("Runs a few real training steps, which takes some seconds.")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.hide()
        self._words = QLabel()
        self._words.setProperty("role", "secondary")
        self._words.setWordWrap(True)
        self._words.hide()
        self.table = FactTable()
        self.table.hide()
        for widget in (self.table, self._words, self._progress, self.button):
            self.content.addWidget(widget)
        self.button.clicked.connect(self._on_clicked)

    def show_draft(self, draft: Experiment) -> None:
        """Says so when what was measured is not what would be trained."""
        if self._measured is not None and self._job is None:
            stale = (draft.data, draft.views, draft.method, draft.backbone, draft.train) != (
                self._measured.data,
                self._measured.views,
                self._measured.method,
                self._measured.backbone,
                self._measured.train,
            )
            self.set_note("before your last changes" if stale else "measured now")

    def _on_clicked(self) -> None:
        if self._job:
            self._job.cancel()
            return
        asked = self._asked()
        if asked is None:
            return
        experiment = asked[0]
        self._words.hide()
        self.button.setText("Cancel")
        self._progress.setRange(0, 0)
        self._progress.show()
        self._job = self._engine.ask(
            Measure(experiment=experiment, images=asked[1]),
            done=lambda reply, arrays: self._on_done(experiment, reply, arrays),
            failed=self._on_failed,
            progress=self._on_progress,
            topic="measure",
            title="Measuring this machine",
        )

    def _on_progress(self, what: str, done: int, total: int) -> None:
        self._progress.setRange(0, total)
        self._progress.setValue(done)
        self.set_note(what)

    def _on_done(self, experiment: Experiment, reply: MeasureReply, arrays: Arrays) -> None:
        del arrays
        self._end()
        self._measured = experiment
        self.table.set_rows(facts(reply.measurement, experiment.train.epochs))
        self.table.show()
        self.set_note("measured now")

    def _on_failed(self, failure: protocol.Failed) -> None:
        self._end()
        self.set_note("")
        if failure.reason == "error":
            self._words.setText(f"{failure.message} {failure.hint}".strip())
            self._words.show()

    def _end(self) -> None:
        self._job = None
        self._progress.hide()
        self.button.setText("Measure again")


def facts(measured: Measurement, epochs: int) -> Sequence[tuple[str, str, str]]:
    """A measurement as rows of (name, value, note)."""
    used = memory(measured.memory) if measured.memory >= 1024**3 else f"{measured.memory / 1024**2:.0f} MB"
    if measured.memory_total:
        used += f" of {memory(measured.memory_total)}"
    limit = "making views" if measured.making_views > 0.5 else "the network"
    return (
        (f"time for {counted(epochs, 'epoch')}", duration(measured.seconds_per_epoch * epochs), ""),
        ("one epoch", duration(measured.seconds_per_epoch), ""),
        ("throughput", f"{measured.images_per_second:,.0f} images/s", ""),
        ("memory", used, ""),
        ("limit", limit, ""),
        ("share of making views", percent(measured.making_views), ""),
        ("device", measured.device, ""),
    )


def _line(level: str, message: str) -> QWidget:
    """An icon and a sentence."""
    name, tone = _ICONS[level]
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    sign = QLabel()
    sign.setPixmap(icons.pixmap(name, 16, getattr(theme.tokens(), tone), line.devicePixelRatioF()))
    sign.setToolTip({"error": "Stops the run", "warning": "May spoil the run", "note": "Note", "good": "Good"}[level])
    text = QLabel(message)
    text.setWordWrap(True)
    row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(text, 1)
    return line
