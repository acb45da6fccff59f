"""What the method gives a network and asks of it, before anything is trained."""

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.engine import protocol
from workbench.engine.messages import Arrays, Preview, ShowTask, ShowTaskReply
from workbench.gui import words
from workbench.gui.bridge import Engine
from workbench.gui.pages.method.recipe import MethodForm
from workbench.gui.pages.method.tasks import TasksForm
from workbench.gui.pages.views.board import Board
from workbench.gui.pages.views.feed import TaskFeed
from workbench.gui.session import Session
from workbench.spec.catalog import MethodCard
from workbench.spec.errors import NotFoundError
from workbench.spec.experiment import MethodSpec
from workbench.spec.tasks import card_of

IMAGES = 12
"""How many are shown at most: each goes through the untrained network."""


class TaskSettings(QWidget):
    """The parameters of the method and of the tasks beside it, under the pictures of all of them, so that both are
    seen while one is moved.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.method = MethodForm(session, scrolls=True)
        self.method.about_button.hide()  # That is told on the Method page.
        self.tasks = TasksForm(session, scrolls=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.method, 1)
        row.addWidget(self.tasks, 1)
        self.setMinimumHeight(136)

    def show_method(self, card: MethodCard, method: MethodSpec) -> None:
        """Shows them without emitting; `card` is that of the method alone."""
        self.method.show_method(card, method.params)
        self.tasks.show_tasks(method)


class TaskMode(QObject):
    """Shows the task of the draft's method on the board in place of the views, while the user wants to see it.

    `changed`: the board shows the other of the two. `want` asks for pictures as a preview would; what comes late is
    replaced by what was wanted last.
    """

    changed = Signal()

    def __init__(self, session: Session, engine: Engine, board: Board, settings: TaskSettings) -> None:
        super().__init__(board)
        self._session = session
        self._board = board
        self._settings = settings
        self._wanted = False
        self.feed = TaskFeed(engine, self)
        self.feed.arrived.connect(self._on_task)
        self.feed.failed.connect(self._on_failed)
        board.mode.chosen.connect(self._on_chosen)
        session.draft_changed.connect(self._follow)
        session.catalog_changed.connect(self._follow)
        self._follow()

    @property
    def on(self) -> bool:
        """Whether the task is shown."""
        return self._board.shows_task

    def want(self, request: Preview) -> None:
        """The task for the images, the views and the draw of a preview."""
        draft, scan = self._session.draft, self._session.scan
        if draft is None or scan is None:
            return
        self.feed.want(
            ShowTask(
                experiment=replace(draft, data=request.data, views=request.views),
                images=scan.count,
                paths=request.paths[:IMAGES],
                epoch=request.epoch,
            )
        )

    def _on_chosen(self, mode: str) -> None:
        self._wanted = mode == "task"
        self._follow()

    def _follow(self) -> None:
        """Another method may have nothing to show; the wish is kept for the next one that has."""
        draft, card = self._session.draft, method_of(self._session)
        offered = card is not None and card.exhibits
        before = self.on
        self._board.mode.setVisible(offered)
        self._board.show_mode(task=offered and self._wanted)
        if draft is not None and offered:
            alone = self._session.catalog.method(draft.method.name)
            self._settings.show_method(alone, draft.method)
            self._settings.setVisible(self.on and bool(alone.params or draft.method.also))
        else:
            self._settings.hide()
        if before != self.on:
            self.feed.forget()
            self.changed.emit()

    def _on_task(self, request: ShowTask, reply: ShowTaskReply, arrays: Arrays) -> None:
        card, draft = method_of(self._session), self._session.draft
        if card is not None and draft is not None and draft.method.words == request.experiment.method.words:
            note = f"{card.title}, before any training · {words.milliseconds(self.feed.latency_ms)}"
            self._board.show_task(request, reply, arrays, note)

    def _on_failed(self, failure: protocol.Failed) -> None:
        if self.on:
            self._board.show_problem(f"{failure.message} {failure.hint}".strip(), "The task cannot be shown.")


def method_of(session: Session) -> MethodCard | None:
    """The draft's method, with the tasks beside it, where the catalog has them."""
    try:
        return card_of(session.draft.method, session.catalog) if session.draft else None
    except NotFoundError:
        return None
