"""Reads the runs folder on a thread of its own, so that a thousand runs never stop the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from workbench.gui.run_rows import RowReader, RunRow

if TYPE_CHECKING:
    from workbench.gui.session import Session


class RunList(QObject):
    """`refresh` reads; `changed` says that `rows` is new. Requests while it reads are one more reading."""

    changed = Signal()
    _read = Signal(Path, list)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.rows: list[RunRow] = []
        self.known = False
        self._session = session
        self._reader = RowReader()
        self._busy = False
        self._again = False
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._read.connect(self._on_read)
        session.runs_folder_changed.connect(self._on_folder_changed)
        session.run_started.connect(self.refresh)

    @property
    def busy(self) -> bool:
        """Whether it reads now."""
        return self._busy

    @Slot()
    def refresh(self) -> None:
        """Reads the folder again; what has not changed costs nothing."""
        if self._busy:
            self._again = True
            return
        self._busy = True
        self._pool.start(_Reading(self._reader, self._session.runs_folder, self._tell))

    def close(self) -> None:
        """Waits for a reading that is under way."""
        self._pool.waitForDone()

    def _tell(self, folder: Path, rows: list[RunRow]) -> None:
        """Called on the reader's thread."""
        if shiboken6.isValid(self):
            self._read.emit(folder, rows)

    def _on_folder_changed(self) -> None:
        self.known = False
        self.rows = []
        self.changed.emit()
        self.refresh()

    @Slot(Path, list)
    def _on_read(self, folder: Path, rows: list[RunRow]) -> None:
        self._busy = False
        if folder == self._session.runs_folder:
            self.known = True
            if rows != self.rows:
                self.rows = rows
            self.changed.emit()
        if self._again:
            self._again = False
            self.refresh()


class _Reading(QRunnable):
    def __init__(self, reader: RowReader, folder: Path, tell: Callable[[Path, list[RunRow]], None]) -> None:
        super().__init__()
        self._reader = reader
        self._folder = folder
        self._tell = tell

    def run(self) -> None:
        self._tell(self._folder, self._reader.read(self._folder))
