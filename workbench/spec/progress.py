"""How long work tells how far it is, and how it is told to stop."""

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Called as report(what, done, total), often; total 0 means unknown. It raises `Cancelled` to stop the work."""


def ignore(what: str, done: int, total: int) -> None:
    """A report that nobody reads."""
    del what, done, total
