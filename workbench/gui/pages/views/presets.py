"""The preset of the views: which one it is, whether it was changed, and another one instead."""

from functools import partial

from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from workbench.engine.messages import Arrays, Suggest, SuggestReply
from workbench.gui.bridge import Engine
from workbench.gui.pages.views.edits import same_views, source_preset
from workbench.gui.session import Session
from workbench.spec.catalog import PresetCard
from workbench.spec.experiment import Experiment, ViewSpec


class PresetChoice(QToolButton):
    """'Preset: SimCLR ▾'. The engine fits a preset to the data; choosing one is one undoable step."""

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._title = ""
        self._fitted: tuple[ViewSpec, ...] = ()
        self.setProperty("kind", "menu")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self.setMenu(self._menu)
        session.catalog_changed.connect(self._on_catalog_changed)
        session.draft_opened.connect(self._on_draft_opened)
        session.draft_changed.connect(self._on_draft_changed)
        self._on_catalog_changed()
        self._on_draft_opened()

    def choose(self, card: PresetCard) -> None:
        """Asks the engine to fit a preset to the data, and takes its views."""
        scan, draft = self._session.scan, self._session.draft
        if scan is None or draft is None:
            return
        request = Suggest(
            scan=scan, data=draft.data, method=draft.method.name, backbone=draft.backbone.name, preset=card.name
        )
        self._engine.ask(request, done=lambda reply, arrays: self._on_fitted(card, reply, arrays), topic="preset")

    def _on_catalog_changed(self) -> None:
        self._menu.clear()
        for card in self._session.catalog.presets:
            action = self._menu.addAction(card.title, partial(self.choose, card))
            action.setToolTip(card.help)
        if self._title:
            self._on_draft_changed()
        else:
            self._on_draft_opened()

    def _on_draft_opened(self) -> None:
        draft = self._session.draft
        self._fitted = draft.views if draft else ()
        self._title = self._preset_of(draft) if draft else ""
        self._on_draft_changed()

    def _on_draft_changed(self) -> None:
        draft = self._session.draft
        words = self._title or "your own"
        if draft and self._title and not same_views(draft.views, self._fitted):
            words += ", changed"
        self.setText(f"Preset: {words}")

    def _preset_of(self, draft: Experiment) -> str:
        """The title of the preset that a fresh draft was made from."""
        catalog = self._session.catalog
        usual = next((card.preset for card in catalog.methods if card.name == draft.method.name), "")
        found = source_preset(draft.views, catalog.presets, usual)
        return found.title if found else ""

    def _on_fitted(self, card: PresetCard, reply: SuggestReply, arrays: Arrays) -> None:
        del arrays
        draft = self._session.draft
        if draft is None:
            return
        self._title, self._fitted = card.title, reply.experiment.views
        self._session.edit(replace(draft, views=reply.experiment.views), f"Preset {card.title}")
        self._on_draft_changed()
