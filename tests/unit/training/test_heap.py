"""What training frees stays with its process, so that the next step need not ask the system again."""

import platform
import subprocess
import sys
from collections.abc import Callable

import pytest

from workbench.catalog.registry import Registry
from workbench.runs.folder import RunFolder
from workbench.training import job
from workbench.training.heap import keep_freed_memory
from workbench.training.trainer import train

_HELD = """
import sys
import psutil
import torch
from workbench.training.heap import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
before = psutil.Process().memory_info().rss
image = torch.ones(2**26)
del image
print((psutil.Process().memory_info().rss - before) / 2**28)
"""


def share_held(how: str) -> float:
    """How much of 256 MB that a new process has freed it still holds."""
    return float(subprocess.run([sys.executable, "-c", _HELD, how], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives memory back at once")
def test_freed_memory_is_kept() -> None:
    assert share_held("kept") > 0.9
    assert share_held("as it is") < 0.1


def test_a_run_on_the_cpu_keeps_it(
    make_run: Callable[..., RunFolder], registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(job, "keep_freed_memory", lambda: asked.append(True))
    train(make_run(train={"epochs": 1}), registry=registry)
    assert asked == [True]


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert keep_freed_memory() is False
