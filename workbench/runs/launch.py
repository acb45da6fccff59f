"""Starts a trainer that outlives whoever started it."""

import contextlib
import os
import subprocess
import sys

import psutil

from workbench.runs import control
from workbench.runs.folder import RunFolder


def launch_trainer(run: RunFolder, *, threads: int = 0) -> int:
    """Starts `workbench resume RUN` detached, with its output in trainer.log. Returns the process id.

    threads: how many it may compute with, where others train beside it; 0 leaves that to torch.
    Requests to pause or stop that an earlier trainer has not answered are withdrawn. It works in the same
    folder as whoever starts it, so that relative paths mean the same, and imports nothing from there (-P).
    """
    control.withdraw(run, "pause")
    control.withdraw(run, "stop")
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    with run.log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "workbench", "resume", str(run.path), "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            creationflags=flags,
            start_new_session=sys.platform != "win32",
        )
    with contextlib.suppress(psutil.Error, OSError):
        control.beat(run, process.pid)  # Until it beats itself: it can be asked to stop from now on.
    process.returncode = 0  # WORKAROUND: it is meant to outlive us, so no ResourceWarning when it is collected.
    return process.pid


def last_log_lines(run: RunFolder, count: int = 20) -> list[str]:
    """The end of trainer.log, for a run that was interrupted."""
    try:
        with run.log_file.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []
