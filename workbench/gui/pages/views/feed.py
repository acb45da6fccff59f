"""Previews as fast as the engine can make them: one under way, and the newest wish behind it."""

import time

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from workbench.engine import protocol
from workbench.engine.messages import Arrays, Preview, PreviewReply
from workbench.gui.bridge import Engine


class PreviewFeed(QObject):
    """Asks for previews. A wish that comes while one is under way waits alone: older waiting ones are forgotten.

    The originals of the last preview are kept, so that they need not be sent again; replies are handed on as if
    they had been.
    """

    arrived = Signal(object, object, object)
    """(Preview, PreviewReply, Arrays)"""
    failed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._wanted: Preview | None = None
        self._busy = False
        self._asked_at = 0.0
        self._held = ""
        self._originals: NDArray[np.generic] | None = None
        self.latency_ms = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether a preview is under way."""
        return self._busy

    def want(self, request: Preview) -> None:
        """Asks for this preview, now or as soon as the one under way is there."""
        if self._busy:
            self._wanted = request
        else:
            self._send(request)

    def _send(self, request: Preview) -> None:
        self._set_busy(True)
        self._asked_at = time.perf_counter()
        self._engine.ask(
            replace(request, held=self._held),
            topic="preview",
            done=lambda reply, arrays: self._on_done(request, reply, arrays),
            failed=self._on_failed,
        )

    def _on_done(self, request: Preview, reply: PreviewReply, arrays: Arrays) -> None:
        self.latency_ms = (time.perf_counter() - self._asked_at) * 1000
        if "originals" in arrays:
            self._held, self._originals = reply.originals, arrays["originals"]
        elif self._originals is not None:
            arrays = {**arrays, "originals": self._originals}
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
