"""The Explore page: each point an image, placed by what the encoder sees in it."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from workbench.engine.messages import Arrays, Project, ProjectReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine, Job
from workbench.gui.pages.explore import scene
from workbench.gui.pages.explore.scene import Scene
from workbench.gui.pages.explore.side import NEIGHBORS, NearestCard, SelectionCard, stacked
from workbench.gui.pages.explore.stage import Stage
from workbench.gui.pages.page import Page
from workbench.gui.session import Session
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.column import SIDE_WIDTH
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.errors import show_failure
from workbench.gui.widgets.legend import ClassLegend
from workbench.gui.worker import Worker
from workbench.runs.events import AnyEvent, SnapshotTaken
from workbench.runs.folder import RunFolder
from workbench.runs.split import SplitTable, read_split
from workbench.spec.errors import WorkbenchError
from workbench.spec.experiment import DataSpec

_PROJECTIONS = (("pca", "PCA"), ("umap", "UMAP"))
_SETTLE_MS = 350


class ExplorePage(Page):
    """Shows the session's run. Files are read and neighbors searched on a worker; UMAP is the engine's work."""

    name = "explore"
    title = "Explore"
    purpose = "Each point is an image, placed by what the encoder sees in it. Lasso a region to look inside."

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(session, engine, parent)
        self.scene: Scene | None = None
        self.table: SplitTable | None = None
        self._folder = ""
        self._titles: dict[str, str] = {}
        self._reference: NDArray[np.float32] | None = None
        self._names: tuple[str, ...] = ()
        self._classes: NDArray[np.int64] = np.empty(0, np.int64)
        self._job: Job | None = None
        self._automatic = True
        """Until the user chooses a projection: UMAP where the run folder has it, else PCA; none is computed unasked."""
        self._reader, self._searcher = Worker(self), Worker(self)
        self.projection = Choice(_PROJECTIONS)
        self.projection.setToolTip("PCA is there at once; UMAP keeps neighbors together and is computed once an epoch.")
        self.color = Choice()
        self.color.setToolTip("What gives the points their colors")
        for choice, width in ((self.projection, 96), (self.color, 160)):
            choice.setFixedWidth(width)
            choice.setProperty("kind", "head")
            self.action_row.addWidget(choice)
        self.stage = Stage(engine)
        self.selection, self.nearest = SelectionCard(engine), NearestCard(engine)
        self.legend = ClassLegend()
        self._stack = QStackedWidget()
        self._empty = EmptyState("explore", "", "", "x", self._on_empty_button)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._board())
        self.body.addWidget(self._stack)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._project)
        self._connect()
        self._on_reset()

    def left(self) -> None:
        """Nothing plays while hidden."""
        self.stage.slider.stop()

    def _board(self) -> QWidget:
        self._classes_card = Card("Classes")
        self._classes_card.content.addWidget(self.legend)
        side = stacked((self.selection, 5), (self.nearest, 0), (self._classes_card, 3), width=SIDE_WIDTH)
        board = QWidget()
        row = QHBoxLayout(board)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.stage, 1)
        row.addWidget(side)
        return board

    def _connect(self) -> None:
        watcher = self.session.watcher
        watcher.reset.connect(self._on_reset)
        watcher.arrived.connect(self._on_arrived)
        watcher.state_changed.connect(self._say_why_empty)
        self.session.draft_opened.connect(self._say_why_empty)
        self.projection.chosen.connect(self._on_projection_chosen)
        self.color.chosen.connect(lambda _column: self._color())
        self.stage.slider.chosen.connect(self._show_epoch)
        self.stage.cancelled.connect(self._on_cancelled)
        self.stage.map.lassoed.connect(self._on_lassoed)
        self.stage.map.clicked.connect(self._on_clicked)
        self.stage.map.hovered.connect(self._on_hovered)
        self.legend.shown_changed.connect(self.stage.map.show_classes)
        self.selection.picked.connect(self._on_picked)
        self.selection.cleared.connect(lambda: self._select(np.empty(0, np.int64)))
        self.nearest.picked.connect(self._on_picked)

    # The run and its epochs

    def _on_reset(self) -> None:
        self._stop_projecting()
        self._reader.forget()
        self._searcher.forget()
        self._settle.stop()
        self.scene, self.table, self._reference = None, None, None
        self.nearest.show_none()
        self._show_selection(np.empty(0, np.int64))
        self.stage.slider.set_epochs(())
        self._stack.setCurrentIndex(0)
        self._on_arrived(self.session.watcher.events)
        self._say_why_empty()

    def _on_arrived(self, events: list[AnyEvent]) -> None:
        watcher = self.session.watcher
        if watcher.state is None or not any(isinstance(event, SnapshotTaken) for event in events):
            return
        before = self.stage.slider.epoch
        self.stage.slider.set_epochs(sorted({taken.epoch for taken in watcher.state.snapshots}))
        if self.stage.slider.epoch != before:
            self._show_epoch(self.stage.slider.epoch)

    def _say_why_empty(self) -> None:
        watcher = self.session.watcher
        has_map = self.scene is not None
        self._stack.setCurrentIndex(1 if has_map else 0)
        self.projection.setVisible(has_map)
        self.color.setVisible(has_map)
        self.set_state("ready" if has_map else "needs", "" if has_map else "needs a snapshot of a run")
        if has_map:
            return
        if watcher.run is None:
            text = "Train an encoder first, or open an earlier run on the Runs page. Its images appear as a map."
            self._empty.set_words("Nothing to explore yet", text, self.way_to_a_run()[0])
        elif self._reader.busy:
            self._empty.set_words("Reading the snapshot")
        elif watcher.running:
            text = "The map appears with the first snapshot, soon after the images have been read."
            self._empty.set_words("The first snapshot is on its way", text, "Watch the training")
        else:
            text = "It ended before the first one, or its experiment asks for none (watch.snapshot_every = 0)."
            self._empty.set_words("This run has no snapshot", text, "Show the run")

    def _on_empty_button(self) -> None:
        self.session.page_wanted.emit(self.way_to_a_run()[1] if self.session.watcher.run is None else "train")

    def _show_epoch(self, epoch: int) -> None:
        run = self.session.watcher.run
        if run is None or epoch < 0:
            return
        self._stop_projecting()
        kind = "umap" if self._automatic else self.projection.value()
        reference, table = self._reference, self.table

        def read() -> tuple[SplitTable, Scene, DataSpec]:
            known = table or read_split(run.split_file)
            return known, scene.read_scene(run, epoch, kind, reference), run.experiment().data

        self._reader.start(read, done=self._on_read, failed=self._on_unreadable)
        self._say_why_empty()

    def _on_read(self, found: tuple[SplitTable, Scene, DataSpec]) -> None:
        table, shown, data = found
        first = self.table is None
        self.table, self._folder = table, data.folder
        if first:
            self._titles = {column: data.title_of(column) for column in scene.columns(table)}
            self.color.set_options([(column, f"Color: {title}") for column, title in self._titles.items()])
        if self._reference is None and shown.kind == "pca":
            self._reference = shown.positions
        if self._automatic:
            self.projection.set_value(shown.kind)
        self._show_scene(shown, first=first)
        if self.projection.value() != shown.kind:
            self._settle.start()

    def _on_unreadable(self, error: WorkbenchError) -> None:
        self.stage.slider.stop()
        self._say_why_empty()
        if self.isVisible():
            show_failure(self, error)

    def _show_scene(self, shown: Scene, *, first: bool = False) -> None:
        before = self.scene
        self.scene = shown
        same = before is not None and np.array_equal(before.indices, shown.indices)
        self.stage.map.set_points(shown.positions, animate=same)
        if first or not same:
            self._color()
            self._select(np.empty(0, np.int64))
            self.nearest.show_none()
        elif self.stage.map.marked >= 0:
            self._search(self.stage.map.marked)
        self._say_why_empty()

    # Projections

    def _on_projection_chosen(self, kind: str) -> None:
        del kind
        self._automatic = False
        self._show_epoch(self.stage.slider.epoch)

    def _project(self) -> None:
        """Asks the engine for the layout that the run folder does not have yet."""
        run, shown, kind = self.session.watcher.run, self.scene, self.projection.value()
        if run is None or shown is None or kind == shown.kind or self.stage.slider.playing:
            return
        self._stop_projecting()
        title = f"UMAP of epoch {shown.epoch}"
        self.stage.show_work(title)
        request = Project(run=str(run.path), epoch=shown.epoch, kind="umap")
        self._job = self.engine.ask(
            request,
            done=self._on_projected,
            failed=self._on_not_projected,
            progress=lambda what, done, total: self.stage.show_work(what or title, done, total),
            topic="project",
            title=title,
        )

    def _on_projected(self, reply: ProjectReply, arrays: Arrays) -> None:
        self._job = None
        self.stage.show_work("")
        shown = self.scene
        positions = np.asarray(arrays["positions"], np.float32)
        if shown is not None and shown.epoch == reply.epoch and len(positions) == len(shown.indices):
            self._show_scene(Scene(epoch=reply.epoch, kind=reply.kind, positions=positions, indices=shown.indices))

    def _on_not_projected(self, failure: Failed) -> None:
        self._job = None
        self.stage.show_work("")
        if failure.reason == "error":
            self.projection.set_value("pca")
            show_failure(self, failure)

    def _on_cancelled(self) -> None:
        self.projection.set_value("pca")
        self._stop_projecting()

    def _stop_projecting(self) -> None:
        self._settle.stop()
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        self.stage.show_work("")

    # Colors, selection, neighbors

    def _color(self) -> None:
        if self.table is None or self.scene is None:
            return
        column = self.color.value()
        self._names, self._classes = scene.classes_of(self.table, column, self.scene.indices)
        counts = np.bincount(self._classes[self._classes >= 0], minlength=len(self._names))
        title = self._titles[column]
        self._classes_card.set_title("Classes" if title == "label" else f"{title[:1].upper()}{title[1:]}")
        self.legend.set_classes(self._names, counts.tolist())
        self.stage.map.show_classes(None)
        self.stage.map.set_classes(self._classes)

    def _class_name(self, position: int) -> str:
        number = int(self._classes[position]) if position < len(self._classes) else -1
        return self._names[number] if number >= 0 else ""

    def _on_lassoed(self, positions: NDArray[np.int64], adds: bool) -> None:
        if adds and self.scene is not None:
            before = np.flatnonzero(np.isin(self.scene.indices, self.selection.rows))
            positions = np.union1d(before, positions)
        self._select(positions)

    def _select(self, positions: NDArray[np.int64]) -> None:
        self.stage.map.set_selection(positions if len(positions) else None)
        self._show_selection(positions)

    def _show_selection(self, positions: NDArray[np.int64]) -> None:
        rows = self.scene.indices[positions] if self.scene is not None else np.empty(0, np.int64)
        names = [self._class_name(int(position)) for position in positions]
        self.selection.show_rows(self.table, self._folder, rows, names)

    def _on_hovered(self, position: int) -> None:
        if position < 0 or self.table is None or self.scene is None:
            self.stage.hover.hide()
            return
        path = self.table.paths[int(self.scene.indices[position])]
        spot = self.stage.map.place_of(position).toPoint()
        self.stage.hover.show_image(self._folder, path, self._class_name(position), spot)

    def _on_picked(self, row: int) -> None:
        if self.scene is not None:
            found = np.flatnonzero(self.scene.indices == row)
            if len(found):
                self._on_clicked(int(found[0]))

    def _on_clicked(self, position: int) -> None:
        self.stage.map.set_marked(position)
        if position < 0:
            self._searcher.forget()
            self.nearest.show_none()
        else:
            self._search(position)

    def _search(self, position: int) -> None:
        run, shown = self.session.watcher.run, self.scene
        if run is None or shown is None:
            return
        file = run.snapshot_file(shown.epoch)

        def done(found: tuple[NDArray[np.int64], NDArray[np.float32]]) -> None:
            self._show_nearest(shown, position, *found)

        def failed(error: WorkbenchError) -> None:
            show_failure(self, error)

        self._searcher.start(lambda: scene.nearest(file, position, NEIGHBORS), done=done, failed=failed)

    def _show_nearest(
        self, shown: Scene, position: int, found: NDArray[np.int64], cosines: NDArray[np.float32]
    ) -> None:
        if self.table is None or self.scene is not shown:
            return
        rows = [int(row) for row in shown.indices[found]]
        self.nearest.show_rows(self.table, self._folder, int(shown.indices[position]), rows, cosines.tolist())

    @property
    def run(self) -> RunFolder | None:
        """The run on the map."""
        return self.session.watcher.run
