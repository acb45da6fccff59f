"""The engine process: reads requests from the pipe and answers them on a few lanes (`messages.LANES`).

A lane is a thread that answers one request after another. A request may be replaced by a newer one of
its topic before it is answered, and cancelled at any time: its next progress report raises `Cancelled`
inside the work.
"""

import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import IO, Literal, NoReturn, get_args

import msgspec

from workbench import __version__
from workbench.engine import protocol
from workbench.engine.messages import LANES, AnyReply, AnyRequest, Arrays, Lane
from workbench.spec.errors import Cancelled, EngineError, WorkbenchError
from workbench.spec.progress import Report

Handler = Callable[[AnyRequest, Report], tuple[AnyReply, Arrays]]

_REPORT_SECONDS = 0.05
_GRACE_SECONDS = 0.5
_DECODER = msgspec.msgpack.Decoder(protocol.ToEngine)


class Server:
    """Queues, lanes and cancellation; what an answer is, `handle` knows."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes], handle: Handler) -> None:
        self._reader = reader
        self._writer = writer
        self._handle = handle
        self._writing = threading.Lock()
        self._changed = threading.Condition()
        self._waiting: dict[Lane, deque[protocol.Ask]] = {lane: deque() for lane in get_args(Lane)}
        self._working: dict[int, protocol.Ask] = {}
        self._unwanted: dict[int, Literal["cancelled", "dropped"]] = {}
        self._over = False

    def run(self) -> None:
        """Serves until the pipe closes; then what is still at work is told to stop, and left behind."""
        lanes = [threading.Thread(target=self._work, args=(lane,), name=lane, daemon=True) for lane in self._waiting]
        for thread in lanes:
            thread.start()
        self._send(protocol.Hello(pid=os.getpid(), version=__version__))
        try:
            while (frame := protocol.read_frame(self._reader)) is not None:
                message = _DECODER.decode(frame[0])
                if isinstance(message, protocol.Ask):
                    self._accept(message)
                else:
                    self._cancel(message.id)
        finally:
            self._end()
            until = time.monotonic() + _GRACE_SECONDS
            for thread in lanes:
                thread.join(max(0.0, until - time.monotonic()))

    def wait_idle(self, seconds: float) -> bool:
        """Waits until nothing is asked, for at most that long; whether that came about."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._over or not (self._working or any(self._waiting.values())), timeout=seconds
            )

    def _end(self) -> None:
        with self._changed:
            self._over = True
            for number in self._working:
                self._unwanted[number] = "cancelled"
            self._changed.notify_all()

    def _accept(self, ask: protocol.Ask) -> None:
        lane = LANES.get(type(ask.request), "quick")
        with self._changed:
            older = [other for other in self._waiting[lane] if ask.topic and other.topic == ask.topic]
            for other in older:
                self._waiting[lane].remove(other)
            for number, other in self._working.items():
                if ask.topic and other.topic == ask.topic:
                    self._unwanted.setdefault(number, "dropped")
            self._waiting[lane].append(ask)
            self._changed.notify_all()
        for other in older:
            self._send(protocol.Failed(id=other.id, reason="dropped"))

    def _cancel(self, number: int) -> None:
        with self._changed:
            waiting = [(lane, ask) for lane, asks in self._waiting.items() for ask in asks if ask.id == number]
            for lane, ask in waiting:
                self._waiting[lane].remove(ask)
            if number in self._working:
                self._unwanted[number] = "cancelled"
        if waiting:
            self._send(protocol.Failed(id=number, reason="cancelled"))

    def _work(self, lane: Lane) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._over or self._waiting[lane])
                if self._over:
                    return
                ask = self._waiting[lane].popleft()
                self._working[ask.id] = ask
            try:
                self._answer(ask)
            except OSError:  # The window is gone, and this process goes with it.
                self._end()
                return

    def _answer(self, ask: protocol.Ask) -> None:
        arrays: Arrays = {}
        outcome: AnyReply | protocol.Failed
        try:
            outcome, arrays = self._handle(ask.request, self._reporter(ask.id))
        except Cancelled:
            outcome = protocol.Failed(id=ask.id, reason="cancelled")
        except WorkbenchError as error:
            outcome = protocol.Failed(
                id=ask.id, reason="error", message=error.message, hint=error.hint, details=traceback.format_exc()
            )
        except Exception as error:  # noqa: BLE001  # one bad request must not take the engine down
            outcome = protocol.Failed(
                id=ask.id,
                reason="error",
                message=f"{type(error).__name__}: {error}",
                hint="This is a fault of the program; the details help to mend it.",
                details=traceback.format_exc(),
            )
        with self._changed:
            del self._working[ask.id]
            unwanted = self._unwanted.pop(ask.id, None)
            self._changed.notify_all()
        try:
            if unwanted:
                self._send(protocol.Failed(id=ask.id, reason=unwanted))
            elif isinstance(outcome, protocol.Failed):
                self._send(outcome)
            else:
                head, blocks = protocol.answer(ask.id, outcome, arrays)
                with self._writing:
                    protocol.write_frame(self._writer, head, blocks)
        except EngineError as error:  # A path in the answer has bytes that are no text.
            self._send(protocol.Failed(id=ask.id, reason="error", message=error.message, hint=error.hint))

    def _reporter(self, number: int) -> Report:
        """Work may report as often as it likes; the pipe carries changes of subject, and 20 a second of the rest."""
        last: tuple[str, float] = ("", 0.0)

        def report(what: str, done: int, total: int) -> None:
            nonlocal last
            if number in self._unwanted:
                raise Cancelled
            now = time.monotonic()
            if what == last[0] and now - last[1] < _REPORT_SECONDS and not (total and done >= total):
                return
            last = (what, now)
            self._send(protocol.Progressed(id=number, what=what, done=done, total=total))

        return report

    def _send(self, message: protocol.ToWindow) -> None:
        with self._writing:
            protocol.write_frame(self._writer, message)


def serve(handle: Handler | None = None, *, preload: Callable[[], None] | None = None) -> NoReturn:
    """Runs the engine on this process's standard input and output, until the input closes.

    `preload` runs on a thread of its own as soon as the first requests are answered: it imports what
    is slow before somebody waits for it.
    """
    reader = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    writer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # What a library prints must not get into the pipe.
    if handle is None:
        from workbench.engine import handlers

        handle, preload = handlers.handle, preload or handlers.preload
    server = Server(reader, writer, handle)
    if preload is not None:
        threading.Thread(target=_preload_when_idle, args=(server, preload), name="preload", daemon=True).start()
    code = 0
    try:
        server.run()
    except (OSError, KeyboardInterrupt):
        pass  # The window is gone.
    except (EngineError, msgspec.DecodeError):
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    os._exit(code)  # A lane may be deep in a long computation, for which an orderly exit would wait.


def _preload_when_idle(server: Server, preload: Callable[[], None]) -> None:
    time.sleep(0.2)
    server.wait_idle(2.0)
    try:
        preload()
    except Exception:  # noqa: BLE001  # the request that needs it says so in words
        traceback.print_exc()
