"""Views: compose augmentation chains while seeing, to the pixel, what training will be fed."""

import random
from pathlib import Path

from msgspec.structs import replace
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel, QPushButton, QSplitter, QStackedWidget, QWidget

from workbench.engine import protocol
from workbench.engine.messages import Arrays, OpDrawn, Preview, PreviewReply
from workbench.gui.bridge import Engine
from workbench.gui.pages.page import Page
from workbench.gui.pages.views import edits
from workbench.gui.pages.views.draws import DrawBar
from workbench.gui.pages.views.feed import PreviewFeed
from workbench.gui.pages.views.findings import Findings
from workbench.gui.pages.views.inspector import WIDTH, ChainInspector
from workbench.gui.pages.views.presets import PresetChoice
from workbench.gui.session import Session
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.pictures import as_image, as_images
from workbench.gui.widgets.step_strip import Step, StepStrip
from workbench.gui.widgets.view_grid import GridContent, ViewGrid
from workbench.spec.experiment import Experiment

_SHOWN_VIEWS = 32


class ViewsPage(Page):
    """Images × views on the left, what each op does below, the chain on the right."""

    name = "views"
    title = "Views"
    purpose = "What the network will see. Every change here is exactly what training feeds."

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(session, engine, parent)
        self._draw = 0
        self._shuffle = 0
        self._shown: tuple[Preview, PreviewReply] | None = None
        self._visible = False
        self.feed = PreviewFeed(engine, self)
        self.grid = ViewGrid()
        self.strip = StepStrip()
        self.bar = DrawBar()
        self.inspector = ChainInspector(session, Findings(session, engine))
        self.preset = PresetChoice(session, engine, self)
        self.problem = Banner("bad")
        self.problem.hide()
        self.go_on = QPushButton("Continue to method")
        self.go_on.setProperty("kind", "primary")
        self._grid_card = Card("Images × views")
        self._strip_card = Card("After each op")
        self._hover = QLabel()
        self._hover.setProperty("role", "caption")
        self.empty = EmptyState(
            "views", "No images yet", "Open a folder first.", on_click=lambda: session.page_wanted.emit("data")
        )
        self._stack = QStackedWidget()
        self._settle = QTimer(self, singleShot=True, interval=0)
        self._lay_out()
        self._connect()
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
        self._grid_card.content.addWidget(self.problem)
        self._grid_card.content.addWidget(self.grid, 1)
        self._hover.setFixedHeight(16)
        self._grid_card.content.addWidget(self._hover)
        self._grid_card.content.addWidget(self.bar)
        self._strip_card.content.addWidget(self.strip)
        self._strip_card.setMinimumHeight(136)
        pictures = QSplitter(Qt.Orientation.Vertical)
        pictures.setObjectName("views-pictures")
        pictures.setChildrenCollapsible(False)
        pictures.setHandleWidth(16)
        pictures.addWidget(self._grid_card)
        pictures.addWidget(self._strip_card)
        pictures.setStretchFactor(0, 1)
        pictures.setSizes([600, 176])
        whole = QSplitter(Qt.Orientation.Horizontal)
        whole.setObjectName("views-whole")
        whole.setChildrenCollapsible(False)
        whole.setHandleWidth(16)
        whole.addWidget(pictures)
        whole.addWidget(self.inspector)
        whole.setStretchFactor(0, 1)
        whole.setSizes([4000, WIDTH])
        self._stack.addWidget(whole)
        self._stack.addWidget(self.empty)
        self.body.addWidget(self._stack)

    def _connect(self) -> None:
        self.session.draft_changed.connect(self._on_draft_changed)
        self.session.scan_changed.connect(self._on_scan_changed)
        self.feed.arrived.connect(self._on_preview)
        self.feed.failed.connect(self._on_preview_failed)
        self.grid.selected.connect(self._on_view_selected)
        self.grid.hovered.connect(self._on_hovered)
        self.strip.chosen.connect(self.inspector.editor.set_current)
        self.inspector.op_focused.connect(self._on_op_focused)
        self.inspector.kind_changed.connect(self._on_kind_changed)
        self.bar.reroll_wanted.connect(self._on_reroll)
        self.bar.draw_changed.connect(self._on_draw_changed)
        self.bar.shuffle_wanted.connect(self._on_shuffle)
        self.go_on.clicked.connect(lambda: self.session.page_wanted.emit("method"))
        self._settle.timeout.connect(self._refresh)

    def _on_scan_changed(self) -> None:
        self._draw = self._shuffle = 0
        self._shown = None
        self.grid.set_content(GridContent())
        self.strip.set_steps(())

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
            self._show_skeleton(draft)
        self._settle.start()

    def _show_empty(self) -> None:
        if self.session.scan is None:
            self.empty.set_words(
                "No images yet",
                "Views are made from your images. Open a folder on the Data page, and see here what the network sees.",
                "Open a folder",
            )
        else:
            self.empty.set_words("Preparing", "Choosing a chain of augmentations that suits these images …")

    def _show_bar(self, draft: Experiment) -> None:
        self.bar.show_state(seed=draft.seed, draw=self._draw, draws=draft.train.epochs)

    def _show_skeleton(self, draft: Experiment) -> None:
        """Gray squares where pictures will be."""
        request = self._request(draft)
        names = edits.expanded(draft.views)
        self.grid.set_content(
            GridContent(
                paths=request.paths if request else (),
                views=[[] for _ in names],
                names=tuple(name for name, _ in names),
                kinds=tuple(kind for _, kind in names),
            )
        )
        self._grid_card.set_note("making the first previews …")

    def _request(self, draft: Experiment) -> Preview | None:
        scan = self.session.scan
        if scan is None or scan.count == 0:
            return None
        views = edits.expanded(draft.views)
        rows = edits.chosen_rows(scan.count, max(4, min(16, _SHOWN_VIEWS // max(1, len(views)))), self._shuffle)
        image, view = self.grid.selection
        return Preview(
            data=replace(draft.data, folder=str(Path(scan.folder))),
            views=draft.views,
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
        if request is not None:
            self.feed.want(request)

    def _on_preview(self, request: Preview, reply: PreviewReply, arrays: Arrays) -> None:
        scan = self.session.scan
        if scan is None or self.session.draft is None:
            return
        self._shown = (request, reply)
        self.problem.hide()
        kinds = [kind for _, kind in edits.expanded(request.views)]
        self.grid.set_content(
            GridContent(
                paths=request.paths,
                originals=as_images(arrays, "originals"),
                views=[as_images(arrays, f"view-{number}") for number in range(len(reply.names))],
                names=reply.names,
                kinds=tuple(kinds),
                drawn=reply.drawn,
            )
        )
        self._show_steps(request, reply, arrays)
        self._grid_card.set_note(f"crops drawn on the original · preview {self.feed.latency_ms:.0f} ms")

    def _show_steps(self, request: Preview, reply: PreviewReply, arrays: Arrays) -> None:
        """The original, then one picture per op that is on, each tied to its place in the chain."""
        places = self._places(request, reply.steps)
        steps = []
        if request.steps_of >= 0 and "originals" in arrays:
            steps.append(Step(as_image(arrays["originals"][request.steps_of]), "original"))
        for number, drawn in enumerate(reply.steps):
            pixels = arrays.get(f"step-{number}")
            if pixels is not None:
                steps.append(Step(as_image(pixels), drawn.title.lower(), drawn.text, places[number]))
        self.strip.set_steps(tuple(steps))
        if reply.names:
            path = request.paths[request.steps_of]
            self._strip_card.set_note(f"{Path(path).name}, {reply.names[request.steps_view]}")

    def _places(self, request: Preview, steps: tuple[OpDrawn, ...]) -> list[int]:
        """Where in the chain each step's op stands; ops that are off have no step."""
        kind = edits.expanded(request.views)[request.steps_view][1]
        chain = request.views[kind].chain
        if len(steps) == len(chain):
            return list(range(len(chain)))
        on = [place for place, spec in enumerate(chain) if spec.enabled]
        return (on + [-1] * len(steps))[: len(steps)]

    def _on_preview_failed(self, failure: protocol.Failed) -> None:
        self.problem.show_words("bad", "No preview.", f"{failure.message} {failure.hint}".strip())
        self.problem.show()
        self._grid_card.set_note("")

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

    def _on_hovered(self, words: str) -> None:
        self._hover.setText(self._hover.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, self.grid.width()))

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
