"""How well the encoder outlines what somebody has outlined, beside an untrained one and a box in the middle."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.engine.messages import Arrays, CompareMasks, CompareMasksReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine, Job
from workbench.gui.session import Session
from workbench.gui.widgets.bars import Bar, BarGroup, IntervalBars
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.errors import show_failure
from workbench.gui.widgets.work_card import WorkCard
from workbench.runs.folder import RunFolder
from workbench.runs.masks import MaskComparison, in_words, load_comparison
from workbench.spec.errors import WorkbenchError

_ABOUT = (
    "Have you outlined what matters? Choose a folder of black and white PNGs named as the images: the part that holds "
    "60 % of the encoder's attention (or of what stands out, where it has none) is laid over each."
)
_LABELS = {"trained": "trained", "untrained": "untrained", "box in the middle": "box"}


class MaskCard(QWidget):
    """The last comparison of a run, kept in its folder, and a button for another. `busy_changed` when one begins or
    ends.
    """

    busy_changed = Signal()

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._run: RunFolder | None = None
        self._job: Job | None = None
        self.bars = IntervalBars()
        self.words = QLabel()
        self.choose = QPushButton("Compare with masks…")
        self.choose.clicked.connect(self._on_choose)
        self.work = WorkCard("Comparing")
        self.work.cancelled.connect(self._on_cancel)
        self._card = Card("Object masks")
        self.words.setProperty("role", "secondary")
        self.words.setWordWrap(True)
        for part in (self.bars, self.words, self.choose):
            self._card.content.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(self._card)
        column.addWidget(self.work)
        self._show(None)

    @property
    def busy(self) -> bool:
        """Whether a comparison is under way."""
        return self._job is not None

    def set_run(self, run: RunFolder | None) -> None:
        """Another run: what was last compared with it."""
        if self._job is not None:
            self._job.cancel()
            self._end()
        self._run = run
        self._show(self._read(run) if run is not None else None)

    def _read(self, run: RunFolder) -> MaskComparison | None:
        try:
            return load_comparison(run)
        except WorkbenchError as error:
            show_failure(self, error)
            return None

    def _show(self, found: MaskComparison | None) -> None:
        self.bars.setVisible(found is not None)
        self.choose.setToolTip(f"Compared with {found.folder}" if found else "")
        if found is None:
            self._card.set_note("")
            self.words.setText(_ABOUT)
            return
        bars = tuple(
            Bar(
                label=_LABELS[score.subject],
                value=score.jaccard,
                low=score.low,
                high=score.high,
                strong=score.subject == "trained",
            )
            for score in found.scores
        )
        self._card.set_note(f"epoch {found.epoch} · {found.scores[0].images:,} images")
        self.bars.set_groups([BarGroup(title=f"Jaccard index of {found.by} and mask", bars=bars)])
        self.words.setText(in_words(found))

    # Comparing

    def _on_choose(self) -> None:
        if self._run is None or self._job is not None:
            return
        try:
            images = Path(self._run.experiment().data.folder)
            known = load_comparison(self._run)
        except WorkbenchError as error:
            show_failure(self, error)
            return
        start = Path(known.folder) if known else self._session.settings.masks(images) or images.parent
        chosen = QFileDialog.getExistingDirectory(self, "Masks of the images", str(start))
        if not chosen:
            return
        self._session.settings.set_masks(images, Path(chosen))
        self.work.begin()
        self.choose.setEnabled(False)
        job = self._job = self._engine.ask(
            CompareMasks(run=str(self._run.path), folder=chosen),
            done=lambda reply, arrays: self._on_done(job, reply, arrays),
            failed=lambda failure: self._on_failed(job, failure),
            progress=self.work.show_progress,
            title="Comparing with masks",
        )
        self.busy_changed.emit()

    def _on_done(self, job: Job, reply: CompareMasksReply, arrays: Arrays) -> None:
        del arrays
        if job is self._job:  # Otherwise it is about another run, which has kept it.
            self._end()
            self._show(reply.comparison)

    def _on_failed(self, job: Job, failure: Failed) -> None:
        if job is not self._job:
            return
        self._end()
        if failure.reason == "error":
            show_failure(self, failure)

    def _on_cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _end(self) -> None:
        self._job = None
        self.work.end()
        self.choose.setEnabled(True)
        self.busy_changed.emit()
