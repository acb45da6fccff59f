"""Ready experiments on the Method page: a menu of them, and what the one that was taken shows."""

from functools import partial
from itertools import groupby

from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from workbench.engine import protocol
from workbench.engine.messages import Arrays, Suggest, SuggestReply
from workbench.gui.bridge import Engine
from workbench.gui.pages.method.choosing import fits
from workbench.gui.session import Session
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.errors import show_failure
from workbench.gui.widgets.explained_menu import ExplainedMenu
from workbench.gui.widgets.menu_heading import add_heading
from workbench.spec.catalog import MethodCard, ReadyCard
from workbench.spec.experiment import Experiment
from workbench.spec.ready import follows

_HELP_HEIGHT = 88


class ReadyChoice(QToolButton):
    """Takes a ready experiment as one undoable step. `about` says what it shows as long as the draft follows it."""

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._entries: dict[str, QAction] = {}
        self._taken: tuple[ReadyCard, Experiment] | None = None
        self.setText("Ready experiments")
        self.setToolTip("Experiments that show something known: what happens when a part of a method is left out.")
        self.setProperty("kind", "menu")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.experiments = ExplainedMenu(self, help_height=_HELP_HEIGHT)
        self.setMenu(self.experiments)
        self.about = Banner()
        self.beside_button = QPushButton()
        self.beside_button.setProperty("kind", "link")
        self.beside_button.clicked.connect(self._on_beside)
        self.about.action_row.addWidget(self.beside_button)
        self.about.action_row.addStretch(1)
        session.catalog_changed.connect(self._on_catalog_changed)
        session.draft_opened.connect(self._forget)
        session.draft_changed.connect(self._on_draft_changed)
        self._on_catalog_changed()

    def take(self, card: ReadyCard) -> None:
        """Asks the engine to fit it to the images, and makes it the draft; the data, the seed and the device stay."""
        scan, draft = self._session.scan, self._session.draft
        if scan is None or draft is None:
            return
        names = [task.name for task in card.method.tasks]
        kept = all(fits(name, draft.backbone.name, self._session.catalog) for name in names)
        request = Suggest(
            scan=scan,
            data=draft.data,
            ready=card.name,
            backbone=draft.backbone.name if kept else "",
            runs=str(self._session.runs_folder),
        )
        done = partial(self._on_suggested, card)
        self._engine.ask(request, done=done, failed=self._on_failed, topic="method")

    def origin(self, draft: Experiment) -> Experiment | None:
        """The ready experiment as it was taken, where this draft still follows it."""
        if self._taken is None or not follows(self._taken[0], draft):
            return None
        return self._taken[1]

    def action_of(self, name: str) -> QAction:
        """The entry of a ready experiment."""
        return self._entries[name]

    def _on_catalog_changed(self) -> None:
        catalog = self._session.catalog
        methods = {card.name: card for card in catalog.methods}
        self.experiments.empty()
        self._entries = {}
        for method, cards in groupby(catalog.experiments, key=lambda card: card.method.name):
            add_heading(self.experiments, methods[method].title if method in methods else method)
            for card in cards:
                self._add(card, methods.get(method))
        self.experiments.add_help()
        self._on_draft_changed()

    def _add(self, card: ReadyCard, method: MethodCard | None) -> None:
        entry = self.experiments.add_entry(card.title, card.shows, partial(self.take, card))
        if method is None:
            entry.setEnabled(False)
            entry.setToolTip(f"The method '{card.method.name}' is not there: its plugin could not be loaded.")
        self._entries[card.name] = entry

    def _on_draft_changed(self) -> None:
        draft = self._session.draft
        self.setVisible(draft is not None and self._session.scan is not None and bool(self._entries))
        follows_one = draft is not None and self.origin(draft) is not None
        self.about.setVisible(follows_one)
        if follows_one and self._taken:
            self._show(self._taken[0])

    def _show(self, card: ReadyCard) -> None:
        self.about.show_words("note", card.title, f"{card.shows}\n\nWhat to expect: {card.expect}")
        self.about.setToolTip(f"Source: {card.source}." if card.source else "")
        next_round = self._next_round(card)
        other = self._entries.get(next_round or card.beside)
        self.beside_button.setVisible(other is not None)
        if other is not None:
            self.beside_button.setText(f"Afterwards: {other.text()}" if next_round else f"To compare: {other.text()}")
            self.beside_button.setEnabled(other.isEnabled())

    def _next_round(self, card: ReadyCard) -> str:
        """The experiment that starts from the encoder of this one."""
        return next((other.name for other in self._session.catalog.experiments if other.after == card.name), "")

    def _on_suggested(self, card: ReadyCard, reply: SuggestReply, arrays: Arrays) -> None:
        del arrays
        draft = self._session.draft
        if draft is None:
            return
        ready = replace(reply.experiment, seed=draft.seed)
        if "device" not in card.train:
            ready = replace(ready, train=replace(ready.train, device=draft.train.device))
        self._taken = (card, ready)
        self._session.edit(ready, card.title)
        self._on_draft_changed()

    def _on_failed(self, failure: protocol.Failed) -> None:
        if failure.reason == "error":
            show_failure(self, failure)

    def _on_beside(self) -> None:
        if self._taken:
            card = self._taken[0]
            self.take(self._session.catalog.experiment(self._next_round(card) or card.beside))

    def _forget(self) -> None:
        self._taken = None
