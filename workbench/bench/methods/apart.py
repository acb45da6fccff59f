"""A run trained in a process of its own, so that its memory is its own, and its end is not ours."""

import time

from workbench.runs import control
from workbench.runs.events import EventTail
from workbench.runs.folder import RunFolder
from workbench.runs.launch import last_log_lines, launch_trainer
from workbench.runs.state import RunState, fold
from workbench.spec.errors import TrainingError
from workbench.spec.progress import Report, ignore

_LOOK_SECONDS = 0.3


def train_apart(run: RunFolder, report: Report = ignore) -> None:
    """Trains a run, or goes on with it, and waits. One that is being trained already is only waited for.

    The trainer outlives this process where that is killed; whoever asks next finds it at work, or done. Where
    waiting is interrupted (Ctrl+C, or `Cancelled` in `report`) it is asked to stop, with a checkpoint. Raises
    `TrainingError` where the run ends unfinished.
    """
    if not control.is_alive(run):
        launch_trainer(run)
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


def reason(run: RunFolder, state: RunState) -> str:
    """Why a run is not finished, in words."""
    if state.phase == "failed" and state.failure:
        return f"{state.failure.message} {state.failure.hint}".strip()
    if state.phase == "stopped":
        return "It was stopped; the bench goes on with it when it is started again."
    last = next((line.strip() for line in reversed(last_log_lines(run)) if line.strip()), "")
    words = "Its process ended without a word: it was killed, or the machine ran out of memory."
    return f"{words} The end of {run.log_file.name}: {last}" if last else words


def _stop(run: RunFolder) -> None:
    control.ask(run, "stop")
    while control.is_alive(run):
        time.sleep(_LOOK_SECONDS)
