"""The Evaluate page: probes of the frozen encoder, beside the untrained one and raw pixels."""

from typing import Literal, cast

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from workbench.engine.messages import Arrays, Evaluate, EvaluateReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine, Job
from workbench.gui.pages.evaluate import figures
from workbench.gui.pages.evaluate.inside import InsideView
from workbench.gui.pages.evaluate.invariance import InvarianceView
from workbench.gui.pages.evaluate.results import ResultBoard
from workbench.gui.pages.evaluate.settings import SettingsColumn
from workbench.gui.pages.page import Page
from workbench.gui.session import Session
from workbench.gui.widgets.column import GUTTER
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.errors import show_failure
from workbench.gui.widgets.segments import Segments
from workbench.gui.widgets.work_card import WorkCard
from workbench.gui.worker import Worker
from workbench.runs.results import Evaluation, load_evaluations
from workbench.runs.split import SplitTable, read_split
from workbench.spec.errors import NotFoundError, WorkbenchError

_NOTHING, _RESULTS, _PROMPT = 0, 1, 2


class EvaluatePage(Page):
    """Shows the session's run; the engine probes and keeps the result in the run folder."""

    name = "evaluate"
    title = "Evaluate"
    purpose = "How much of what you care about is in the features? Simple probes on the frozen encoder tell."

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(session, engine, parent)
        self.evaluations: tuple[Evaluation, ...] = ()
        self._table: SplitTable | None = None
        self._job: Job | None = None
        self._worker = Worker(self)
        self.start = QPushButton("Evaluate")
        self.start.setProperty("kind", "primary")
        self.start.clicked.connect(self._on_start)
        self.modes = Segments((("probes", "Probes"), ("invariance", "Invariance"), ("inside", "Inside")))
        self.modes.chosen.connect(self._on_mode_chosen)
        self.action_row.addWidget(self.modes)
        self.action_row.addWidget(self.start)
        self.invariance = InvarianceView(session, engine)
        self.invariance.busy_changed.connect(self._refresh)
        self.invariance.shown_changed.connect(self._refresh)
        self.inside = InsideView(session, engine)
        self.inside.busy_changed.connect(self._refresh)
        self.settings = SettingsColumn()
        self.settings.changed.connect(self._refresh)
        self.settings.column_chosen.connect(lambda _column: self._refresh())
        self.board = ResultBoard()
        self._work = WorkCard("Evaluating")
        self._work.cancelled.connect(self._on_cancel)
        self._nothing = EmptyState("evaluate", "", "", "x", self._on_empty_button)
        self._prompt = EmptyState("evaluate", "", "", "Evaluate", self._on_start)
        self._left = QStackedWidget()
        self._left.addWidget(self._nothing)
        self._left.addWidget(self.board)
        self._left.addWidget(self._prompt)
        probes = QWidget()
        column = QVBoxLayout(probes)
        column.setContentsMargins(0, 0, GUTTER, 0)
        column.setSpacing(16)
        column.addWidget(self._work)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self._left, 1)
        row.addWidget(self.settings)
        column.addLayout(row, 1)
        self._modes = QStackedWidget()
        self._modes.addWidget(probes)
        self._modes.addWidget(self.invariance)
        self._modes.addWidget(self.inside)
        self.body.addWidget(self._modes, 1)
        self.reach_gutter()
        session.watcher.reset.connect(self._on_reset)
        session.watcher.state_changed.connect(self._on_state)
        session.draft_opened.connect(self._refresh)
        self._on_reset()

    def entered(self) -> None:
        """The run may have been trained on since the look inside."""
        self._look()

    # The run

    def _on_reset(self) -> None:
        if self._job is not None:
            self._job.cancel()  # The answer would be about another run.
            self._end_work()
        self._table = None
        self.evaluations = ()
        self.invariance.set_run(self.session.watcher.run)
        self.inside.set_run(self.session.watcher.run)
        self._read()

    def _on_state(self) -> None:
        state = self.session.watcher.state
        if self._table is None and not self._worker.busy and state is not None and state.checkpoint is not None:
            self._read()
        self._refresh()

    def _read(self) -> None:
        run = self.session.watcher.run
        self._worker.forget()
        if run is not None:

            def read() -> tuple[SplitTable | None, tuple[Evaluation, ...], int]:
                try:
                    table = read_split(run.split_file)
                except NotFoundError:
                    table = None
                return table, load_evaluations(run), run.experiment().watch.neighbors

            self._worker.start(read, done=self._on_read, failed=self._on_unreadable)
        self._refresh()

    def _on_read(self, found: tuple[SplitTable | None, tuple[Evaluation, ...], int]) -> None:
        self._table, self.evaluations, neighbors = found
        if self._table is not None:
            self.settings.column.set_options(
                (column, figures.target(column)) for column in figures.columns(self._table)
            )
        if self.evaluations:
            self.settings.column.set_value(self.evaluations[-1].column)
        self.settings.neighbors.setValue(neighbors)
        self._refresh()
        if self.isVisible():
            self._look()

    def _on_unreadable(self, error: WorkbenchError) -> None:
        self._refresh()
        if self.isVisible():
            show_failure(self, error)

    # What is shown

    def _shown(self) -> Evaluation | None:
        column = self.settings.column.value()
        matching = [evaluation for evaluation in self.evaluations if evaluation.column == column]
        return max(matching, key=lambda evaluation: (evaluation.epoch, evaluation.time), default=None)

    def _refresh(self) -> None:
        problem = self._problem(probing=self.modes.value() == "probes")
        evaluation = self._shown()
        ready = problem is None
        self.modes.setVisible(self._problem(probing=False) is None)
        if self.modes.value() == "invariance":
            self._show_invariance(problem)
            return
        if self.modes.value() == "inside":
            self._show_inside(problem)
            return
        self._modes.setCurrentIndex(0)
        self.start.setText("Evaluate")
        self.settings.setVisible(ready or evaluation is not None)
        self.start.setEnabled(ready and self._job is None and bool(self.settings.chosen_probes()))
        self.start.setVisible(ready and evaluation is not None)
        self._prompt.button.setEnabled(self.start.isEnabled())
        self.set_state("running" if self._job else "ready" if ready else "needs", problem[0].lower() if problem else "")
        self.settings.show_evaluation(evaluation)
        if evaluation is not None:
            self.board.show_evaluation(evaluation)
            self._left.setCurrentIndex(_RESULTS)
        elif problem is not None:
            self._nothing.set_words(*problem)
            self._left.setCurrentIndex(_NOTHING)
        else:
            column = figures.target(self.settings.column.value())
            text = f"kNN and a linear layer learn the {column} from the features, and are asked about the test images."
            self._prompt.set_words("Not evaluated yet", text, "Evaluate")
            self._left.setCurrentIndex(_PROMPT)

    def _show_invariance(self, problem: tuple[str, str, str] | None) -> None:
        """The other way of looking; where there is nothing to look at, the page says why as always."""
        self.start.setText("Audit")
        self.start.setVisible(problem is None and self.invariance.has_results)
        self.start.setEnabled(problem is None and not self.invariance.busy)
        self.settings.setVisible(False)
        self.set_state(
            "running" if self.invariance.busy else "needs" if problem else "ready",
            problem[0].lower() if problem else "",
        )
        self._modes.setCurrentIndex(0 if problem else 1)
        if problem:
            self._nothing.set_words(*problem)
            self._left.setCurrentIndex(_NOTHING)

    def _show_inside(self, problem: tuple[str, str, str] | None) -> None:
        """It looks by itself: there is no button to press."""
        self.start.setVisible(False)
        self.settings.setVisible(False)
        self.set_state(
            "running" if self.inside.busy else "needs" if problem else "ready", problem[0].lower() if problem else ""
        )
        self._modes.setCurrentIndex(0 if problem else 2)
        if problem:
            self._nothing.set_words(*problem)
            self._left.setCurrentIndex(_NOTHING)

    def _on_mode_chosen(self, mode: str) -> None:
        if mode == "invariance":
            self.session.run_list.refresh()
            self.invariance.set_run(self.session.watcher.run)
        self._look()
        self._refresh()

    def _look(self) -> None:
        """Inside looks without being asked, wherever there is something to look at."""
        if self.modes.value() == "inside" and self._problem(probing=False) is None:
            self.inside.look()

    def _problem(self, *, probing: bool) -> tuple[str, str, str] | None:
        """Why nothing can be evaluated: title, text, button. An audit needs no labels."""
        watcher = self.session.watcher
        state = watcher.state
        if watcher.run is None or state is None:
            text = "Train an encoder first, or open an earlier run on the Runs page."
            return "Nothing to evaluate yet", text, self.way_to_a_run()[0]
        if self._worker.busy:
            return "Reading the run", "", ""
        if state.checkpoint is None or self._table is None:
            text = "An encoder can be probed as soon as the run has written its first checkpoint."
            return "No checkpoint yet", text, "Watch the training"
        if probing and self.settings.column.count() == 0:
            text = "Probes need labels of at least two classes: sub-folders named after classes, or a CSV beside the "
            return "There are no labels to probe", f"{text}images. Choose them on the Data page.", "Go to Data"
        return None

    def _on_empty_button(self) -> None:
        watcher = self.session.watcher
        if watcher.run is None:
            self.session.page_wanted.emit(self.way_to_a_run()[1])
        elif self._table is None or watcher.state is None or watcher.state.checkpoint is None:
            self.session.page_wanted.emit("train")
        else:
            self.session.page_wanted.emit("data")

    # Evaluating

    def _on_start(self) -> None:
        if self.modes.value() == "invariance":
            self.invariance.start()
            return
        run = self.session.watcher.run
        probes = self.settings.chosen_probes()
        if run is None or not probes:
            return
        request = Evaluate(
            run=str(run.path),
            probes=cast(tuple[Literal["knn", "linear"], ...], probes),
            column=self.settings.column.value(),
            neighbors=self.settings.neighbors.value(),
        )
        self._work.begin()
        self._job = self.engine.ask(
            request,
            done=self._on_done,
            failed=self._on_failed,
            progress=self._work.show_progress,
            title="Evaluation",
        )
        self._refresh()

    def _on_done(self, reply: EvaluateReply, arrays: Arrays) -> None:
        del arrays
        self._end_work()
        new = reply.evaluation
        others = [old for old in self.evaluations if (old.column, old.epoch) != (new.column, new.epoch)]
        self.evaluations = (*others, new)
        self.settings.column.set_value(new.column)
        self._refresh()

    def _on_failed(self, failure: Failed) -> None:
        self._end_work()
        self._refresh()
        if failure.reason == "error":
            show_failure(self, failure)

    def _on_cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _end_work(self) -> None:
        self._job = None
        self._work.end()
