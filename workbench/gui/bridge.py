"""The engine for views: asks on behalf of a widget, and calls back in the window's own thread."""

from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot

from workbench.engine import protocol
from workbench.engine.client import EngineClient
from workbench.engine.messages import AnyReply, AnyRequest, Arrays

Done = Callable[[Any, Arrays], None]
Failure = Callable[[protocol.Failed], None]
Progress = Callable[[str, int, int], None]


class Job(QObject):
    """One request on its way. Views may show it and cancel it; it ends with `ended`."""

    progressed = Signal(str, int, int)
    ended = Signal()

    def __init__(self, title: str, cancel: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self.title = title
        self._cancel = cancel

    def cancel(self) -> None:
        """Asks the engine to stop; the request's `failed` is called with the reason 'cancelled'."""
        self._cancel()


class Engine(QObject):
    """The one door from views to the engine.

    `ask(request, done=..., failed=..., progress=..., topic=...)`: a newer request of the same topic
    replaces an older one, whose callbacks are then never called. Without `failed`, errors go to the
    `failed` signal, which the main window shows. A `title` makes the request a job that the status bar
    shows with its progress and a cancel button. A callback that is a method of a widget which is gone
    is not called.
    """

    failed = Signal(object)
    job_started = Signal(object)
    settled = Signal()
    """The last open request has been answered (its callbacks have run)."""
    _arrived = Signal(object)

    def __init__(self, client: EngineClient | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client or EngineClient()
        self._open = 0
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)

    def ask(
        self,
        request: AnyRequest,
        *,
        done: Done,
        failed: Failure | None = None,
        progress: Progress | None = None,
        topic: str = "",
        title: str = "",
    ) -> Job:
        """Sends a request; see the class. `done(reply, arrays)` runs in the window's thread."""
        number = 0
        job = Job(title, lambda: self._client.cancel(number), self)

        def on_done(reply: AnyReply, arrays: Arrays) -> None:
            self._deliver(lambda: self._finish(job, done, reply, arrays))

        def on_failed(failure: protocol.Failed) -> None:
            self._deliver(lambda: self._finish(job, self._fail, failure, failed))

        def on_progress(what: str, count: int, total: int) -> None:
            def tell() -> None:
                if shiboken6.isValid(job):
                    job.progressed.emit(what, count, total)
                if progress and is_alive(progress):
                    progress(what, count, total)

            self._deliver(tell)

        self._open += 1
        number = self._client.ask(request, done=on_done, failed=on_failed, progress=on_progress, topic=topic)
        if title:
            self.job_started.emit(job)
        return job

    @property
    def pid(self) -> int | None:
        """The engine's process id while it runs."""
        return self._client.pid

    @property
    def open_requests(self) -> int:
        """How many requests have not been answered."""
        return self._open

    def close(self) -> None:
        """Ends the engine. Open requests get no callback."""
        self._client.close()
        self._open = 0

    def _deliver(self, call: Callable[[], None]) -> None:
        """Called on the client's thread."""
        if shiboken6.isValid(self):  # The window may have been closed while the answer was on its way.
            self._arrived.emit(call)

    def _finish(self, job: Job, then: Callable[..., None], *answer: Any) -> None:
        self._open = max(0, self._open - 1)
        if shiboken6.isValid(job):
            job.ended.emit()
            job.deleteLater()
        try:
            if is_alive(then):
                then(*answer)
        finally:
            if self._open == 0:
                self.settled.emit()

    def _fail(self, failure: protocol.Failed, failed: Failure | None) -> None:
        if failure.reason == "dropped":
            return
        if failed:
            if is_alive(failed):
                failed(failure)
        elif failure.reason == "error":
            self.failed.emit(failure)

    @Slot(object)
    def _on_arrived(self, call: Callable[[], None]) -> None:
        call()


def is_alive(callback: Callable[..., Any]) -> bool:
    """False for a method of a Qt object that has been deleted."""
    owner = getattr(callback, "__self__", None)
    return not isinstance(owner, QObject) or shiboken6.isValid(owner)
