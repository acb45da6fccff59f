"""Reading a folder: headers per second, and images per second into the pixel store."""

import shutil
import tempfile
import time
from pathlib import Path

from workbench.bench.harness import Result, take_turns
from workbench.data.prepare import prepare
from workbench.data.sample import paint_sample
from workbench.data.scan import scan_folder
from workbench.spec.experiment import DataSpec, Experiment
from workbench.spec.progress import Report


def run(*, quick: bool, report: Report) -> list[Result]:
    """On painted images of 64 px, read from a warm file cache."""
    count = 500 if quick else 3000
    rounds = 3 if quick else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "images"
        paint_sample(folder, count=count)
        headers = take_turns({"scan": lambda: _scan(folder)}, rounds=rounds, report=report)
        stored = take_turns({"pixel store": lambda: _store(folder, Path(name) / "cache")}, rounds=rounds, report=report)
    return [
        Result(name="scan", title="Scan of headers", unit="files/s", rows=headers, target="2,000 files/s per core"),
        Result(name="scan", title="Decoding into the pixel store", unit="images/s", rows=stored),
    ]


def _scan(folder: Path) -> float:
    started = time.perf_counter()
    found = scan_folder(folder).count
    return found / (time.perf_counter() - started)


def _store(folder: Path, cache: Path) -> float:
    shutil.rmtree(cache, ignore_errors=True)
    experiment = Experiment(data=DataSpec(folder=str(folder)))
    started = time.perf_counter()
    prepared = prepare(experiment, cache=cache)
    return len(prepared.table) / (time.perf_counter() - started)
