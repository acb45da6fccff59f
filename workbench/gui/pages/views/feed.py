"""Pictures as fast as the engine can make them: one request under way, and the newest wish behind it."""

import time
from typing import Generic, TypeVar

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from workbench.engine import protocol
from workbench.engine.messages import Arrays, Preview, PreviewReply, Reply, ShowTask
from workbench.gui.bridge import Engine

R = TypeVar("R", Preview, ShowTask)


class Feed(QObject, Generic[R]):
    """Asks for pictures. A wish that comes while one is under way waits alone: older waiting ones are forgotten."""

    arrived = Signal(object, object, object)
    """(request, its reply, Arrays)"""
    failed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, engine: Engine, topic: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._topic = topic
        self._wanted: R | None = None
        self._busy = False
        self._asked_at = 0.0
        self.latency_ms = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether pictures are under way."""
        return self._busy

    def want(self, request: R) -> None:
        """Asks for these pictures, now or as soon as those under way are there."""
        if self._busy:
            self._wanted = request
        else:
            self._send(request)

    def forget(self) -> None:
        """The wish that waits is no longer one."""
        self._wanted = None

    def _outgoing(self, request: R) -> R:
        """What is sent for a wish."""
        return request

    def _incoming(self, reply: Reply, arrays: Arrays) -> Arrays:
        """What is handed on of an answer."""
        del reply
        return arrays

    def _send(self, request: R) -> None:
        self._set_busy(True)
        self._asked_at = time.perf_counter()
        self._engine.ask(
            self._outgoing(request),
            topic=self._topic,
            done=lambda reply, arrays: self._on_done(request, reply, arrays),
            failed=self._on_failed,
        )

    def _on_done(self, request: R, reply: Reply, arrays: Arrays) -> None:
        self.latency_ms = (time.perf_counter() - self._asked_at) * 1000
        arrays = self._incoming(reply, arrays)
        self._go_on()
        self.arrived.emit(request, reply, arrays)

    def _on_failed(self, failure: protocol.Failed) -> None:
        self._go_on()
        if failure.reason == "error":
            self.failed.emit(failure)

    def _go_on(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._send(wanted)
        else:
            self._set_busy(False)

    def _set_busy(self, busy: bool) -> None:
        if busy != self._busy:
            self._busy = busy
            self.busy_changed.emit(busy)


class PreviewFeed(Feed[Preview]):
    """The originals of the last preview are kept, so that they need not be sent again; replies are handed on as if
    they had been.
    """

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(engine, "preview", parent)
        self._held = ""
        self._originals: NDArray[np.generic] | None = None

    def _outgoing(self, request: Preview) -> Preview:
        return replace(request, held=self._held)

    def _incoming(self, reply: Reply, arrays: Arrays) -> Arrays:
        assert isinstance(reply, PreviewReply)
        if "originals" in arrays:
            self._held, self._originals = reply.originals, arrays["originals"]
        elif self._originals is not None:
            arrays = {**arrays, "originals": self._originals}
        return arrays


class TaskFeed(Feed[ShowTask]):
    """What a method asks of a network."""

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(engine, "task", parent)
