"""The status bar: what is open, on which machine, which run, and the work that is going on."""

import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from workbench.gui import icons, words
from workbench.gui.bridge import Engine, Job
from workbench.gui.session import Session
from workbench.gui.widgets.elided import Elided, Mode
from workbench.gui.widgets.rule import Rule
from workbench.spec.experiment import Experiment

_MOST_JOBS = 2


class StatusBar(QWidget):
    """Facts at the left, jobs with progress and cancel at the right."""

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self.data, self.views, self.machine = QLabel(), QLabel(), QLabel()
        self.run = Elided(mode=Mode.ElideMiddle)  # A long name must not make the window wide.
        self.run.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.run_progress = QProgressBar()
        self.run_progress.setFixedWidth(96)
        self.run_progress.setTextVisible(False)
        self.run_progress.setAccessibleName("Training")
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(24)
        for label in (self.data, self.views, self.machine, self.run):
            row.addWidget(label)
        row.addWidget(self.run_progress)
        row.addStretch(1)
        self._more = QLabel()
        self._jobs = QHBoxLayout()
        self._jobs.setSpacing(16)
        row.addLayout(self._jobs)
        row.addWidget(self._more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Rule())
        column.addLayout(row)
        self.setFixedHeight(28)
        self._open: list[JobRow] = []
        engine.job_started.connect(self._on_job)
        session.scan_changed.connect(self._show_data)
        session.draft_changed.connect(self._show_data)
        session.catalog_changed.connect(self._show_machine)
        session.watcher.state_changed.connect(self._show_run)
        self._clock = QTimer(self)
        self._clock.setInterval(10_000)
        self._clock.timeout.connect(self._show_run)
        self._clock.start()
        self._show_data()
        self._show_machine()
        self._show_run()

    @property
    def jobs(self) -> list["JobRow"]:
        """What is going on, oldest first."""
        return list(self._open)

    def _show_data(self) -> None:
        _show(self.data, data_words(self._session))
        _show(self.views, views_words(self._session.draft))

    def _show_machine(self) -> None:
        devices = self._session.devices
        best = devices[0] if devices else None
        text = best.title if best else ""
        if best and best.memory:
            text += f", {words.memory(best.memory)}"
        _show(self.machine, text)
        self.machine.setToolTip("\n".join(f"{device.name}: {device.title}" for device in devices))

    def _show_run(self) -> None:
        text, fraction = run_words(self._session)
        _show(self.run, text)
        self.run_progress.setVisible(fraction is not None)
        self.run_progress.setValue(round(100 * (fraction or 0)))

    def _on_job(self, job: Job) -> None:
        row = JobRow(job)
        self._open.append(row)
        self._jobs.addWidget(row)
        job.ended.connect(lambda: self._on_ended(row))
        self._show_jobs()

    def _on_ended(self, row: "JobRow") -> None:
        if row in self._open:
            self._open.remove(row)
            row.hide()
            row.deleteLater()
        self._show_jobs()

    def _show_jobs(self) -> None:
        for position, row in enumerate(self._open):
            row.setVisible(position < _MOST_JOBS)
        hidden = len(self._open) - _MOST_JOBS
        _show(self._more, f"and {hidden} more" if hidden > 0 else "")


class JobRow(QWidget):
    """One job: its name, how far it is, how long it will take, and a button to cancel it."""

    def __init__(self, job: Job, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job = job
        self._began = time.monotonic()
        self.text = QLabel(job.title)
        self._bar = QProgressBar()
        self._bar.setFixedWidth(96)
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName(job.title)
        cancel = QToolButton()
        cancel.setToolTip(f"Cancel: {job.title}")
        cancel.setAccessibleName(f"Cancel {job.title}")
        icons.follow(cancel, "close", "secondary")
        cancel.clicked.connect(job.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.text)
        row.addWidget(self._bar)
        row.addWidget(cancel)
        job.progressed.connect(self._on_progressed)

    def _on_progressed(self, what: str, done: int, total: int) -> None:
        self._bar.setRange(0, total)
        self._bar.setValue(min(done, total))
        self.setToolTip(f"{what}: {done:,} of {total:,}" if total else f"{what}: {done:,}")
        left = self._seconds_left(done, total)
        self.text.setText(self.job.title if left is None else f"{self.job.title}, {words.duration(left)} left")

    def _seconds_left(self, done: int, total: int) -> float | None:
        elapsed = time.monotonic() - self._began
        if elapsed < 2.0 or not 0 < done <= total:
            return None
        return elapsed * (total - done) / done


def data_words(session: Session) -> str:
    """'photos · 9,469 images · 10 classes'."""
    scan = session.scan
    if scan is None:
        return "no folder open"
    parts = [scan.folder.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1], words.counted(scan.count, "image")]
    classes = [name for name in scan.class_counts() if name]
    if session.draft and session.draft.data.labels == "folders" and classes:
        parts.append(words.counted(len(classes), "class", "classes"))
    return " · ".join(parts)


def views_words(draft: Experiment | None) -> str:
    """'views: 2 global, 6 local'."""
    if draft is None:
        return ""
    counts = {role: sum(view.count for view in draft.views if view.role == role) for role in ("global", "local")}
    return "views: " + ", ".join(f"{count} {role}" for role, count in counts.items() if count)


def run_words(session: Session) -> tuple[str, float | None]:
    """The shown run in a line, and how far it is while it trains."""
    watcher = session.watcher
    run, state, status = watcher.run, watcher.state, watcher.status
    if run is None or state is None or status is None:
        return "", None
    parts = [f"{run.name}: {status}"]
    if watcher.running and state.total_epochs:
        parts.append(f"epoch {int(state.epoch)} of {state.total_epochs}")
    if watcher.running and state.checkpoint:
        parts.append(f"checkpoint {words.age(state.checkpoint.time)}")
    return " · ".join(parts), state.fraction() if watcher.running and state.total_epochs else None


def _show(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))
