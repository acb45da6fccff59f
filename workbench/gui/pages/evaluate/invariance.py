"""Invariance: what the encoder has become blind to, alone or beside another one."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from workbench.engine.messages import Arrays, AuditReply, RunAudit
from workbench.engine.protocol import Failed
from workbench.gui import words
from workbench.gui.bridge import Engine, Job
from workbench.gui.pages.evaluate.figures import target
from workbench.gui.session import Session
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.bars import Bar, BarGroup, IntervalBars
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.column import GUTTER, SIDE_WIDTH, ScrollColumn
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.errors import show_failure
from workbench.gui.widgets.heat_map import HeatMap, HeatRow
from workbench.gui.widgets.rows import LabelledRows
from workbench.gui.widgets.table import FactTable
from workbench.gui.widgets.work_card import WorkCard
from workbench.runs.audit import Audit, Subject, audit_of, compared, in_words, load_audits
from workbench.runs.folder import RunFolder
from workbench.spec.errors import WorkbenchError

_SUBJECTS: dict[Subject, str] = {
    "trained": "trained",
    "best": "best checkpoint",
    "untrained": "untrained",
    "pretrained": "library weights",
}
_ORDERS = (("blind", "blindest first"), ("kind", "by kind of change"))
_ORDERS_BESIDE = (("apart", "most different first"), *_ORDERS)
_NOTE = "1: blind to it · 0: another image"


class InvarianceView(QWidget):
    """Shows the audits of the session's run. `busy_changed` when one starts or ends, `shown_changed` when another is
    shown, or none.
    """

    busy_changed = Signal()
    shown_changed = Signal()

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._run: RunFolder | None = None
        self._audits: tuple[Audit, ...] = ()
        self._beside: tuple[Audit, ...] = ()
        self._job: Job | None = None
        self._wanted: list[tuple[str, Subject]] = []
        self.subject = Choice(_SUBJECTS.items())
        self.subject.setToolTip("Which encoder is asked.")
        self.other = Choice()
        self.other.setToolTip("Another encoder beside it, asked the same.")
        self.order = Choice(_ORDERS)
        self.order.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToContents)
        self.order.setAccessibleName("Order of the rows")
        self.heat = HeatMap()
        self.verdict = Banner("note")
        self.bars = IntervalBars()
        self.facts = FactTable()
        self._work = WorkCard("Auditing")
        self._told = QLabel()
        self._told.setProperty("role", "caption")
        self._empty = EmptyState("evaluate", "", "", "Audit", self.start)
        self._lay_out()
        self.subject.chosen.connect(lambda _value: self._on_subject_chosen())
        self.other.chosen.connect(lambda _value: self._on_other_chosen())
        self.order.chosen.connect(lambda _value: self._refresh())
        self.heat.told.connect(self._told.setText)
        self._work.cancelled.connect(self._on_cancel)
        session.run_list.changed.connect(self._show_others)
        self._show_others()

    @property
    def busy(self) -> bool:
        """Whether an audit is under way."""
        return self._job is not None

    @property
    def has_results(self) -> bool:
        """Whether the chosen encoder has been audited; where not, what is shown in its place has the button."""
        return self._stack.currentIndex() == 0

    def set_run(self, run: RunFolder | None) -> None:
        """Another run, or the same one with new files."""
        if run is None or self._run is None or run.path != self._run.path:
            self._on_cancel()
        self._run = run
        self._audits = self._read(run) if run else ()
        self._show_others()
        self._on_other_chosen()

    def start(self) -> None:
        """Audits what is chosen: the encoder, and the one beside it where it has no audit yet."""
        if self._run is None or self._job is not None:
            return
        self._wanted = [(str(self._run.path), self._subject())]
        path, subject = self._other()
        if path and audit_of(self._beside, subject) is None:
            self._wanted.append((path, subject))
        self._next()

    def _lay_out(self) -> None:
        self._map_card = Card("Cosine of an image and its changed self", _NOTE)
        self._map_card.corner.addWidget(self.order)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setProperty("surface", "inside")
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.heat)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._map_card.content.addWidget(scroll, 1)
        self._told.setFixedHeight(16)
        self._map_card.content.addWidget(self._told)
        results = QWidget()
        left = QVBoxLayout(results)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(16)
        left.addWidget(self.verdict)
        left.addWidget(self._map_card, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(results)
        self._stack.addWidget(self._empty)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self._stack, 1)
        row.addWidget(self._side())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(16)
        above = QHBoxLayout()
        above.setContentsMargins(0, 0, GUTTER, 0)
        above.addWidget(self._work)
        whole.addLayout(above)
        whole.addLayout(row, 1)

    def _side(self) -> QWidget:
        side = ScrollColumn()
        side.setFixedWidth(SIDE_WIDTH + GUTTER)
        column = side.column
        card = Card("Encoder")
        form = LabelledRows()
        form.add("encoder", self.subject)
        form.add("compare with", self.other)
        card.content.addLayout(form)
        about = QLabel("Test images are changed, op by op and ever stronger. Does the encoder notice?")
        about.setProperty("role", "secondary")
        about.setWordWrap(True)
        card.content.addWidget(about)
        column.addWidget(card)
        self._factor_card = Card("What can still be read", "dotted: guessing")
        self._factor_card.content.addWidget(self.bars)
        column.addWidget(self._factor_card)
        self._fact_card = Card("This audit")
        self._fact_card.content.addWidget(self.facts)
        column.addWidget(self._fact_card)
        column.addStretch(1)
        return side

    # What is chosen

    def _subject(self) -> Subject:
        return next(known for known in _SUBJECTS if known == self.subject.value())

    def _other(self) -> tuple[str, Subject]:
        """(path of the run, its encoder) to compare with; '' for none."""
        value = self.other.value()
        if not value or self._run is None:
            return "", "trained"
        for subject in _SUBJECTS:
            if value == subject:
                return str(self._run.path), subject
        return value, "trained"

    def _show_others(self) -> None:
        """Encoders of this run, and other runs that are trained to some point."""
        options = [("", "nothing")]
        chosen = self._subject()
        options += [
            (subject, f"this run, {title}") for subject, title in _SUBJECTS.items() if subject not in ("best", chosen)
        ]
        own = str(self._run.path) if self._run else ""
        for row in self._session.run_list.rows:
            if row.path != own:
                options.append((row.path, row.name))
        if self.other.value() not in [path for path, _ in options]:
            self.other.set_value("")  # Before the others come: a choice keeps the value that it shows.
        self.other.set_options(options)

    def _on_subject_chosen(self) -> None:
        """Nothing is compared with itself."""
        self._show_others()
        self._on_other_chosen()

    def _on_other_chosen(self) -> None:
        path, _ = self._other()
        self._beside = self._read(RunFolder(Path(path))) if path else ()
        self.order.set_options(_ORDERS_BESIDE if path else _ORDERS)
        self.order.set_value("apart" if path else "blind")
        self._refresh()

    def _read(self, run: RunFolder) -> tuple[Audit, ...]:
        try:
            return load_audits(run)
        except WorkbenchError as error:
            show_failure(self, error)
            return ()

    # What is shown

    def _refresh(self) -> None:
        audit = audit_of(self._audits, self._subject())
        path, subject = self._other()
        beside = audit_of(self._beside, subject) if path else None
        self._fact_card.setVisible(audit is not None)
        self._factor_card.setVisible(audit is not None and bool(audit.factors))
        self._empty.button.setEnabled(self._job is None)
        self._stack.setCurrentIndex(1 if audit is None else 0)
        self.shown_changed.emit()
        if audit is None:
            self._empty.set_words(
                f"The {_SUBJECTS[self._subject()]} encoder has not been audited yet",
                "Every op of the Views page is tried on test images, from weak to strong; probes tell which factors "
                "of the labels are still in the features. It takes a minute or so.",
                "Audit",
            )
            return
        names = self._names(path, subject)
        own = self._run is not None and path == str(self._run.path)
        if path and beside is None:
            self.verdict.show_words("note", "Nothing to compare with yet", f"Press Audit to ask {names[1]} as well.")
        elif beside is not None:
            said = words.minus(compared(audit, beside, names))
            self.verdict.show_words("note", "Side by side", words.capitalized(said) if own else said)
        else:
            self.verdict.show_words("note", "What it sees, and what it does not", words.minus(in_words(audit)))
        shown = [audit] if beside is None else [audit, beside]
        self.heat.set_rows(heat_rows(shown, self.order.value()), names[: len(shown)])
        self.bars.set_groups(_groups(shown, names if own else ("this run", "the other")))
        self._show_facts(audit)

    def _names(self, path: str, subject: Subject) -> tuple[str, str]:
        assert self._run is not None
        if path == str(self._run.path):
            return _SUBJECTS[self._subject()], _SUBJECTS[subject]
        return self._run.name, Path(path).name

    def _show_facts(self, audit: Audit) -> None:
        rows = [
            ("encoder of epoch", str(audit.epoch), ""),
            ("test images", f"{audit.images:,}", ""),
            ("size", f"{audit.image_size} px", ""),
            ("cosine of others", words.minus(f"{audit.between:.2f}"), ""),
            ("frozen", "yes" if audit.frozen else "NO", ""),
            ("made", words.moment(audit.time), ""),
        ]
        tips = {
            3: "The mean cosine between different images, before the mean feature is taken out.",
            4: f"SHA-256 of all parameters and buffers: {audit.encoder_hash}",
        }
        if audit.skipped:
            tips[len(rows)] = f"They do nothing on these images: {', '.join(audit.skipped)}"
            rows.append(("changes left out", f"{len(audit.skipped)}", ""))
        self.facts.set_rows(rows)
        for number, tip in tips.items():
            self.facts.set_tip(number, tip)

    # Auditing

    def _next(self) -> None:
        path, subject = self._wanted.pop(0)
        self._work.begin()
        self._job = self._engine.ask(
            RunAudit(run=path, subject=subject),
            done=lambda reply, arrays: self._on_done(path, reply, arrays),
            failed=self._on_failed,
            progress=self._work.show_progress,
            title="Invariance audit",
        )
        self.busy_changed.emit()

    def _on_done(self, path: str, reply: AuditReply, arrays: Arrays) -> None:
        del arrays
        if self._run is not None and path == str(self._run.path):
            self._audits = (*(old for old in self._audits if old.subject != reply.audit.subject), reply.audit)
        if path == self._other()[0]:
            self._beside = (*(old for old in self._beside if old.subject != reply.audit.subject), reply.audit)
        self._end()
        if self._wanted:
            self._next()
        self._refresh()

    def _on_failed(self, failure: Failed) -> None:
        self._wanted.clear()
        self._end()
        self._refresh()
        if failure.reason == "error":
            show_failure(self, failure)

    def _on_cancel(self) -> None:
        self._wanted.clear()
        if self._job is not None:
            self._job.cancel()

    def _end(self) -> None:
        self._job = None
        self._work.end()
        self.busy_changed.emit()


def heat_rows(audits: list[Audit], order: str) -> list[HeatRow]:
    """Every change that the first was asked about, beside the others' answers."""
    made = [
        HeatRow(title=ladder.title, answers=tuple(audit.ladder(ladder.key) for audit in audits))
        for ladder in audits[0].ladders
    ]

    def cosine(row: HeatRow, encoder: int) -> float:
        answer = row.answers[encoder]
        return answer.cosine if answer is not None else 0.0

    if order == "apart" and len(audits) > 1:
        return sorted(made, key=lambda row: abs(cosine(row, 0) - cosine(row, 1)), reverse=True)
    if order == "kind":
        groups = [ladder.group for ladder in audits[0].ladders]
        numbered = sorted(range(len(made)), key=lambda number: (groups[number], made[number].title))
        return [made[number] for number in numbered]
    return sorted(made, key=lambda row: cosine(row, 0), reverse=True)


def _groups(audits: list[Audit], names: tuple[str, str]) -> list[BarGroup]:
    """A group per factor: each encoder's probe, and where guessing would be."""
    made = []
    for factor in audits[0].factors:
        bars = []
        for number, audit in enumerate(audits):
            found = audit.factor(factor.column)
            if found is not None:
                label = "probe" if len(audits) == 1 else names[number]
                bars.append(Bar(label=label, value=found.accuracy, low=found.low, high=found.high, strong=number == 0))
        made.append(BarGroup(title=target(factor.column), bars=tuple(bars), chance=factor.guessing))
    return made
