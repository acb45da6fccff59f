"""Work off the window's thread: reading snapshots and searching neighbors."""

from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal, Slot

from workbench.spec.errors import WorkbenchError


class Worker(QObject):
    """Runs functions one after another on a thread of its own; only the newest one's answer is delivered.

    `done(result)` and `failed(WorkbenchError)` are called in the window's thread. The functions must not
    touch widgets.
    """

    _finished = Signal(int, object, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._number = 0
        self._done: Callable[[Any], None] | None = None
        self._failed: Callable[[WorkbenchError], None] | None = None
        self._finished.connect(self._on_finished, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._done is not None

    def start(
        self, work: Callable[[], Any], *, done: Callable[[Any], None], failed: Callable[[WorkbenchError], None]
    ) -> None:
        """Replaces what was asked before."""
        self._number += 1
        self._done, self._failed = done, failed
        self._pool.clear()
        self._pool.start(_Work(self, self._number, work))

    def forget(self) -> None:
        """No answer is wanted any more."""
        self._number += 1
        self._done = self._failed = None

    def finish(self, number: int, result: object, error: object) -> None:
        """Called on the worker's thread."""
        if shiboken6.isValid(self):
            self._finished.emit(number, result, error)

    @Slot(int, object, object)
    def _on_finished(self, number: int, result: object, error: object) -> None:
        if number != self._number or self._done is None or self._failed is None:
            return
        done, failed = self._done, self._failed
        self._done = self._failed = None
        if isinstance(error, WorkbenchError):
            failed(error)
        else:
            done(result)


class _Work(QRunnable):
    def __init__(self, worker: Worker, number: int, work: Callable[[], Any]) -> None:
        super().__init__()
        self._worker = worker
        self._number = number
        self._work = work

    def run(self) -> None:
        """On the worker's thread."""
        result, error = None, None
        try:
            result = self._work()
        except WorkbenchError as problem:
            error = problem
        except (OSError, ValueError, MemoryError) as problem:
            error = WorkbenchError(f"The snapshot could not be read: {problem}.")
        self._worker.finish(self._number, result, error)
