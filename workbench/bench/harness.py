"""Contenders take turns, so that what slows the machine down slows all of them; medians and ratios are told."""

import statistics
import time
from collections.abc import Callable, Mapping

from msgspec import Struct

from workbench.spec.progress import Report, ignore


class Row(Struct, frozen=True, kw_only=True):
    """One contender: its median over the rounds, the extremes, and its ratio to the first row's median."""

    name: str
    median: float
    low: float
    high: float
    ratio: float


class Result(Struct, frozen=True, kw_only=True):
    """One benchmark's table. `target` says in words what the design asks for."""

    name: str
    title: str
    unit: str
    rows: tuple[Row, ...]
    target: str = ""
    notes: tuple[str, ...] = ()


def take_turns(
    contenders: Mapping[str, Callable[[], float]], *, rounds: int, report: Report = ignore
) -> tuple[Row, ...]:
    """Each contender returns a figure (a rate or a time) per call. One unmeasured turn first, then `rounds`."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            figure = contender()
            if number:
                figures[name].append(figure)
        report("benchmark rounds", number, rounds)
    first = statistics.median(next(iter(figures.values())))
    return tuple(
        Row(
            name=name,
            median=statistics.median(values),
            low=min(values),
            high=max(values),
            ratio=statistics.median(values) / first if first else 0.0,
        )
        for name, values in figures.items()
    )


def rate(work: Callable[[], int], *, seconds: float) -> float:
    """Things per second: calls `work` (which says how many it did) for at least `seconds`."""
    done = 0
    started = time.perf_counter()
    while True:
        done += work()
        elapsed = time.perf_counter() - started
        if elapsed >= seconds:
            return done / elapsed
