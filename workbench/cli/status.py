"""`workbench status`: where a run stands, and how it came out, in words and as a document."""

import argparse
import sys
from pathlib import Path
from typing import Any

from workbench.cli import console
from workbench.cli.options import add_runs, runs_of
from workbench.runs.events import Clusters, Exam
from workbench.runs.folder import RunFolder
from workbench.runs.index import RunEntry, find_run, list_runs, read_entry
from workbench.runs.state import RunState, StatusName
from workbench.spec.experiment import Experiment


def add(commands: console.Commands) -> None:
    """Adds the command."""
    parser = console.command(
        commands,
        "status",
        _status,
        help="show where a run stands, or every run of a folder",
        example="workbench status latest",
        json=True,
    )
    parser.add_argument("run_name", nargs="?", default="", metavar="RUN or DIR", help="a run, or a folder of runs")
    add_runs(parser)


def _status(arguments: argparse.Namespace) -> int:
    text = arguments.run_name
    folder = Path(text) if text else runs_of(arguments)
    if text and not _is_folder_of_runs(folder, text, runs_of(arguments)):
        entry = read_entry(find_run(text, runs_of(arguments)).path)
        if arguments.json:
            console.print_json(document(entry))
        else:
            _print_entry(entry)
        return 0
    entries = list_runs(folder)
    if arguments.json:
        console.print_json([document(entry) for entry in entries])
    elif not entries:
        console.say(f"There are no runs in {folder}.")
    for entry in entries if not arguments.json else ():
        print(f"{entry.status:12} {_epochs(entry.state):>14}  {_knn(entry.state):>9}  {entry.path.name}")
    return 0


def _is_folder_of_runs(folder: Path, text: str, runs: Path) -> bool:
    """A folder may by chance be named as a run is; then it is one of runs only if it holds some."""
    if not folder.is_dir() or (folder / "experiment.toml").is_file():
        return False
    return bool(list_runs(folder)) or not any(text in entry.path.name for entry in list_runs(runs))


def document(entry: RunEntry) -> dict[str, Any]:
    """A run as one JSON document."""
    state = entry.state
    best = state.best("knn")
    return {
        "run": str(entry.path),
        "status": entry.status,
        "epoch": state.epoch,
        "epochs": state.total_epochs,
        "step": state.step,
        "progress": state.fraction(),
        "seconds": state.trained_seconds(),
        "device": state.started.device if state.started else "",
        "scalars": state.scalars,
        "probes": state.probes,
        "clusters": state.clusters,
        "exams": state.last_exams(),
        "best_knn": best.accuracy if best else None,
        "health": state.health.values if state.health else {},
        "verdict": state.verdict,
        "warnings": [warning.message for warning in state.warnings],
        "failure": state.failure,
        "problem": entry.problem,
    }


def say_outcome(run: RunFolder, state: RunState) -> None:
    """How a training ended, for a person."""
    name: StatusName = state.phase
    console.say(f"{run.name}: {name} after {_epochs(state)} epochs, {state.seconds:.0f} s of training.")
    if "epoch_loss" in state.scalars:
        console.say(f"loss {state.scalars['epoch_loss']:.4g}")
    if _knn(state):
        console.say(f"kNN {_knn(state)}{_baselines(state, run.experiment())}")
    if state.clusters:
        console.say(_groups(state.clusters))
    for exam in state.last_exams():
        console.say(_task(exam))
    if state.verdict:
        console.say(f"{state.verdict.title}: {state.verdict.text}")
    for warning in state.warnings:
        console.say(f"warning: {warning.message}")
    if name == "stopped":
        sys.stderr.write(f"`workbench resume {run.name}` goes on with it.\n")


def _print_entry(entry: RunEntry) -> None:
    state = entry.state
    print(f"{entry.path.name}: {entry.status}")
    print(f"  epoch   {_epochs(state)} ({state.fraction():.0%}), {state.trained_seconds():.0f} s of training")
    if "loss" in state.scalars:
        rate = state.scalars.get("images_per_second", 0.0)
        print(f"  loss    {state.scalars['loss']:.4g}, {rate:,.0f} images/s")
    if _knn(state):
        print(f"  kNN     {_knn(state)}{_baselines(state, entry.experiment)}")
    if state.clusters:
        print(f"  groups  {_groups(state.clusters)}")
    for exam in state.last_exams():
        print(f"  task    {_task(exam)}")
    if state.verdict:
        print(f"  verdict {state.verdict.title}: {state.verdict.text}")
    for warning in state.warnings:
        print(f"  warning {warning.message}")
    if state.failure:
        print(f"  failure {state.failure.message} {state.failure.hint}")
    if entry.problem:
        print(f"  problem {entry.problem}")


def _epochs(state: RunState) -> str:
    return f"{state.epoch:.4g} of {state.total_epochs}" if state.total_epochs else "not started"


def _knn(state: RunState) -> str:
    probe = state.last("knn")
    return f"{probe.accuracy:.1%}" if probe else ""


def _groups(clusters: Clusters) -> str:
    return (
        f"{clusters.accuracy:.1%} of {clusters.images:,} images in the right one of {clusters.used} clusters, "
        f"NMI {clusters.nmi:.3f}, ARI {clusters.ari:.3f}"
    )


def _task(exam: Exam) -> str:
    return (
        f"{exam.task} {exam.accuracy:.1%} right on {exam.images:,} held-out images, "
        f"95 % interval {exam.low:.1%} to {exam.high:.1%}, by chance {exam.chance:.1%}"
    )


def _baselines(state: RunState, experiment: Experiment | None) -> str:
    parts = []
    start = experiment.backbone.at_start if experiment else "untrained"
    for subject, words in (("untrained", start), ("pixels", "raw pixels")):
        probe = state.last("knn", subject)
        if probe:
            parts.append(f"{words} {probe.accuracy:.1%}")
    return f" ({', '.join(parts)})" if parts else ""
