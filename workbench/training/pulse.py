"""The trainer's sign of life, and its ear: a thread that beats and looks for requests while the loop computes."""

import contextlib
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

from workbench.runs import control
from workbench.runs.folder import RunFolder
from workbench.spec.errors import Cancelled
from workbench.spec.progress import Report

_LOOK_SECONDS = 0.2
_BEAT_SECONDS = 1.5


class Pulse:
    """Beats as long as it is open, also while the run is paused. Reading its flags costs nothing.

    SIGTERM and Ctrl+C count as a request to stop; a second Ctrl+C interrupts at once.
    """

    def __init__(self, run: RunFolder, *, active: bool = True) -> None:
        self._run = run
        self._active = active
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="pulse", daemon=True)
        self._handlers: dict[int, Any] = {}
        self.stop = False
        self.pause = False
        self.snapshot = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGBREAK", signal.SIGTERM)):
                if number not in self._handlers:
                    self._handlers[number] = signal.signal(number, self._on_signal)
        if self._active:
            self._run.control.mkdir(exist_ok=True)
            control.beat(self._run)
            self._look()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._active:
            self._thread.join()
            with contextlib.suppress(OSError):
                control.silence(self._run)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def hearing(self, report: Report) -> Report:
        """`report`, with `Cancelled` raised in it taken for a request to stop."""

        def heard(what: str, done: int, total: int) -> None:
            try:
                report(what, done, total)
            except Cancelled:
                self.stop = True

        return heard

    def answered(self, request: control.Request) -> None:
        """The loop has done what was asked."""
        control.withdraw(self._run, request)
        setattr(self, request, False)

    def wait(self) -> None:
        """A moment, between two looks of a loop that is paused."""
        self._over.wait(_LOOK_SECONDS / 2)

    def _live(self) -> None:
        beaten = time.monotonic()
        while not self._over.wait(_LOOK_SECONDS):
            self._look()
            if time.monotonic() - beaten >= _BEAT_SECONDS:
                beaten = time.monotonic()
                with contextlib.suppress(OSError):  # A full disk must not end the thread that hears 'stop'.
                    control.beat(self._run)

    def _look(self) -> None:
        self.stop = self.stop or control.asked(self._run, "stop")
        self.pause = control.asked(self._run, "pause")
        self.snapshot = self.snapshot or control.asked(self._run, "snapshot")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.stop and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.stop = True
