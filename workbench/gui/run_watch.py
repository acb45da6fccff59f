"""Follows a run that another process writes: reads only what is new, and says so."""

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.runs.events import AnyEvent, EventTail
from workbench.runs.folder import RunFolder
from workbench.runs.state import RunState, StatusName, fold, status

_FIRST_BYTES = 512 * 1024
_NEXT_BYTES = 256 * 1024
_WATCH_MS = 500
_LOOK_FOR_LIFE = 4
"""Every how many ticks a quiet trainer's process is looked for."""


class RunWatcher(QObject):
    """The chosen run's events, so far and as they come.

    `run`, `state` and `status` are what is known now; `events` holds all events so far. A long file is
    read in pieces of a few milliseconds, so `reset` may come before everything has been read: the rest
    follows with `arrived`.
    """

    reset = Signal()
    """Another run (or none): everything above was read anew."""
    arrived = Signal(list)
    """More events of the same run; `state` and `status` already include them."""
    state_changed = Signal()
    """After either of the above, and when only `status` has changed (the trainer has died)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run: RunFolder | None = None
        self.state: RunState | None = None
        self.status: StatusName | None = None
        self.events: list[AnyEvent] = []
        self._tail: EventTail | None = None
        self._ticks = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)

    @property
    def running(self) -> bool:
        """Whether a trainer is at work on the run (paused included)."""
        return self.status in ("preparing", "training", "paused")

    @property
    def caught_up(self) -> bool:
        """Whether everything that is on disk has been read."""
        return self._tail is None or self._timer.interval() != 0

    def watch(self, run: RunFolder | None) -> None:
        """Follows another run."""
        self._timer.stop()
        self.run = run
        self._tail = EventTail(run.events_file) if run else None
        self.events = []
        self.state = self.status = None
        if run and self._tail:
            self.events = self._tail.read(_FIRST_BYTES)
            self.state = fold(self.events)
            self._find_status()
            self._timer.start(0 if self.events else _WATCH_MS)
        self.reset.emit()
        self.state_changed.emit()

    def _on_tick(self) -> None:
        if self._tail is None or self.state is None:
            return
        fresh = self._tail.read(_NEXT_BYTES)
        self._ticks += 1
        if fresh:
            self.events.extend(fresh)
            self.state = fold(fresh, self.state)
            self._find_status()
            self.arrived.emit(fresh)
            self.state_changed.emit()
        elif self._ticks % _LOOK_FOR_LIFE == 0:
            before = self.status
            self._find_status()
            if self.status != before:
                self.state_changed.emit()
        wanted = 0 if fresh else _WATCH_MS
        if self._timer.interval() != wanted:
            self._timer.setInterval(wanted)

    def _find_status(self) -> None:
        if self.run and self.state:
            self.status, _ = status(self.run, self.state)
