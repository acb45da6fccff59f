"""The window, cold: from the start of the process until it is painted."""

import os
import subprocess
import sys
import tempfile
import time

from workbench.bench.harness import Result, take_turns
from workbench.spec.errors import WorkbenchError
from workbench.spec.progress import Report

_PROGRAM = """
import time
from workbench.gui import app
app.run(None, close_when_painted=True)
"""


def run(*, quick: bool, report: Report) -> list[Result]:
    """Wall time of a process that opens the window, paints it, and ends."""
    rows = take_turns({"window visible": _open_once}, rounds=3 if quick else 7, report=report)
    return [
        Result(
            name="window",
            title="Window visible, cold process",
            unit="s",
            rows=rows,
            target="1.5 s or less",
            notes=("includes the start of Python and the end of the process",),
        )
    ]


def _open_once() -> float:
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "WORKBENCH_SETTINGS": folder,
            "WORKBENCH_CACHE": folder,
            "WORKBENCH_RUNS": folder,
            "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
        }
        started = time.perf_counter()
        process = subprocess.run(
            [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=False
        )
        elapsed = time.perf_counter() - started
    if process.returncode:
        raise WorkbenchError(f"The window did not open: {process.stderr.strip()[-300:]}")
    return elapsed
