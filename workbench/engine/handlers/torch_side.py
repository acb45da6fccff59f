"""Loads torch and the plugins once, and sets torch up for a process that works beside a trainer and a window."""

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.catalog.registry import Registry

_LOADING = threading.Lock()
_MOST_THREADS = 8


def registry() -> "Registry":
    """Every plugin, loaded. The first call imports torch (seconds); lanes that come meanwhile wait for it."""
    with _LOADING:
        import torch

        from workbench.catalog.registry import load_registry

        # One core stays free for the window; beyond a few threads small batches gain nothing.
        torch.set_num_threads(max(1, min(_MOST_THREADS, (os.cpu_count() or 2) - 1)))
        return load_registry()


def preload() -> None:
    """Imports what the first preview, check and catalog need."""
    registry()
    from workbench.augment import plan
    from workbench.data import prepare
    from workbench.training import check, suggest

    del plan, prepare, check, suggest
