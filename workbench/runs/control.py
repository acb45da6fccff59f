"""What the user asks of a running trainer, and the trainer's sign of life: small files in control/."""

import os
import socket
import sys
import time
from typing import Literal

import msgspec
import psutil
from msgspec import Struct

from workbench.runs.folder import RunFolder

Request = Literal["pause", "stop", "snapshot"]

STALE_AFTER = 30.0
"""Seconds after which a heartbeat from another host counts as lost."""


class Heartbeat(Struct, frozen=True, kw_only=True):
    """Who trains this run, and when it last said so (seconds since 1970)."""

    pid: int
    created: float
    host: str
    time: float


def ask(run: RunFolder, request: Request) -> None:
    """Leaves a request for the trainer."""
    run.control.mkdir(exist_ok=True)
    (run.control / request).touch()


def asked(run: RunFolder, request: Request) -> bool:
    """Whether a request lies there."""
    return (run.control / request).exists()


def withdraw(run: RunFolder, request: Request) -> None:
    """Takes a request back (the trainer does so when it has answered; `resume` withdraws a pause)."""
    (run.control / request).unlink(missing_ok=True)


def beat(run: RunFolder, pid: int | None = None) -> None:
    """The trainer's sign of life; called every second or two. With `pid` the first, for one that is just starting."""
    process = psutil.Process(pid)
    sign = Heartbeat(pid=process.pid, created=process.create_time(), host=socket.gethostname(), time=time.time())
    path = run.control / "heartbeat"
    beside = run.control / ".heartbeat"
    beside.write_bytes(msgspec.json.encode(sign))
    beside.replace(path)


def silence(run: RunFolder) -> None:
    """The trainer leaves in good order."""
    (run.control / "heartbeat").unlink(missing_ok=True)


def heartbeat(run: RunFolder) -> Heartbeat | None:
    """The last sign of life, or None."""
    try:
        return msgspec.json.decode((run.control / "heartbeat").read_bytes(), type=Heartbeat)
    except (OSError, msgspec.DecodeError):
        return None


def is_elsewhere(run: RunFolder) -> bool:
    """Whether a trainer that is not this process works on this run now."""
    sign = heartbeat(run)
    if sign is None or not is_alive(run):
        return False
    # On Windows the python of a virtual environment starts the real one, whose parent it then is.
    here = (os.getpid(), os.getppid()) if sys.platform == "win32" else (os.getpid(),)
    return sign.host != socket.gethostname() or sign.pid not in here


def is_alive(run: RunFolder) -> bool:
    """Whether a trainer works on this run now: by its process on this host, by its heartbeat elsewhere."""
    sign = heartbeat(run)
    if sign is None:
        return False
    if sign.host != socket.gethostname():
        return time.time() - sign.time < STALE_AFTER
    try:
        process = psutil.Process(sign.pid)
        same = abs(process.create_time() - sign.created) < 2.0
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
