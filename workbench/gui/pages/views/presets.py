"""The preset of the views: which one it is, whether it was changed, and another one instead."""

from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QToolButton, QWidget

from workbench.engine import protocol
from workbench.engine.messages import Arrays, CheckViews, CheckViewsReply, Suggest, SuggestReply
from workbench.gui.bridge import Engine
from workbench.gui.pages.views.edits import source_preset
from workbench.gui.pages.views.preset_menu import PresetMenu
from workbench.gui.pages.views.recognition import KnownPlans
from workbench.gui.pages.views.sharing import Sharing
from workbench.gui.session import Session
from workbench.gui.widgets.note import Note
from workbench.spec import places
from workbench.spec.catalog import PresetCard
from workbench.spec.errors import NotFoundError
from workbench.spec.experiment import DataSpec, Experiment
from workbench.spec.fitting import fit_reasons, fit_to
from workbench.spec.presets import own_presets
from workbench.spec.tasks import card_of

_MOST_TAKEN = 8


class PresetChoice(QToolButton):
    """'Preset: SimCLR, scaled to your data'. Choosing, opening and pasting are one undoable step each."""

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._bundled: tuple[PresetCard, ...] = ()
        self._own: tuple[PresetCard, ...] = ()
        self._taken: tuple[PresetCard, ...] = ()  # opened or pasted, newest first
        self._known: tuple[DataSpec, KnownPlans] | None = None
        self._current: PresetCard | None = None
        self._exact = False
        self.setProperty("kind", "menu")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.presets = PresetMenu(self)
        self.setMenu(self.presets)
        self.note = Note(self)
        self.sharing = Sharing(session, engine, self.presets, self.note, title=self._title, parent=self)
        self._connect(parent)
        self._on_catalog_changed()

    def _connect(self, page: QWidget | None) -> None:
        self._session.catalog_changed.connect(self._on_catalog_changed)
        self._session.draft_opened.connect(self._on_draft_opened)
        self._session.draft_changed.connect(self._on_draft_changed)
        self.presets.aboutToShow.connect(self._on_catalog_changed)
        self.presets.preset_chosen.connect(self.choose)
        self.presets.suggestion_wanted.connect(self.suggest)
        self.presets.scaling_changed.connect(self._on_scaling_changed)
        self.sharing.offered.connect(self._check)
        self.sharing.own_changed.connect(self._on_own_changed)
        if page is not None:
            keys = QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), page)
            keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            keys.activated.connect(self.sharing.paste)

    def choose(self, card: PresetCard) -> None:
        """Takes the views of a preset; those of the user are checked first, as ops may have changed since."""
        if card.own:
            self._check(card, f"Preset {card.title}")
        else:
            self._take(card, f"Preset {card.title}")

    def suggest(self) -> None:
        """Asks the engine for views that suit the images and the method, and says why they do."""
        scan, draft = self._session.scan, self._session.draft
        if scan is None or draft is None:
            return
        method = draft.method
        request = Suggest(
            scan=scan, data=draft.data, method=method.name, also=method.also, backbone=draft.backbone.name
        )
        self._engine.ask(request, done=self._on_suggested, topic="preset")

    def _title(self) -> str:
        """Of what the views are, for who gets them."""
        if self._current is None:
            return self._session.draft.name if self._session.draft else ""
        return self._current.title if self._exact else f"{self._current.title}, changed"

    def _check(self, card: PresetCard, text: str) -> None:
        """Takes the views of somebody's file, if all of them can be made."""

        def take(reply: CheckViewsReply, arrays: Arrays) -> None:
            del reply, arrays
            if card not in self._own:
                self._taken = (card, *(other for other in self._taken if other != card))[:_MOST_TAKEN]
                self._known = None
            self._take(card, text)

        self._engine.ask(CheckViews(views=card.views), done=take, failed=self._on_refused, topic="views-offered")

    def _take(self, card: PresetCard, text: str) -> None:
        draft = self._session.draft
        if draft is None:
            return
        scaled = self.presets.scaling.isChecked()
        views = fit_to(card, size=draft.data.size, channels=draft.data.channels, scaled=scaled)
        self._current = card
        self.note.hide()
        self._session.edit(replace(draft, views=views), text)
        self._on_draft_changed()

    def _on_refused(self, failure: protocol.Failed) -> None:
        if failure.reason == "error":
            self.note.tell("bad", "These views cannot be used.", failure.message)

    def _on_suggested(self, reply: SuggestReply, arrays: Arrays) -> None:
        del arrays
        draft = self._session.draft
        if draft is None:
            return
        self._session.edit(replace(draft, views=reply.experiment.views), "Views scaled to your data")
        self._on_draft_changed()
        self.note.tell("good", f"{self._title()}, scaled to your data.", " ".join(reply.view_reasons))

    def _on_scaling_changed(self, scaled: bool) -> None:
        """The other form of the preset that is shown; changed views stay as they are."""
        if self._exact and self._current is not None:
            how = "scaled to your data" if scaled else "as published"
            self._take(self._current, f"Preset {self._current.title}, {how}")

    def _on_own_changed(self, name: str) -> None:
        self._on_catalog_changed()
        self._current = next((card for card in self._own if card.name == name), self._current)
        self._on_draft_changed()

    def _on_catalog_changed(self) -> None:
        """Fills the menu; the user's folder is looked into anew, since files may have come and gone."""
        self._bundled = tuple(card for card in self._session.catalog.presets if not card.own)
        self._own, broken = own_presets(places.presets_folder(), self._bundled)
        self._known = None
        self.presets.fill(self._bundled, self._own, broken)
        self._on_draft_changed()

    def _on_draft_opened(self) -> None:
        self._current = None
        self._on_draft_changed()

    def _on_draft_changed(self) -> None:
        draft = self._session.draft
        if draft is None:
            return
        found = self._plans(draft.data).find(
            draft.views, meant=self._meant(draft), scaled=self.presets.scaling.isChecked()
        )
        self._exact = found is not None
        if found is not None:
            self._current = found[0]
            self._show_scaling(found[1])
        elif self._current is None:
            self._current = source_preset(draft.views, (*self._bundled, *self._own), self._usual(draft))
        self._show_words(draft)

    def _meant(self, draft: Experiment) -> tuple[str, ...]:
        current = (self._current.name,) if self._current else ()
        return (*current, self._usual(draft))

    def _usual(self, draft: Experiment) -> str:
        try:
            return card_of(draft.method, self._session.catalog).preset
        except NotFoundError:
            return ""

    def _plans(self, data: DataSpec) -> KnownPlans:
        if self._known is None or self._known[0] != data:
            cards = (*self._bundled, *self._own, *self._taken)
            self._known = data, KnownPlans(cards, data)
        return self._known[1]

    def _show_scaling(self, scaled: bool) -> None:
        """Undoing takes the switch back as well."""
        self.presets.scaling.blockSignals(True)
        self.presets.scaling.setChecked(scaled)
        self.presets.scaling.blockSignals(False)

    def _show_words(self, draft: Experiment) -> None:
        card = self._current
        self.presets.mark(card.name if card and self._exact else "")
        if card is None:
            self.setText("Preset: your own")
            self.setToolTip("Choose a preset, open or paste one, or keep these views as one of yours.")
            return
        scaled = self.presets.scaling.isChecked()
        how = "" if card.own else ", scaled to your data" if scaled else ", as published"
        self.setText(f"Preset: {card.title}{how if self._exact else ', changed'}")
        shows_fit = scaled and self._exact
        reasons = fit_reasons(card, size=draft.data.size, channels=draft.data.channels) if shows_fit else ()
        self.setToolTip("\n".join([card.help, *reasons]).strip())
