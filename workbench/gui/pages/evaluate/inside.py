"""Inside: where the encoder looks, and what it takes for the same."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from workbench.engine.messages import Arrays, LookInside, LookInsideReply
from workbench.engine.panels import received
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine, Job
from workbench.gui.pages.evaluate.masks import MaskCard
from workbench.gui.session import Session
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.column import GUTTER, SIDE_WIDTH, ScrollColumn
from workbench.gui.widgets.elided import Elided
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.exhibit_board import ExhibitBoard
from workbench.gui.widgets.rows import LabelledRows
from workbench.gui.widgets.work_card import WorkCard
from workbench.runs.events import CheckpointSaved
from workbench.runs.folder import RunFolder
from workbench.spec.catalog import BackboneCard
from workbench.spec.errors import NotFoundError, WorkbenchError
from workbench.spec.inside import INSIDE_KINDS

_SUBJECTS = (("trained", "trained"), ("untrained", "untrained"))
_SIZES = (("1", "as in training"), ("2", "twice as large"), ("4", "four times as large"))
_COUNTS = (("6", "6"), ("12", "12"), ("24", "24"))
_PATIENCE_MS = 400
"""A look that is shorter shows no progress: it would only flash."""


class InsideView(QWidget):
    """Pictures of the session's run. Every choice asks anew; what comes late is replaced by what was wanted last.

    `busy_changed` when the engine begins or ends looking.
    """

    busy_changed = Signal()

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._run: RunFolder | None = None
        self._asked: tuple[LookInside, CheckpointSaved | None] | None = None
        self._job: Job | None = None
        self._at: tuple[int, float, float] = (0, 0.5, 0.5)
        self.kind = Choice((name, info.title) for name, info in INSIDE_KINDS.items())
        self.subject = Choice(_SUBJECTS)
        self.scale = Choice(_SIZES)
        self.scale.setToolTip("Larger images give finer maps; the encoder was not trained on them.")
        self.count = Choice(_COUNTS)
        self.count.set_value("12")
        self.board = ExhibitBoard()
        self._told = Elided()
        self._told.setProperty("role", "caption")
        self._about = QLabel()
        self._about.setProperty("role", "secondary")
        self._about.setWordWrap(True)
        self._work = WorkCard("Looking")
        self._work.cancelled.connect(self._on_cancel)
        self.masks = MaskCard(session, engine)
        self.masks.busy_changed.connect(self.busy_changed)
        self._empty = EmptyState("eye", "", "", "x", self._look_again)
        self._lay_out()
        for choice in (self.kind, self.subject, self.scale, self.count):
            choice.chosen.connect(lambda _value: self.look())
        self.board.told.connect(self._told.setText)
        self.board.grid.place_chosen.connect(self._on_pointed)
        session.catalog_changed.connect(self._on_catalog)

    @property
    def busy(self) -> bool:
        """Whether the engine is looking, or comparing with masks."""
        return self._job is not None or self.masks.busy

    def set_run(self, run: RunFolder | None) -> None:
        """Another run: nothing is shown until somebody looks."""
        if run is not None and self._run is not None and run.path == self._run.path:
            return
        if self._job is not None:
            self._job.cancel()
            self._end()
        self._run = run
        self._asked = None
        self._at = (0, 0.5, 0.5)
        self._say("", "")
        self.masks.set_run(run)
        self.kind.set_value(self._usual_kind())

    def look(self) -> None:
        """Asks for what is chosen, unless it has been asked of this checkpoint."""
        kind, info = next(known for known in INSIDE_KINDS.items() if known[0] == self.kind.value())
        self._about.setText(info.help)
        self.board.grid.set_pointing(kind == "match")
        if self._run is None:
            return
        image, x, y = self._at if kind == "match" else (0, 0.5, 0.5)
        request = LookInside(
            run=str(self._run.path),
            kind=kind,
            images=int(self.count.value()),
            trained=self.subject.value() == "trained",
            scale=int(self.scale.value()),
            image=image,
            at=(x, y),
        )
        asked = request, self._checkpoint() if request.trained else None
        if asked == self._asked:
            return
        self._asked = asked
        if not self.board.grid.paths:
            self._say("Looking …", "The encoder is loaded and shown some test images.")
        self._work.begin(after_ms=_PATIENCE_MS)
        job = self._job = self._engine.ask(
            request,
            done=lambda reply, arrays: self._on_done(job, request, reply, arrays),
            failed=lambda failure: self._on_failed(job, failure),
            progress=lambda *far: self._on_progress(job, *far),
            topic="inside",
            title="Look inside",
        )
        self.busy_changed.emit()

    def _lay_out(self) -> None:
        pictures = Card("Test images", "click a picture to enlarge it")
        pictures.content.addWidget(self.board, 1)
        pictures.content.addWidget(self._told)
        self._card = pictures
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(pictures)
        side = ScrollColumn()
        side.setFixedWidth(SIDE_WIDTH + GUTTER)
        card = Card("What to look at")
        form = LabelledRows()
        for words, choice in (
            ("show", self.kind), ("encoder", self.subject), ("image size", self.scale), ("images", self.count),
        ):  # fmt: skip
            form.add(words, choice)
        card.content.addLayout(form)
        card.content.addWidget(self._about)
        side.column.addWidget(card)
        side.column.addWidget(self._work)
        side.column.addWidget(self.masks)
        side.column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self._stack, 1)
        row.addWidget(side)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(row, 1)

    def _usual_kind(self) -> str:
        """Attention of a transformer, otherwise what is alike; what cannot be shown is not offered."""
        card = self._backbone()
        tokens = card is None or "tokens" in card.provides
        if not tokens and self.kind.value() == "attention":
            self.kind.set_value("colors")
        self.kind.set_options(
            (name, info.title) for name, info in INSIDE_KINDS.items() if tokens or name != "attention"
        )
        return "attention" if card is not None and tokens else "colors"

    def _backbone(self) -> BackboneCard | None:
        try:
            return self._session.catalog.backbone(self._run.experiment().backbone.name) if self._run else None
        except (NotFoundError, WorkbenchError):
            return None

    def _on_catalog(self) -> None:
        """A run may be shown before it is known what its backbone can."""
        usual = self._usual_kind()
        if self._asked is None:
            self.kind.set_value(usual)

    def _checkpoint(self) -> CheckpointSaved | None:
        """The newest of the run, as far as the window knows."""
        watcher = self._session.watcher
        is_watched = self._run is not None and watcher.run is not None and watcher.run.path == self._run.path
        return watcher.state.checkpoint if is_watched and watcher.state is not None else None

    def _look_again(self) -> None:
        self._asked = None
        self.look()

    def _on_pointed(self, row: int, x: float, y: float) -> None:
        self._at = (row, x, y)
        self.look()

    def _on_progress(self, job: Job, what: str, done: int, total: int) -> None:
        if job is self._job:
            self._work.show_progress(what, done, total)

    def _on_done(self, job: Job, request: LookInside, reply: LookInsideReply, arrays: Arrays) -> None:
        if job is not self._job:  # Something else is wanted by now.
            return
        self._end()
        self.board.set_panels(reply.paths, received(reply.panels, arrays, original="Image"))
        doing = "click a place in an image" if request.kind == "match" else "click a picture to enlarge it"
        self._card.set_note(f"epoch {reply.epoch} · {doing}" if reply.epoch else f"untrained · {doing}")
        self._stack.setCurrentIndex(1)

    def _on_failed(self, job: Job, failure: Failed) -> None:
        if job is not self._job:
            return
        self._end()
        if failure.reason == "error":
            self._say("This cannot be shown", f"{failure.message} {failure.hint}".strip(), "Look again")
        else:
            self._say("The look was cancelled", "", "Look again")

    def _on_cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _say(self, title: str, text: str, button: str = "") -> None:
        """Words in place of pictures."""
        self.board.set_panels((), ())
        self._empty.set_words(title, text, button)
        self._stack.setCurrentIndex(0)

    def _end(self) -> None:
        self._job = None
        self._work.end()
        self.busy_changed.emit()
