"""How far a bench is: what is left, how long that takes, and what is at work just now."""

import threading
import time
from collections.abc import Collection, Mapping, Sequence

from workbench.bench.methods.asked import Asked
from workbench.bench.methods.plan import Work
from workbench.gui.words import duration
from workbench.spec.errors import Cancelled
from workbench.spec.progress import Report

_OVERHEAD = 12.0
"""Seconds that a run takes beside its steps, until some have been timed: starting, looking, probing."""


class Standing:
    """The progress of all runs together. work: all of them, in order; left: those that are not finished.

    rates: images per second of each method, as far as they were measured.
    """

    def __init__(
        self,
        work: Sequence[Work],
        left: Collection[Work],
        at_once: int,
        rates: Mapping[str, float],
        asked: Asked,
        report: Report,
    ) -> None:
        self._numbers = {one: number for number, one in enumerate(work, start=1)}
        self._at_once = at_once
        self._rates = rates
        self._asked = asked
        self._report = report
        self._left = set(left)
        self._shares: dict[Work, float] = {}
        self._began: dict[Work, float] = {}
        self._factor = 1.0
        self._lock = threading.Lock()
        self._total = max(1, round(sum(map(self._expected, self._left))))

    def name(self, one: Work) -> str:
        """'[3/90] simclr, seed 0'."""
        method, seed = one
        return f"[{self._numbers[one]}/{len(self._numbers)}] {method}, seed {seed}"

    def words(self) -> str:
        """' · about 2 h left', or nothing at the end."""
        with self._lock:
            seconds = sum(self._expected(one) * (1 - self._shares.get(one, 0.0)) for one in self._left)
        return f" · about {duration(seconds / self._at_once)} left" if seconds else ""

    def report_of(self, one: Work, stop: threading.Event) -> Report:
        """What tells of this run, which begins now. It raises `Cancelled` once `stop` is set."""
        self._began[one] = time.monotonic()

        def report(what: str, done: int, of: int) -> None:
            if stop.is_set():
                raise Cancelled
            share = done / of if of else 0.0
            with self._lock:
                self._shares[one] = max(share, self._shares.get(one, 0.0))
                done_here = sum(self._expected(key) * value for key, value in self._shares.items())
                gone = self._total - sum(map(self._expected, self._left))
            words = f"methods · {self.name(one)}: {what} {share:.0%}{self.words()}"
            self._report(words, max(0, min(self._total, round(gone + done_here))), self._total)

        return report

    def end(self, one: Work, *, learned: bool) -> None:
        """A run is over. learned: whether its time says how long others take."""
        seconds = time.monotonic() - self._began[one]
        with self._lock:
            if learned and seconds > 1:
                self._factor *= (seconds / self._expected(one)) ** 0.5
            self._left.discard(one)
            self._shares.pop(one, None)

    def _expected(self, one: Work) -> float:
        """Seconds that a run takes, as far as is known."""
        budget, method = self._asked.budget, one[0]
        rate = self._rates.get(method) or min(self._rates.values(), default=100.0)
        steps = 60 * budget.minutes if budget.minutes else budget.images / rate
        return (steps + self._asked.fine_tuning / rate + _OVERHEAD) * self._factor
