"""The window's side of the engine: starts the process, asks, and calls back. Imports neither Qt nor torch."""

import contextlib
import itertools
import logging
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import msgspec

from workbench.engine import protocol
from workbench.engine.messages import AnyReply, AnyRequest, Arrays
from workbench.spec.errors import EngineError

Done = Callable[[AnyReply, Arrays], None]
Progress = Callable[[str, int, int], None]
Fail = Callable[[protocol.Failed], None]

_RESTARTS = 3
_AGAIN = "It starts again with the next request."
_DECODER = msgspec.msgpack.Decoder(protocol.ToWindow)
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Open:
    done: Done
    failed: Fail
    progress: Progress | None
    sent_to: subprocess.Popen[bytes] | None = None


class EngineClient:
    """Asks the engine. Callbacks come on a thread of the client's; a view must hand them to its own.

    The process starts with the first request, and again after it has died (its open requests fail
    with the last lines that it wrote). Starting and writing happen on a thread of their own, so that
    `ask` returns at once, also while the engine is slow to read.
    """

    def __init__(self, command: list[str] | None = None) -> None:
        # -P: the folder that the window was started in may be anybody's, and is no place to import from.
        self._command = command or [sys.executable, "-P", "-m", "workbench.engine"]
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._open: dict[int, _Open] = {}
        self._outgoing: queue.SimpleQueue[protocol.ToEngine | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._words: deque[str] = deque(maxlen=40)
        self._closed = False
        self._deaths = 0

    @property
    def pid(self) -> int | None:
        """The engine's process id while it runs."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def ask(
        self, request: AnyRequest, *, done: Done, failed: Fail, progress: Progress | None = None, topic: str = ""
    ) -> int:
        """Sends a request. Exactly one of `done` and `failed` follows. Returns a number for `cancel`."""
        number = next(self._ids)
        with self._lock:
            closed = self._closed
            if not closed:
                self._open[number] = _Open(done, failed, progress)
                self._outgoing.put(protocol.Ask(id=number, topic=topic, request=request))
                if self._writer is None:
                    self._writer = threading.Thread(target=self._write, name="engine-writer", daemon=True)
                    self._writer.start()
        if closed:
            failed(protocol.Failed(id=number, reason="error", message="The engine has been closed."))
        return number

    def cancel(self, number: int) -> None:
        """The answer is not wanted any more; `failed` follows with the reason 'cancelled'."""
        with self._lock:
            if number in self._open:
                self._outgoing.put(protocol.Cancel(id=number))

    def close(self) -> None:
        """Ends the engine. Open requests get no callback."""
        with self._lock:
            self._closed = True
            self._open.clear()
            writer = self._writer
        self._outgoing.put(None)
        if writer is not None and writer is not threading.current_thread():
            writer.join(timeout=1.0)
        process = self._process
        if process is None:
            return
        try:
            process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _write(self) -> None:
        while (message := self._outgoing.get()) is not None:
            try:
                if isinstance(message, protocol.Ask):
                    self._send(message)
                else:
                    self._send_cancel(message)
            except (OSError, ValueError, EngineError) as error:
                hint = error.hint if isinstance(error, EngineError) else _AGAIN
                self._lose(message.id, str(error), hint)
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def _send(self, ask: protocol.Ask) -> None:
        """Twice, because an engine that died while it was idle is noticed only by writing to it."""
        for attempt in range(2):
            process = self._ready()
            with self._lock:
                request = self._open.get(ask.id)
                if request is None:
                    return
                request.sent_to = process
            assert process.stdin
            try:
                protocol.write_frame(process.stdin, ask)
            except (OSError, ValueError):
                with self._lock:
                    request.sent_to = None
                process.kill()
                process.wait()
                if attempt:
                    raise
            else:
                return

    def _send_cancel(self, cancel: protocol.Cancel) -> None:
        with self._lock:
            request = self._open.get(cancel.id)
        if request is None or request.sent_to is None or request.sent_to.stdin is None:
            return
        with contextlib.suppress(OSError, ValueError):  # Where the engine is gone, its reader fails the request.
            protocol.write_frame(request.sent_to.stdin, cancel)

    def _ready(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None or process.poll() is not None:
            process = self._start()
        return process

    def _start(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise EngineError("The engine has been closed.")
        if self._deaths > _RESTARTS:
            raise EngineError(
                "The engine has died several times in a row and is not started again.",
                hint="Restart the program; the details below say what it wrote last.",
            )
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            creationflags=flags,
        )
        assert process.stdout
        assert process.stderr
        protocol.widen(process.stdout)
        self._process = process
        listener = threading.Thread(target=self._listen, args=(process.stderr,), name="engine-words", daemon=True)
        listener.start()
        reader = (process, process.stdout, listener)
        threading.Thread(target=self._read, args=reader, name="engine-reader", daemon=True).start()
        return process

    def _listen(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in stderr:
                self._words.append(line.decode("utf-8", "replace").rstrip())

    def _read(self, process: subprocess.Popen[bytes], stdout: IO[bytes], listener: threading.Thread) -> None:
        problem = ""
        with stdout:
            try:
                while (frame := protocol.read_frame(stdout)) is not None:
                    self._deliver(_DECODER.decode(frame[0]), frame[1])
            except (OSError, ValueError, EngineError, msgspec.DecodeError) as error:
                problem = str(error)
                process.kill()
        code = process.wait()
        listener.join(timeout=1.0)  # Its last words say why.
        self._mourn(process, problem or f"The engine ended unexpectedly ({_exit_words(code)}).")

    def _deliver(self, message: protocol.ToWindow, body: memoryview) -> None:
        if isinstance(message, protocol.Hello):
            return
        with self._lock:
            request = self._open.get(message.id)
            if request and not isinstance(message, protocol.Progressed):
                del self._open[message.id]
        if request is None:
            return
        match message:
            case protocol.Answer():
                self._deaths = 0
                arrays = protocol.unpack_arrays(message.arrays, body)
                _call(lambda: request.done(message.reply, arrays))
            case protocol.Failed():
                _call(lambda: request.failed(message))
            case protocol.Progressed():
                progress = request.progress
                if progress is not None:
                    _call(lambda: progress(message.what, message.done, message.total))

    def _mourn(self, process: subprocess.Popen[bytes], message: str) -> None:
        if process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()
        with self._lock:
            if self._process is process:
                self._process = None
            if self._closed:
                return
            self._deaths += 1
            orphans = [number for number, request in self._open.items() if request.sent_to is process]
        for number in orphans:
            self._lose(number, message, _AGAIN)

    def _lose(self, number: int, message: str, hint: str) -> None:
        with self._lock:
            request = self._open.pop(number, None)
        if request is None:
            return
        failure = protocol.Failed(id=number, reason="error", message=message, hint=hint, details="\n".join(self._words))
        _call(lambda: request.failed(failure))


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # noqa: BLE001  # a view's fault must not stop the answers of all other views
        _LOG.exception("A callback of the engine's client failed.")


def _exit_words(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
