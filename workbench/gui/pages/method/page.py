"""Method: how the network will learn from these images, and with what recipe."""

from msgspec.structs import replace
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QWidget,
)

from workbench.engine import protocol
from workbench.engine.messages import Suggest, SuggestReply
from workbench.gui.bridge import Engine
from workbench.gui.pages.method.choosing import KeptBackbone, sections, with_suggestion
from workbench.gui.pages.method.gallery import BAR, MethodGallery
from workbench.gui.pages.method.ready import ReadyChoice
from workbench.gui.pages.method.recipe import MethodForm, RecipeForm
from workbench.gui.pages.method.start import CheckCard, MeasureCard
from workbench.gui.pages.method.tasks import TasksForm
from workbench.gui.pages.page import Page
from workbench.gui.session import Session
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.column import GUTTER, SIDE_WIDTH, ScrollColumn
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.errors import show_failure
from workbench.gui.widgets.fold import Fold
from workbench.gui.words import counted
from workbench.spec.errors import NotFoundError, WorkbenchError
from workbench.spec.experiment import Experiment


class MethodPage(Page):
    """Cards on the left; method, recipe, check and measurement on the right."""

    name = "method"
    title = "Method"
    purpose = "How the network learns without labels."

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(session, engine, parent)
        self._usual: dict[str, Experiment] = {}
        self._kept = KeptBackbone()
        self._pending = ""
        self._visible = False
        self.gallery = MethodGallery()
        self.method_form = MethodForm(session)
        self.tasks = TasksForm(session)
        self.recipe = RecipeForm(session)
        self.check = CheckCard(engine, self._asked)
        self.measure = MeasureCard(engine, self._asked)
        self.ready = ReadyChoice(session, engine)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a method")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(200)
        self.search.setProperty("kind", "head")
        self.search.setAccessibleName("Find a method")
        self.start_button = QPushButton("Start training")
        self.start_button.setProperty("kind", "primary")
        self.empty = EmptyState(
            "method", "No images yet", "Open a folder first.", on_click=lambda: session.page_wanted.emit("data")
        )
        self.obstacle = Banner("bad")
        self.obstacle.hide()
        self._reasons = Fold("Why these defaults")
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self._on_draft_opened()
        self._on_catalog_changed()

    def entered(self) -> None:
        """Shows and checks what has changed meanwhile."""
        self._visible = True
        self.session.run_list.refresh()
        self._on_draft_changed()
        QTimer.singleShot(0, self.gallery, self.gallery.reveal)  # Once the cards stand where they belong.

    def left(self) -> None:
        """Checks nothing."""
        self._visible = False

    def choose(self, name: str, backbone: str = "") -> None:
        """Another method or backbone: its recipe and views come along where the user has not changed them."""
        draft, scan = self.session.draft, self.session.scan
        if draft is None or (name == draft.method.name and backbone in ("", draft.backbone.name)):
            return
        self._pending = name
        self.gallery.set_current(name)
        if scan is None:
            self._choose_without_data(draft, name, backbone or draft.backbone.name)
            return
        asked = backbone or self._kept.asked(name, draft, self.session.catalog)
        request = Suggest(scan=scan, data=draft.data, method=name, backbone=asked)
        usual = self._usual_of(draft)
        if usual is not None:
            self._ask_for(request, usual)
            return
        old = Suggest(scan=scan, data=draft.data, method=draft.method.name, backbone=draft.backbone.name)
        self.engine.ask(
            old,
            done=lambda reply, _arrays: self._ask_for(request, reply.experiment),
            failed=self._on_suggestion_failed,
            topic="method",
        )

    def _usual_of(self, draft: Experiment) -> Experiment | None:
        """What was suggested for the draft's method: what differs from it is the user's."""
        return self.ready.origin(draft) or self._usual.get(draft.method.name)

    def _lay_out(self) -> None:
        self.action_row.addWidget(self.search)
        self.action_row.addWidget(self.ready)
        self.action_row.addWidget(self.start_button)
        inspector = ScrollColumn()
        self._reasons_card = Card()
        self._reasons_card.content.addWidget(self._reasons)
        self._reasons_words = QLabel()
        self._reasons_words.setProperty("role", "secondary")
        self._reasons_words.setWordWrap(True)
        self._reasons.content.addWidget(self._reasons_words)
        for card in (
            self.obstacle,
            self.ready.about,
            self.method_form,
            self.tasks,
            self.recipe,
            self.check,
            self.measure,
            self._reasons_card,
        ):
            inspector.column.addWidget(card)
        inspector.column.addStretch(1)
        inspector.setMinimumWidth(SIDE_WIDTH - 32 + GUTTER)
        inspector.setMaximumWidth(SIDE_WIDTH + 160 + GUTTER)
        whole = QSplitter(Qt.Orientation.Horizontal)
        whole.setObjectName("method-whole")
        whole.setChildrenCollapsible(False)
        whole.setHandleWidth(16 - BAR)
        whole.addWidget(self.gallery)
        whole.addWidget(inspector)
        whole.setStretchFactor(0, 1)
        whole.setSizes([4000, SIDE_WIDTH + GUTTER])
        self._stack.addWidget(whole)
        self._stack.addWidget(self.empty)
        self.body.addWidget(self._stack)
        self.reach_gutter()

    def _connect(self) -> None:
        self.session.catalog_changed.connect(self._on_catalog_changed)
        self.session.draft_opened.connect(self._on_draft_opened)
        self.session.draft_changed.connect(self._on_draft_changed)
        self.session.scan_changed.connect(self._on_scan_changed)
        self.search.textChanged.connect(self._show_cards)
        self.search.returnPressed.connect(self._on_search_entered)
        self.gallery.chosen.connect(self.choose)
        self.recipe.backbone_chosen.connect(self._on_backbone_chosen)
        self.check.checked.connect(self._show_start)
        self.start_button.clicked.connect(self._on_start)

    def _on_scan_changed(self) -> None:
        self._usual.clear()
        self._show_cards()

    def _on_catalog_changed(self) -> None:
        self.recipe.show_choices()
        self._show_cards()
        self._on_draft_changed()

    def _show_cards(self) -> None:
        scan = self.session.scan
        catalog = self.session.catalog
        count = scan.count if scan else 0
        typed = self.search.text().strip()
        clips = scan.clips if scan else 0
        shown = sections(catalog.methods, count, self.session.devices, typed, clips=clips)
        self.gallery.set_sections(shown, catalog.broken, nothing=f"No method fits “{typed}”." if typed else "")

    def _on_search_entered(self) -> None:
        """To the first card that was found; Enter there chooses it."""
        if self.gallery.tiles:
            self.gallery.tiles[0].setFocus()

    def _on_draft_opened(self) -> None:
        """What the engine has just suggested is usual; a draft from elsewhere is compared when it matters."""
        draft = self.session.draft
        self._pending = ""
        self._usual = {draft.method.name: draft} if draft and self.session.reasons else {}

    def _on_draft_changed(self) -> None:
        draft, catalog = self.session.draft, self.session.catalog
        ready = draft is not None and bool(catalog.methods)
        self._stack.setCurrentIndex(0 if ready else 1)
        self.set_state("ready" if draft else "needs", "" if draft else "needs a folder of images")
        if draft is None or not ready:
            self._show_empty()
            self._show_start()
            return
        if self._visible:
            self._show_draft(draft)
            self.check.check_soon()
        self._show_start()

    def _show_draft(self, draft: Experiment) -> None:
        self.gallery.set_current(self._pending or draft.method.name)
        try:
            card = self.session.catalog.method(draft.method.name)
        except NotFoundError as error:
            self.set_purpose(str(error))
            return
        self.method_form.show_method(card, draft.method.params)
        self.tasks.show_tasks(draft.method)
        self.recipe.show_draft(draft, self._usual_of(draft))
        self.measure.show_draft(draft)
        reasons = self.session.reasons
        self._reasons_card.setVisible(bool(reasons))
        self._reasons_words.setText("\n".join(f"· {reason}" for reason in reasons))
        scan = self.session.scan
        if scan:
            kind = {"gray": "gray image", "planes": "image of several planes"}.get(draft.data.channels, "color image")
            several = "images of several planes" if draft.data.channels == "planes" else ""
            self.set_purpose(f"{self.purpose} Recommended for {counted(scan.count, kind, several)} first.")

    def _show_empty(self) -> None:
        if not self.session.catalog.methods and self.session.draft is not None:
            self.empty.set_words("Loading methods", "The engine is starting and describing its plugins …")
        elif self.session.scan is None or not self.session.scan.count:
            self.empty.set_words(
                "No images yet",
                "A method and its recipe are chosen for your images. Open a folder on the Data page first.",
                "Open a folder",
            )
        else:
            self.empty.set_words("Preparing", "Choosing a recipe that suits these images and this machine …")

    def _show_start(self) -> None:
        """Whether it can start, and at the top of the column what is in its way: the check itself is far below."""
        problem = "Open a folder of images first." if self.session.draft is None else self.check.problem
        obstacle = self.check.error if self.session.draft is not None else ""
        self.obstacle.show_words("bad", "Not ready to start", obstacle)
        self.obstacle.setVisible(bool(obstacle))
        self.start_button.setEnabled(not problem)
        self.start_button.setVisible(self.session.draft is not None)
        self.search.setVisible(self.session.draft is not None)
        self.start_button.setToolTip(
            problem or "Starts a run in the background; it goes on when this window is closed."
        )

    def _asked(self) -> tuple[Experiment, int] | None:
        draft, scan = self.session.draft, self.session.scan
        if draft is None or scan is None:
            return None
        return draft, scan.count

    def _choose_without_data(self, draft: Experiment, name: str, backbone: str) -> None:
        """Without images there is no suggestion: the method's own recipe, and nothing else."""
        card = self.session.catalog.method(name)
        recipe = card.recipe
        train = replace(
            draft.train,
            optimizer=recipe.optimizer,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            weight_decay_factor=recipe.weight_decay_factor,
            clip_gradient=recipe.clip_gradient,
            beta2=recipe.beta2,
            warmup=recipe.warmup,
        )
        method = replace(draft.method, name=name, params={})
        self._pending = ""
        changed = replace(draft, method=method, train=train, backbone=replace(draft.backbone, name=backbone))
        self.session.edit(changed, f"Method {card.title}")

    def _ask_for(self, request: Suggest, usual: Experiment) -> None:
        self.engine.ask(
            request,
            done=lambda reply, _arrays: self._on_suggested(request, usual, reply),
            failed=self._on_suggestion_failed,
            topic="method",
        )

    def _on_suggested(self, request: Suggest, usual: Experiment, reply: SuggestReply) -> None:
        self._pending = ""
        draft = self.session.draft
        if draft is None:
            return
        after = reply.experiment
        if self.ready.origin(draft) is None:
            self._usual[draft.method.name] = usual
        changed = with_suggestion(draft, usual, after)
        what = f"Method {after.method.name}" if after.method != draft.method else f"Backbone {after.backbone.name}"
        self._usual[after.method.name] = after
        if not request.backbone:
            self._kept.replaced(draft.backbone.name, after.backbone.name)
            what = f"{what} on {after.backbone.name}"
        self.session.edit(changed, what)

    def _on_suggestion_failed(self, failure: protocol.Failed) -> None:
        self._pending = ""
        draft = self.session.draft
        if draft:
            self._show_draft(draft)
        if failure.reason == "error":
            show_failure(self, failure)

    def _on_backbone_chosen(self, name: str) -> None:
        draft = self.session.draft
        if draft:
            self._kept.forget()
            self.choose(draft.method.name, name)

    def _on_start(self) -> None:
        draft = self.session.draft
        if draft is None or self.check.problem:
            return
        try:
            self.session.start(draft)
        except WorkbenchError as error:
            show_failure(self, error)
            return
        self.session.page_wanted.emit("train")
