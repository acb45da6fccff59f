"""The Train page: a run as it happens, and the buttons that steer it."""

import time

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QProgressBar, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from workbench.gui.bridge import Engine
from workbench.gui.pages.page import Page
from workbench.gui.pages.train import facts
from workbench.gui.pages.train.cards import AccuracyCard, LossCard, SpectrumCard
from workbench.gui.pages.train.history import History
from workbench.gui.pages.train.side import SideColumn
from workbench.gui.pages.train.task import TaskCard
from workbench.gui.pages.train.trouble import TroubleBanner
from workbench.gui.session import Session
from workbench.gui.widgets.column import GUTTER
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.errors import Words, show_failure
from workbench.gui.widgets.segments import Segments
from workbench.runs import control
from workbench.runs.events import AnyEvent
from workbench.runs.launch import launch_trainer
from workbench.runs.state import StatusName
from workbench.spec.errors import WorkbenchError
from workbench.spec.experiment import Experiment

_LAUNCH_SECONDS = 60.0
_TICK_MS = 1000
_DRAW_MS = 400
_LOOKS = (("curves", "Curves"), ("task", "Task"))
_NOTHING = "Nothing has been trained yet"
_HOW = "Choose images and a method, then press Start training. The run goes on when this window is closed."


class TrainPage(Page):
    """Shows the session's run through its watcher; asks its trainer through the control folder."""

    name = "train"
    title = "Train"
    purpose = "Follow a run: is it learning, how fast, and how long will it take?"

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(session, engine, parent)
        self.history = History()
        self._experiment: Experiment | None = None
        self._launched = 0.0
        self._stale = True
        self.looks = Segments(_LOOKS)
        self.looks.setAccessibleName("What is shown of the run")
        self.action_row.addWidget(self.looks)
        self._make_buttons()
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("progress of the run")
        self.trouble = TroubleBanner()
        self.loss, self.accuracy, self.spectrum, self.side = LossCard(), AccuracyCard(), SpectrumCard(), SideColumn()
        self.task = TaskCard(session.watcher)
        self._shown = QStackedWidget()
        self._empty = EmptyState(
            "train",
            _NOTHING,
            _HOW,
            self.way_to_a_run()[0],
            lambda: session.page_wanted.emit(self.way_to_a_run()[1]),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._board())
        self.body.addWidget(self._stack)
        self.reach_gutter()
        self._drawing = QTimer(self, singleShot=True, interval=_DRAW_MS)
        self._drawing.timeout.connect(self._draw)
        self._ticking = QTimer(self, interval=_TICK_MS)
        self._ticking.timeout.connect(self._refresh)
        self.looks.chosen.connect(lambda _look: self._show_look())
        watcher = session.watcher
        watcher.reset.connect(self._on_reset)
        watcher.arrived.connect(self._on_arrived)
        watcher.state_changed.connect(self._refresh)
        session.catalog_changed.connect(self._refresh)
        session.draft_opened.connect(self._refresh)
        self._on_reset()

    def entered(self) -> None:
        """Draws what came while the page was hidden."""
        if self._stale:
            self._draw()
        self._refresh()
        self._ticking.start()

    def left(self) -> None:
        """Nothing is drawn while hidden."""
        self._ticking.stop()
        self.task.stop()

    def _make_buttons(self) -> None:
        self.snapshot = self._button("Take a snapshot", self._on_snapshot, "Embeddings for the map, at the next step.")
        self.pause = self._button("Pause", self._on_pause, "Keeps the trainer and its memory; training waits.")
        self.stop = self._button("Stop and keep", self._on_stop, "Writes a checkpoint and ends; it can be resumed.")
        self.resume = self._button("Resume training", self._on_resume, "Goes on from the last checkpoint.")
        self.explore = self._button("Explore the map", lambda: self.session.page_wanted.emit("explore"), "")
        self.evaluate = self._button("Evaluate the encoder", lambda: self.session.page_wanted.emit("evaluate"), "")
        for primary in (self.resume, self.explore, self.evaluate):
            primary.setProperty("kind", "primary")

    def _button(self, text: str, on_click: object, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(on_click)
        self.action_row.addWidget(button)
        return button

    def _board(self) -> QWidget:
        curves = QWidget()
        plots = QGridLayout(curves)
        plots.setContentsMargins(0, 0, 0, 0)
        plots.setSpacing(16)
        plots.addWidget(self.loss, 0, 0, 1, 2)
        plots.addWidget(self.accuracy, 1, 0)
        plots.addWidget(self.spectrum, 1, 1)
        plots.setRowStretch(0, 11)
        plots.setRowStretch(1, 10)
        plots.setColumnStretch(0, 1)
        plots.setColumnStretch(1, 1)
        self._shown.addWidget(curves)
        self._shown.addWidget(self.task)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self._shown, 1)
        row.addWidget(self.side)
        board = QWidget()
        column = QVBoxLayout(board)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        above = QVBoxLayout()
        above.setContentsMargins(0, 0, GUTTER, 0)
        above.setSpacing(16)
        above.addWidget(self.progress)
        above.addWidget(self.trouble)
        column.addLayout(above)
        column.addLayout(row, 1)
        return board

    # What arrives

    def _on_reset(self) -> None:
        watcher = self.session.watcher
        self.history = History()
        self.history.add(watcher.events)
        self._launched = 0.0
        self._experiment = None
        if watcher.run:
            try:
                self._experiment = watcher.run.experiment()
            except WorkbenchError as error:
                show_failure(self, error)
        self.side.show_events(self.history.events)
        self._draw()
        self._refresh()

    def _on_arrived(self, events: list[AnyEvent]) -> None:
        self._launched = 0.0
        before = len(self.history.events)
        self.history.add(events)
        self.side.add_events(self.history.events[before:])
        self._stale = True
        if self.isVisible() and not self._drawing.isActive():
            self._drawing.start()

    def _draw(self) -> None:
        """The curves; at most a few times a second."""
        self._stale = False
        watcher = self.session.watcher
        if self._experiment is None or watcher.state is None:
            return
        # A run that is limited by time ends before its epochs do: its axis grows with it.
        limited = self._experiment.train.max_minutes > 0
        total = 0 if limited else watcher.state.total_epochs or self._experiment.train.epochs
        self.loss.show_history(self.history, total)
        self.accuracy.show_history(self.history, self._experiment, total)
        self.spectrum.show_history(self.history)

    def _refresh(self) -> None:
        """Words, numbers and buttons."""
        watcher = self.session.watcher
        state, name = watcher.state, watcher.status
        known = self._experiment is not None and state is not None and name is not None
        self._stack.setCurrentIndex(1 if known else 0)
        self._empty.set_words(_NOTHING, _HOW, self.way_to_a_run()[0])
        self._set_buttons(name if known else None)
        self._show_look()
        self._tell_rail(name if known else None)
        if self._experiment is None or state is None or name is None or watcher.run is None:
            self.set_purpose(self.purpose)
            return
        self.set_purpose(self._sentence(name))
        self._show_progress(name)
        self.side.show_state(state, self.history)
        if self._starting:
            self.trouble.hide()
        else:
            self.trouble.show_trouble(watcher.run, state, name)

    def _show_look(self) -> None:
        """The curves, or the task of a method that has pictures of it."""
        state = self.session.watcher.state
        asked = self._experiment is not None and facts.shows_task(self._experiment, self.session.catalog)
        has_task = asked or (state is not None and bool(state.exhibits))
        self.looks.setVisible(has_task)
        shown = self.task if has_task and self.looks.value() == "task" else self._shown.widget(0)
        if shown and shown is not self._shown.currentWidget():
            self._shown.setCurrentWidget(shown)
            self.task.stop()

    def _tell_rail(self, name: StatusName | None) -> None:
        if name is None:
            self.set_state("needs", "nothing has been trained yet")
        elif name in ("failed", "interrupted") and not self._starting:
            self.set_state("needs", f"the run {name if name == 'failed' else 'was interrupted'}")
        else:
            self.set_state("running" if self.session.watcher.running else "ready")

    def _sentence(self, name: StatusName) -> str:
        state, catalog = self.session.watcher.state, self.session.catalog
        assert self._experiment is not None
        assert state is not None
        if self._starting:
            return f"{facts.what(self._experiment, catalog)} · starting the trainer"
        if name == "preparing" and state.progressed and state.progressed.total:
            done, total = state.progressed.done, state.progressed.total
            return f"{facts.what(self._experiment, catalog)} · {state.progressed.what}: {done:,} of {total:,}"
        return facts.sentence(self._experiment, catalog, state, name, self.history.seconds_left())

    def _show_progress(self, name: StatusName) -> None:
        state = self.session.watcher.state
        assert state is not None
        preparing = name == "preparing" and state.progressed is not None and state.progressed.total > 0
        if preparing and state.progressed:
            share = state.progressed.done / state.progressed.total
        else:
            share = 1.0 if name == "finished" else self.history.share or state.fraction()
        busy = self._starting or name == "created" or (name == "preparing" and not preparing)
        self.progress.setRange(0, 0 if busy and self.session.watcher.running else 1000)
        self.progress.setValue(round(1000 * share))
        self.progress.setVisible(name != "finished")

    # Steering

    @property
    def _starting(self) -> bool:
        return time.monotonic() - self._launched < _LAUNCH_SECONDS if self._launched else False

    def _set_buttons(self, name: StatusName | None) -> None:
        run = self.session.watcher.run
        at_work = name in ("training", "paused")
        self.snapshot.setVisible(at_work)
        self.pause.setVisible(at_work)
        self.stop.setVisible(at_work or name == "preparing")
        self.resume.setVisible(name in ("stopped", "failed", "interrupted"))
        self.resume.setEnabled(not self._starting)
        has_map = self.session.watcher.state is not None and bool(self.session.watcher.state.snapshots)
        self.explore.setVisible(name == "finished" and has_map)
        self.evaluate.setVisible(name == "finished" and not has_map)
        if run is None or not at_work:
            self.stop.setEnabled(True)
            self.stop.setText("Stop and keep")
            return
        asked = {request: control.asked(run, request) for request in ("pause", "stop", "snapshot")}
        self.snapshot.setEnabled(name == "training" and not asked["snapshot"] and not asked["stop"])
        self.snapshot.setText("Taking a snapshot…" if asked["snapshot"] else "Take a snapshot")
        self.stop.setEnabled(not asked["stop"])
        self.stop.setText("Stopping…" if asked["stop"] else "Stop and keep")
        waits = name == "training" and asked["pause"]
        self.pause.setEnabled(not asked["stop"])
        self.pause.setText("Resume" if name == "paused" else "Pausing…" if waits else "Pause")

    def _on_snapshot(self) -> None:
        self._ask("snapshot")

    def _on_stop(self) -> None:
        self._ask("stop")

    def _on_pause(self) -> None:
        run = self.session.watcher.run
        if run is not None and (self.session.watcher.status == "paused" or control.asked(run, "pause")):
            control.withdraw(run, "pause")
            self._refresh()
        else:
            self._ask("pause")

    def _ask(self, request: control.Request) -> None:
        run = self.session.watcher.run
        if run is None:
            return
        try:
            control.ask(run, request)
        except OSError as error:
            show_failure(self, Words(f"The run cannot be told to {request}: {error}.", "Is its disk writable?"))
        self._refresh()

    def _on_resume(self) -> None:
        run = self.session.watcher.run
        if run is None:
            return
        try:
            for request in ("pause", "stop", "snapshot"):
                control.withdraw(run, request)
            launch_trainer(run)
        except OSError as error:
            show_failure(self, Words(f"The trainer could not be started: {error}.", "Is the run's disk writable?"))
            return
        self._launched = time.monotonic()
        self._refresh()
