"""Loads torch and the plugins once, and sets torch up for a process that works beside a trainer and a window."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.catalog.registry import Registry

_LOADING = threading.Lock()
_MOST_THREADS = 8
_QUIET_SECONDS = 0.25
_LONGEST_WAIT = 3.0

_at_work = 0
_last_work = 0.0


@contextmanager
def pictures_first() -> Iterator[None]:
    """Around work that a person waits for and that needs no torch: its import begins after it."""
    global _at_work, _last_work  # one engine, one process
    _at_work += 1
    try:
        yield
    finally:
        _at_work -= 1
        _last_work = time.monotonic()


def registry() -> "Registry":
    """Every plugin, loaded. The first call imports torch (seconds); lanes that come meanwhile wait for it."""
    with _LOADING:
        if "torch" not in sys.modules:
            _wait_for_pictures()
        import torch

        from workbench.catalog.registry import load_registry

        # One core stays free for the window; beyond a few threads small batches gain nothing.
        torch.set_num_threads(max(1, min(_MOST_THREADS, (os.cpu_count() or 2) - 1)))
        return load_registry()


def use_all_cores() -> None:
    """For a moment's work on this lane that the window is waiting for; the next call of `registry` ends it."""
    import torch

    torch.set_num_threads(min(_MOST_THREADS, os.cpu_count() or 1))


def preload() -> None:
    """Imports what the first preview, check and catalog need; the first time on a machine, kernels are compiled."""
    registry()
    from workbench.augment import compiled, plan
    from workbench.data import prepare
    from workbench.training import check, suggest

    compiled.load()
    del plan, prepare, check, suggest


def _wait_for_pictures() -> None:
    """Importing torch keeps Python's lock for a second at a time, in which no thumbnail would be drawn."""
    began = time.monotonic()
    while time.monotonic() - began < _LONGEST_WAIT:
        quiet_since = max(began, _last_work)
        if not _at_work and time.monotonic() - quiet_since >= _QUIET_SECONDS:
            return
        time.sleep(0.02)
