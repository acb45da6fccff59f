"""From the move of a slider to the pictures that show it, through the real window and the real engine.

The window runs in a process of its own (`workbench.bench.slider`), so that what is measured is a window as a
person has it, and nothing of this process.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.bench.harness import Result, Row
from workbench.data.sample import paint_sample
from workbench.spec.errors import WorkbenchError
from workbench.spec.progress import Report

IMAGES, SIZE = 16, 224
_PATIENCE_SECONDS = 600.0


def run(*, quick: bool, report: Report) -> list[Result]:
    """16 painted images, two views each, the SimCLR chain with blur; the brightness of color jitter is moved."""
    report("moving a slider", 0, 0)
    with tempfile.TemporaryDirectory() as name:
        images, places = Path(name) / "images", Path(name) / "places"
        paint_sample(images, count=IMAGES, size=SIZE)
        measured = _measure(images, places, moves=10 if quick else 50, drags=2 if quick else 5)
    single, drags = measured["single"], measured["drags"]
    return [_of_single_moves(single, measured["views"]), _of_drags(drags)]


def _of_single_moves(times: Sequence[float], views: int) -> Result:
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    median = statistics.median(ordered)
    return Result(
        name="preview",
        title=f"Slider to repaint, {views} views at {SIZE} px, one move at a time",
        unit="ms",
        rows=(
            Row(name="median", median=median, low=ordered[0], high=ordered[-1], ratio=1.0),
            Row(name="95th percentile", median=p95, low=ordered[0], high=ordered[-1], ratio=p95 / median),
        ),
        target="95th percentile of 100 ms or less",
        notes=(f"{len(ordered)} moves; until everything that a move changes has been painted",),
    )


def _of_drags(drags: Sequence[dict[str, float]]) -> Result:
    def row(name: str, key: str, first: float) -> Row:
        values = [drag[key] for drag in drags]
        median = statistics.median(values)
        return Row(name=name, median=median, low=min(values), high=max(values), ratio=median / first if first else 0.0)

    last = statistics.median(drag["last"] for drag in drags)
    moves, pictures = (round(statistics.median(drag[key] for drag in drags)) for key in ("moves", "frames"))
    return Result(
        name="preview-drag",
        title="The same slider dragged, a move every 16 ms",
        unit="ms",
        rows=(
            row("from the last move to its pictures", "last", last),
            row("from any shown move to its pictures", "shown", last),
            row("longest time that the window did nothing else", "gap", last),
        ),
        target="stale requests are dropped; the window never waits",
        notes=(f"medians of {len(drags)} drags of {moves} moves, of which {pictures} were shown",),
    )


def _measure(images: Path, places: Path, *, moves: int, drags: int) -> dict[str, Any]:
    environment = {
        **os.environ,
        "WORKBENCH_SETTINGS": str(places / "settings"),
        "WORKBENCH_CACHE": str(places / "cache"),
        "WORKBENCH_RUNS": str(places / "runs"),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
    }
    command = [sys.executable, "-m", "workbench.bench.slider", str(images), str(moves), str(drags)]
    process = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
    )
    if process.returncode:
        raise WorkbenchError(f"The window could not be measured: {process.stderr.strip()[-500:]}")
    measured: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return measured
