"""Time spent training, for a run that has only so much of it."""

import time


class Clock:
    """Counts seconds from `seconds` on; pauses do not count. `limit` 0 is no limit."""

    def __init__(self, seconds: float = 0.0, *, limit: float = 0.0) -> None:
        self._counted = seconds
        self._since: float | None = time.monotonic()
        self._limit = limit

    @property
    def seconds(self) -> float:
        """Counted so far."""
        running = time.monotonic() - self._since if self._since is not None else 0.0
        return self._counted + running

    @property
    def fraction(self) -> float:
        """The share of the limit that has been used; 0 without one."""
        return min(1.0, self.seconds / self._limit) if self._limit > 0 else 0.0

    @property
    def is_up(self) -> bool:
        """Whether the limit has been reached."""
        return self._limit > 0 and self.seconds >= self._limit

    def halt(self) -> None:
        """Time stands still."""
        self._counted, self._since = self.seconds, None

    def go_on(self) -> None:
        """Time runs again."""
        self._since = time.monotonic()
