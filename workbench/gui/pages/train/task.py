"""The method's task, epoch by epoch: what it is given, what it is asked, and what it answers."""

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from workbench.gui.run_watch import RunWatcher
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.elided import Elided
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.epoch_slider import EpochSlider
from workbench.gui.widgets.exhibit_board import ExhibitBoard
from workbench.gui.words import counted
from workbench.gui.worker import Worker
from workbench.runs.events import AnyEvent, ExhibitTaken
from workbench.runs.exhibit import Exhibit, read_exhibit
from workbench.spec.errors import WorkbenchError


class TaskCard(Card):
    """Follows the newest pictures of the watched run, or stays at an epoch that was chosen."""

    def __init__(self, watcher: RunWatcher, parent: QWidget | None = None) -> None:
        super().__init__("Task", parent=parent)
        self._watcher = watcher
        self._reader = Worker(self)
        self.shown: Exhibit | None = None
        self.board = ExhibitBoard()
        self.slider = EpochSlider()
        self.words = EmptyState("image", "")
        self._told = Elided()
        self._told.setProperty("role", "caption")
        self._pictures = QWidget()
        self._lay_out()
        self.slider.chosen.connect(self._show_epoch)
        self.board.told.connect(self._told.setText)
        watcher.reset.connect(self._on_reset)
        watcher.arrived.connect(self._on_arrived)
        watcher.state_changed.connect(self._say_why_empty)
        self._on_reset()

    def _lay_out(self) -> None:
        line = QFrame()
        line.setProperty("surface", "line")
        column = QVBoxLayout(self._pictures)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.board, 1)
        column.addWidget(self._told)
        column.addWidget(line)
        column.addWidget(self.slider)
        self.content.addWidget(self._pictures, 1)
        self.content.addWidget(self.words, 1)

    def stop(self) -> None:
        """Nothing plays while hidden."""
        self.slider.stop()

    def _on_reset(self) -> None:
        self._reader.forget()
        self.shown = None
        self.slider.stop()
        self.slider.set_epochs(())
        self.board.set_panels((), ())
        self._take(self._watcher.events)

    def _on_arrived(self, events: list[AnyEvent]) -> None:
        self._take(events)

    def _take(self, events: list[AnyEvent]) -> None:
        """More epochs; the shown one may have been taken again."""
        state = self._watcher.state
        taken = {event.epoch for event in events if isinstance(event, ExhibitTaken)}
        if state is not None and taken:
            before = self.slider.epoch
            self.slider.set_epochs(sorted(one.epoch for one in state.exhibits))
            if self.slider.epoch != before or before in taken:
                self._show_epoch(self.slider.epoch)
        self._say_why_empty()

    def _show_epoch(self, epoch: int) -> None:
        run = self._watcher.run
        if run is None or epoch < 0:
            return
        file = run.exhibit_file(epoch)
        self._reader.start(lambda: read_exhibit(file), done=self._on_read, failed=self._on_unreadable)

    def _on_read(self, exhibit: Exhibit) -> None:
        self.shown = exhibit
        self.board.set_panels(exhibit.paths, exhibit.panels)
        images = f"the same {counted(len(exhibit.paths), 'image')} at every epoch"
        score = exhibit.score
        self.set_note(f"{score[0]} of {score[1]} right · {images}" if score else images)
        self._say_why_empty()

    def _on_unreadable(self, error: WorkbenchError) -> None:
        self.slider.stop()
        self.shown = None
        self.set_note("")
        self._show_words("These pictures cannot be read", str(error), slider=True)

    def _say_why_empty(self) -> None:
        watcher = self._watcher
        if self.shown is not None:
            self._pictures.show()
            self.board.show()
            self.words.hide()
        elif self._reader.busy or watcher.run is None:
            self._show_words("")
        elif watcher.running or watcher.status == "created":
            self._show_words(
                "The first pictures are on their way",
                "They come with the first snapshot, soon after the images have been read.",
            )
        elif watcher.state is not None and not watcher.state.exhibits:
            self._show_words(
                "This run has kept no pictures of its task",
                "It ended before its first snapshot, or its experiment asks for none (watch.snapshot_every = 0).",
            )

    def _show_words(self, title: str, text: str = "", *, slider: bool = False) -> None:
        self.words.set_words(title, text)
        self.words.show()
        self._pictures.setVisible(slider)
        self.board.setVisible(not slider)
