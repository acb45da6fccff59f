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
application = app.application()
window = app.open_window()
window.show()
window.begin()
application.processEvents()
window.grab()
print(time.time())
window.close()
"""


def run(*, quick: bool, report: Report) -> list[Result]:
    """From the start of a process until its window shows the first page."""
    rows = take_turns({"window visible": _open_once}, rounds=3 if quick else 7, report=report)
    return [
        Result(
            name="window",
            title="Window visible, cold process",
            unit="s",
            rows=rows,
            target="1.5 s or less",
            notes=("from the start of Python until the first page is painted",),
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
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # Users' machines keep compiled modules.
        started = time.time()
        process = subprocess.run(
            [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=False
        )
    if process.returncode:
        raise WorkbenchError(f"The window did not open: {process.stderr.strip()[-300:]}")
    return float(process.stdout) - started
