"""Views: compose augmentation chains while seeing, to the pixel, what training will be fed."""

import random
from pathlib import Path

from msgspec.structs import replace
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QSplitter, QStackedWidget, QWidget

from workbench.engine import protocol
from workbench.engine.messages import Arrays, Preview, PreviewReply
from workbench.gui.bridge import Engine
from workbench.gui.pages.page import Page
from workbench.gui.pages.views import edits
from workbench.gui.pages.views.board import Board
from workbench.gui.pages.views.feed import PreviewFeed
from workbench.gui.pages.views.findings import Findings
from workbench.gui.pages.views.inspector import ChainInspector
from workbench.gui.pages.views.listening import Listening, voices
from workbench.gui.pages.views.presets import PresetChoice
from workbench.gui.pages.views.steps import StepsCard
from workbench.gui.pages.views.task import TaskMode, TaskSettings
from workbench.gui.session import Session
from workbench.gui.widgets.column import SIDE_WIDTH
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.op_row import Mark
from workbench.spec.experiment import Experiment

_SHOWN_VIEWS = 32


class ViewsPage(Page):
    """Images × views on the left, what each op does below, the chain on the right."""

    name = "views"
    title = "Views"
    purpose = "What the network will see. Every change here is exactly what training feeds."

    _edited = Signal()

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(session, engine, parent)
        self._draw = 0
        self._shuffle = 0
        self._shown: tuple[Preview, PreviewReply] | None = None
        self._visible = False
        self._asking = False
        self.feed = PreviewFeed(engine, self)
        self._listening = Listening()
        self.board = Board(engine)
        self.grid = self.board.grid
        self.bar = self.board.bar
        self.problem = self.board.problem
        self.steps = StepsCard()
        self.strip = self.steps.strip
        self.inspector = ChainInspector(session, Findings(session, engine))
        self.settings = TaskSettings(session)
        self.task = TaskMode(session, engine, self.board, self.settings)
        self.preset = PresetChoice(session, engine, self)
        self.go_on = QPushButton("Continue to method")
        self.go_on.setProperty("kind", "primary")
        self.empty = EmptyState(
            "views", "No images yet", "Open a folder first.", on_click=lambda: session.page_wanted.emit("data")
        )
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self.board.normalization.set_scan(session.scan)
        self._on_draft_changed()

    def entered(self) -> None:
        """Asks for the pictures that were not worth making while nobody looked."""
        self._visible = True
        self.inspector.findings.set_active(True)
        self._refresh()

    def left(self) -> None:
        """Asks for nothing."""
        self._visible = False
        self.inspector.findings.set_active(False)

    def _lay_out(self) -> None:
        self.action_row.addWidget(self.preset)
        self.action_row.addWidget(self.go_on)
        pictures = QSplitter(Qt.Orientation.Vertical)
        pictures.setObjectName("views-pictures")
        pictures.setChildrenCollapsible(False)
        pictures.setHandleWidth(16)
        pictures.addWidget(self.board)
        pictures.addWidget(self.steps)
        pictures.addWidget(self.settings)
        pictures.setStretchFactor(0, 1)
        pictures.setSizes([600, 176, 208])
        whole = QSplitter(Qt.Orientation.Horizontal)
        whole.setObjectName("views-whole")
        whole.setChildrenCollapsible(False)
        whole.setHandleWidth(16)
        whole.addWidget(pictures)
        whole.addWidget(self.inspector)
        whole.setStretchFactor(0, 1)
        whole.setSizes([4000, SIDE_WIDTH])
        self._stack.addWidget(whole)
        self._stack.addWidget(self.empty)
        self.body.addWidget(self._stack)

    def _connect(self) -> None:
        self.session.draft_changed.connect(self._on_draft_changed)
        self.session.scan_changed.connect(self._on_scan_changed)
        self.task.changed.connect(self._on_task_changed)
        self.feed.arrived.connect(self._on_preview)
        self.feed.failed.connect(self._on_preview_failed)
        self.grid.selected.connect(self._on_view_selected)
        self.strip.chosen.connect(self._on_step_chosen)
        self.strip.soloed.connect(self._on_solo_wanted)
        self.inspector.editor.solo_wanted.connect(self._on_solo_wanted)
        self.inspector.editor.mute_wanted.connect(self._on_mute_wanted)
        self.board.clear_wanted.connect(lambda: self._listen(Listening()))
        self.inspector.op_focused.connect(self._on_op_focused)
        self.inspector.kind_changed.connect(self._on_kind_changed)
        self.bar.reroll_wanted.connect(self._on_reroll)
        self.bar.draw_changed.connect(self._on_draw_changed)
        self.bar.shuffle_wanted.connect(self._on_shuffle)
        self.go_on.clicked.connect(lambda: self.session.page_wanted.emit("method"))
        self._edited.connect(self._on_edited, Qt.ConnectionType.QueuedConnection)

    def _on_scan_changed(self) -> None:
        self._draw = self._shuffle = 0
        self._shown = None
        self._listen(Listening())
        self.board.clear_pictures(self.session.scan)
        self.steps.clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leads back, a step at a time: from the large view, then from solo and mute."""
        if event.key() == Qt.Key.Key_Escape and self.board.is_large:
            self.board.close_large()
        elif event.key() == Qt.Key.Key_Escape and self._listening.active:
            self._listen(Listening())
        else:
            super().keyPressEvent(event)

    def _on_draft_changed(self) -> None:
        draft = self.session.draft
        self.go_on.setVisible(draft is not None)
        self.preset.setVisible(draft is not None)
        self._stack.setCurrentIndex(0 if draft else 1)
        self.set_state("ready" if draft else "needs", "" if draft else "needs a folder of images")
        if draft is None:
            self._show_empty()
            return
        self._draw = min(self._draw, draft.train.epochs - 1)
        self._show_bar(draft)
        if self._shown is None:
            self.board.show_skeleton(self._request(draft), edits.expanded(draft.views))
        self._listen(self._listening.still_meant(draft.views))
        if not self._asking:
            self._asking = True
            self._edited.emit()

    def _on_edited(self) -> None:
        """Everybody has seen the draft, and nothing has been painted yet: the engine works while the window paints."""
        self._asking = False
        self._refresh()

    def _show_empty(self) -> None:
        if self.session.scan is None or not self.session.scan.count:
            self.empty.set_words(
                "No images yet",
                "Views are made from your images. Open a folder on the Data page, and see here what the network sees.",
                "Open a folder",
            )
        else:
            self.empty.set_words("Preparing", "Choosing a chain of augmentations that suits these images …")

    def _show_bar(self, draft: Experiment) -> None:
        self.bar.show_state(seed=draft.seed, draw=self._draw, draws=draft.train.epochs)

    def _request(self, draft: Experiment) -> Preview | None:
        scan = self.session.scan
        if scan is None or scan.count == 0:
            return None
        views = edits.expanded(draft.views)
        rows = edits.shown_rows(scan, draft.data, max(4, min(16, _SHOWN_VIEWS // max(1, len(views)))), self._shuffle)
        if not rows:
            return None
        image, view = self.grid.selection
        return Preview(
            data=replace(draft.data, folder=str(Path(scan.folder))),
            views=self._listening.heard(draft.views),
            paths=tuple(scan.paths[row] for row in rows),
            seed=draft.seed,
            epoch=self._draw,
            steps_of=min(image, len(rows) - 1),
            steps_view=min(view, len(views) - 1),
        )

    def _refresh(self) -> None:
        draft = self.session.draft
        if draft is None or not self._visible:
            return
        request = self._request(draft)
        if request is not None and self.task.on:
            self.task.want(request)
        elif request is not None:
            self.feed.want(request)

    def _on_task_changed(self) -> None:
        """After each op there is nothing to see of a task."""
        self.steps.setVisible(not self.task.on)
        self._refresh()

    def _on_preview(self, request: Preview, reply: PreviewReply, arrays: Arrays) -> None:
        scan = self.session.scan
        if scan is None or self.session.draft is None:
            return
        self._shown = (request, reply)
        self.board.show_preview(request, reply, arrays, self.feed.latency_ms)
        self.steps.show_preview(request, reply, arrays)

    def _on_preview_failed(self, failure: protocol.Failed) -> None:
        self.board.show_problem(f"{failure.message} {failure.hint}".strip())

    def _on_view_selected(self, _image: int, view: int) -> None:
        draft = self.session.draft
        if draft is None:
            return
        views = edits.expanded(draft.views)
        if view < len(views):
            self.inspector.set_kind(views[view][1])
        self._refresh()

    def _on_kind_changed(self, kind: int) -> None:
        """The strip follows the kind that is edited."""
        self._show_listening()
        draft = self.session.draft
        if draft is None:
            return
        views = edits.expanded(draft.views)
        image, view = self.grid.selection
        if view >= len(views) or views[view][1] != kind:
            first = next((number for number, (_, other) in enumerate(views) if other == kind), 0)
            self.grid.select(image, first)

    def _on_op_focused(self, place: int) -> None:
        self.strip.set_current(place)
        self.board.compare_op(place)

    def _on_step_chosen(self, place: int) -> None:
        self.inspector.editor.set_current(place)
        self.board.compare_op(place)

    def _on_solo_wanted(self, place: int) -> None:
        draft = self.session.draft
        if draft is not None:
            self._listen(self._listening.toggled_solo(voices(draft.views[self.inspector.kind])[place]))

    def _on_mute_wanted(self, place: int) -> None:
        draft = self.session.draft
        if draft is not None:
            self._listen(self._listening.toggled_mute(voices(draft.views[self.inspector.kind])[place]))

    def _listen(self, listening: Listening) -> None:
        """Shows other ops for a while; the draft and its history stay as they are."""
        changed, self._listening = listening != self._listening, listening
        self._show_listening()
        if changed:
            self._refresh()

    def _show_listening(self) -> None:
        draft, listening = self.session.draft, self._listening
        if draft is None:
            self.board.listening.tell("")
            return
        view = draft.views[min(self.inspector.kind, len(draft.views) - 1)]
        marks = [
            Mark(
                solo=voice == listening.solo,
                muted=voice in listening.muted,
                heard=listening.is_heard(voice, enabled=spec.enabled),
            )
            for voice, spec in zip(voices(view), view.chain, strict=True)
        ]
        self.inspector.editor.set_marks(marks)
        titles = {card.name: card.title for card in self.session.catalog.ops}
        self.board.listening.tell(listening.words(titles, draft.views))

    def _on_reroll(self) -> None:
        draft = self.session.draft
        if draft is None:
            return
        if self.bar.lock.isChecked():
            self._on_draw_changed((self._draw + 1) % draft.train.epochs)
        else:
            self.session.edit(replace(draft, seed=random.randrange(10_000)), "Re-roll", merge="seed")  # noqa: S311  # a seed to look at

    def _on_draw_changed(self, draw: int) -> None:
        self._draw = draw
        if self.session.draft:
            self._show_bar(self.session.draft)
        self._refresh()

    def _on_shuffle(self) -> None:
        self._shuffle += 1
        self._refresh()
