"""The right column of the Train page: verdict, health, machine, events."""

from collections import deque
from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from workbench.gui.pages.train import facts
from workbench.gui.pages.train.history import History
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.column import GUTTER, SIDE_WIDTH, ScrollColumn
from workbench.gui.widgets.table import FactTable
from workbench.runs.events import AnyEvent
from workbench.runs.state import RunState

_MOST_LINES = 40


class SideColumn(ScrollColumn):
    """What is known of the run beside its curves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(SIDE_WIDTH + GUTTER)
        self.verdict = Banner()
        self.health = FactTable(header=("metric", "now", "healthy"))
        self._health_card = Card("Health")
        self._health_card.content.addWidget(self.health)
        self.clusters = FactTable(header=("metric", "now", "good"))
        self._clusters_card = Card("Clusters against labels")
        self._clusters_card.content.addWidget(self.clusters)
        self.exams = FactTable(header=("task", "right", "by chance"))
        self._exams_card = Card("Its own task")
        self._exams_card.content.addWidget(self.exams)
        self.machine = FactTable()
        self._machine_card = Card("Machine")
        self._machine_card.content.addWidget(self.machine)
        self.events = QLabel()
        self.events.setProperty("role", "secondary")
        self.events.setTextFormat(Qt.TextFormat.PlainText)
        self.events.setWordWrap(True)
        self.events.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.events.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.events.setAccessibleName("events of the run, newest first")
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._events_card = Card("Events")
        self._events_card.content.addWidget(self.events)
        for part in (self.verdict, self._exams_card, self._clusters_card, self._health_card, self._machine_card):
            self.column.addWidget(part)
        self.column.addWidget(self._events_card, 1)

    def show_state(self, state: RunState, history: History) -> None:
        """The newest figures."""
        self.verdict.setVisible(state.verdict is not None)
        if state.verdict:
            words = (state.verdict.level, state.verdict.title, facts.verdict_lines(state.verdict.text))
            if words != (self.verdict.level, self.verdict.title, self.verdict.text):
                self.verdict.show_words(*words)
        exams = [looks[-1] for looks in history.exams.values()]
        self._exams_card.setVisible(bool(exams))
        if exams:
            self._exams_card.set_title("Its own task" if len(exams) == 1 else "Its own tasks")
            self._exams_card.set_note(f"epoch {exams[0].epoch}, {exams[0].images:,} held-out images")
            self.exams.set_rows(facts.exam_rows(exams))
            for number, exam in enumerate(exams):
                self.exams.set_tip(number, facts.exam_tip(exam))
        clusters = history.clusters[-1] if history.clusters else None
        self._clusters_card.setVisible(clusters is not None)
        if clusters:
            self._clusters_card.set_note(f"epoch {clusters.epoch}, {clusters.images:,} images")
            self.clusters.set_rows(facts.cluster_rows(clusters))
            for number, tip in enumerate(facts.CLUSTER_TIPS):
                self.clusters.set_tip(number, tip)
        health = history.health[-1] if history.health else None
        self._health_card.setVisible(health is not None)
        if health:
            self._health_card.set_note(f"epoch {health.epoch}" if health.epoch else "untrained")
            rows = facts.health_rows(health)
            self.health.set_rows(rows)
            tips = {row.title: row.tip for row in facts.HEALTH_ROWS}
            for number, (title, _, _) in enumerate(rows):
                self.health.set_tip(number, tips[title])
        rows = facts.machine_rows(state)
        self._machine_card.setVisible(bool(rows))
        self.machine.set_rows(rows)

    def show_events(self, events: Iterable[AnyEvent]) -> None:
        """All of them anew, newest first."""
        self._lines.clear()
        self.add_events(events)

    def add_events(self, events: Iterable[AnyEvent]) -> None:
        """More of them."""
        for event in events:
            if line := facts.event_line(event):
                self._lines.appendleft(line)
        self.events.setText("\n".join(self._lines))
