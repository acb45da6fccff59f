"""Opening a folder: the engine scans it, then suggests an experiment for what it found."""

from pathlib import Path

from PySide6.QtCore import QObject

from workbench.engine.messages import Arrays, Scan, ScanReply, Suggest, SuggestReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine, Job
from workbench.gui.session import Opening, Session
from workbench.spec.experiment import Experiment


class FolderOpener(QObject):
    """Answers `session.open_folder`. A new folder takes the place of one that is still being read."""

    def __init__(self, session: Session, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._job: Job | None = None
        self._draft: Experiment | None = None
        session.folder_wanted.connect(self.open)
        session.opening_cancelled.connect(self.cancel)

    def open(self, folder: Path, draft: Experiment | None = None) -> None:
        """Reads a folder. With `draft` that experiment is taken up instead of a suggestion."""
        self.cancel()
        folder = folder.expanduser().absolute()
        scan = self._session.scan
        if draft is not None and scan is not None and scan.count and Path(scan.folder) == folder:
            self._session.set_draft(draft)
            return
        self._draft = draft
        self._session.set_opening(Opening(folder=folder))
        self._job = self._engine.ask(
            Scan(folder=str(folder)),
            done=self._on_scanned,
            failed=self._on_failed,
            progress=self._on_progress,
            topic="scan",
            title=f"Scanning {folder.name}",
        )

    def cancel(self) -> None:
        """Gives up the folder that is being read; the one that was open stays."""
        if self._job is not None:
            job, self._job = self._job, None
            job.cancel()
            self._session.set_opening(None)

    def _on_progress(self, what: str, done: int, total: int) -> None:
        opening = self._session.opening
        if opening is not None:
            self._session.set_opening(Opening(folder=opening.folder, what=what, done=done, total=total))

    def _on_scanned(self, reply: ScanReply, arrays: Arrays) -> None:
        del arrays
        if self._job is None:
            return  # Cancelled while the answer was on its way.
        self._job = None
        self._session.set_scan(reply.report)
        self._session.set_opening(None)
        if not reply.report.count:
            return  # The Data page says so, with the reasons of the files that could not be read.
        self._session.settings.add_recent(Path(reply.report.folder))
        if self._draft is not None:
            self._session.set_draft(self._draft)
            self._draft = None
            return
        self._engine.ask(
            Suggest(scan=reply.report), done=self._on_suggested, topic="suggest", title="Finding good settings"
        )

    def _on_suggested(self, reply: SuggestReply, arrays: Arrays) -> None:
        del arrays
        scan = self._session.scan
        if scan is not None and scan.folder == reply.experiment.data.folder:
            self._session.set_draft(reply.experiment, reply.reasons)

    def _on_failed(self, failure: Failed) -> None:
        self._job = None
        self._session.set_opening(None)
        if failure.reason == "error":
            self._engine.failed.emit(failure)
