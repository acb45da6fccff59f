"""Runs trained and probed in processes of their own, so that their memory is their own, and their end is not ours."""

import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Self

from workbench.runs import control
from workbench.runs.events import EventTail
from workbench.runs.folder import RunFolder
from workbench.runs.launch import last_log_lines, launch_trainer
from workbench.runs.results import ProbeResult
from workbench.runs.state import RunState, fold
from workbench.spec.errors import TrainingError
from workbench.spec.progress import Report, ignore

_LOOK_SECONDS = 0.3


def train_apart(run: RunFolder, report: Report = ignore, *, threads: int = 0) -> None:
    """Trains a run, or goes on with it, and waits. One that is being trained already is only waited for.

    The trainer outlives this process where that is killed; whoever asks next finds it at work, or done. Where
    waiting is interrupted (Ctrl+C, or `Cancelled` in `report`) it is asked to stop, with a checkpoint. threads: see
    `launch_trainer`. Raises `TrainingError` where the run ends unfinished.
    """
    if not control.is_alive(run):
        launch_trainer(run, threads=threads)
    tail = EventTail(run.events_file)
    state = RunState()
    try:
        while control.is_alive(run):
            state = fold(tail.read(), state)
            report("training", round(100 * state.fraction()), 100)
            time.sleep(_LOOK_SECONDS)
    except BaseException:
        _stop(run)
        raise
    state = fold(tail.read(), state)
    if state.phase != "finished":
        raise TrainingError(reason(run, state))


class Probers:
    """Processes that probe runs, `count` at once at most; they stay, so that each imports torch once."""

    def __init__(self, count: int, *, threads: int = 0) -> None:
        self._count = count
        self._threads = threads
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def __call__(self, run: RunFolder, known: Sequence[ProbeResult]) -> None:
        """Probes a run with kNN and the linear probe, and keeps that in its folder. known: see `evaluate_run`.

        Raises what `evaluate_run` raises, and `TrainingError` where the process was killed.
        """
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._count,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(self._threads,),
            )
        try:
            self._pool.submit(probe_here, run.path, tuple(known)).result()
        except BrokenProcessPool as error:
            self._pool = None  # The next gets new ones.
            raise TrainingError(
                "The process that probed it ended without a word: it was killed, or the machine ran out of memory."
            ) from error


def probe_here(path: Path, known: Sequence[ProbeResult]) -> None:
    """Probes a run in this process, on the device that it was trained on."""
    from workbench.evaluate.probe import evaluate_run
    from workbench.training.devices import resolve_device

    run = RunFolder(path)
    evaluate_run(run, known=known, device=resolve_device(run.experiment().train.device))


def reason(run: RunFolder, state: RunState) -> str:
    """Why a run is not finished, in words."""
    if state.phase == "failed" and state.failure:
        return f"{state.failure.message} {state.failure.hint}".strip()
    if state.phase == "stopped":
        return "It was stopped; the bench goes on with it when it is started again."
    last = next((line.strip() for line in reversed(last_log_lines(run)) if line.strip()), "")
    words = "Its process ended without a word: it was killed, or the machine ran out of memory."
    return f"{words} The end of {run.log_file.name}: {last}" if last else words


def _begin(threads: int) -> None:
    """In a new process, before torch is imported there."""
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)


def _stop(run: RunFolder) -> None:
    control.ask(run, "stop")
    while control.is_alive(run):
        time.sleep(_LOOK_SECONDS)
