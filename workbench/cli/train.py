"""`workbench train`, `resume`, `stop`, `pause`: from an experiment file to a trained run."""

import argparse
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from workbench.cli import console
from workbench.cli.options import add_run, add_runs, add_set, run_of, runs_of
from workbench.cli.status import document, say_outcome
from workbench.runs import control
from workbench.runs.folder import RunFolder
from workbench.runs.index import find_run, read_entry
from workbench.runs.launch import launch_trainer
from workbench.runs.state import status
from workbench.spec import toml
from workbench.spec.errors import CheckError, NotFoundError, UsageError
from workbench.spec.experiment import Experiment
from workbench.spec.pixels import of_planes

if TYPE_CHECKING:
    from workbench.catalog.registry import Registry
    from workbench.spec.machine import Finding

_STOP_SECONDS = 30.0


def add(commands: console.Commands) -> None:
    """Adds the commands."""
    _add_train(commands)
    resume = console.command(
        commands,
        "resume",
        _resume,
        help="go on with a run that was stopped, paused or interrupted",
        example="workbench resume simclr-on-leaves",
    )
    resume.add_argument("--quiet", action="store_true", help="no progress bar; faults with their traceback (for logs)")
    stop = console.command(
        commands,
        "stop",
        _stop,
        help="ask a run to stop after the step at hand, with a checkpoint",
        example="workbench stop simclr-on-leaves",
    )
    pause = console.command(
        commands,
        "pause",
        _pause,
        help="ask a run to wait after the step at hand; `resume` lets it go on",
        example="workbench pause simclr-on-leaves",
    )
    for parser in (resume, stop, pause):
        add_run(parser)


def _add_train(commands: console.Commands) -> None:
    parser = console.command(
        commands,
        "train",
        _train,
        help="train an experiment; the path of its run folder comes last",
        example="workbench train leaves.toml --set train.epochs=20",
        json=True,
    )
    parser.add_argument("file", type=Path, help="the experiment file (`workbench new` writes one)")
    add_runs(parser)
    add_set(parser)
    parser.add_argument("--detach", action="store_true", help="train in the background and return at once")


def _train(arguments: argparse.Namespace) -> int:
    experiment = toml.set_values(toml.load(arguments.file), arguments.set)
    experiment = _with_absolute_folder(experiment, arguments.file)
    experiment = _with_run_of_weights(experiment, runs_of(arguments))
    from workbench.catalog.registry import load_registry

    experiment = _refuse(experiment, load_registry())
    run = RunFolder.create(runs_of(arguments), experiment)
    if arguments.detach:
        launch_trainer(run)
        _print_run(run, as_json=arguments.json)
        return 0
    return _train_here(run, quiet=arguments.json, as_json=arguments.json)


def _resume(arguments: argparse.Namespace) -> int:
    run = run_of(arguments)
    if control.is_elsewhere(run):
        if not control.asked(run, "pause"):
            raise UsageError(f"The run {run.name} is at work already.")
        control.withdraw(run, "pause")
        console.say(f"{run.name} goes on.")
        print(run.path)
        return 0
    if not arguments.quiet:
        control.withdraw(run, "pause")
        control.withdraw(run, "stop")
        return _train_here(run, quiet=False, as_json=False)
    try:
        return _train_here(run, quiet=True, as_json=False)
    except Exception:
        traceback.print_exc()  # It goes to trainer.log.
        raise


def _train_here(run: RunFolder, *, quiet: bool, as_json: bool) -> int:
    from workbench.training.trainer import check_free, train

    check_free(run)
    if not quiet:
        console.say(f"Training in {run.path}")
    with console.progress(quiet=quiet) as report:
        state = train(run, report=report)
    if not quiet:
        say_outcome(run, state)
        if state.phase != "finished":
            console.say(f"`workbench resume {run.name}` goes on with it.")
    _print_run(run, as_json=as_json)
    return 0 if state.phase == "finished" else 1  # So that `train && evaluate` does not go on with half a run.


def _stop(arguments: argparse.Namespace) -> int:
    run = run_of(arguments)
    _check_at_work(run)
    control.ask(run, "stop")
    until = time.monotonic() + _STOP_SECONDS
    while control.is_alive(run) and time.monotonic() < until:
        time.sleep(0.1)
    if control.is_alive(run):
        console.say(f"{run.name} was asked to stop, and will after the step at hand.")
    else:
        console.say(f"{run.name}: {status(run)[0]}.")
    print(run.path)
    return 0


def _pause(arguments: argparse.Namespace) -> int:
    run = run_of(arguments)
    _check_at_work(run)
    control.ask(run, "pause")
    console.say(f"{run.name} was asked to pause; `workbench resume {run.name}` lets it go on.")
    print(run.path)
    return 0


def _with_absolute_folder(experiment: Experiment, file: Path) -> Experiment:
    """A relative folder is meant from where the file is, else from here; the run folder lies elsewhere."""
    folder = Path(experiment.data.folder).expanduser()
    beside = file.resolve().parent / folder
    absolute = beside if beside.is_dir() else folder.resolve()
    return replace(experiment, data=replace(experiment.data, folder=str(absolute)))


def _with_run_of_weights(experiment: Experiment, runs: Path) -> Experiment:
    """Weights of a run, named as in every command; the run folder keeps where that run is."""
    spec = experiment.backbone
    if spec.weights in ("none", "pretrained"):
        return experiment
    return replace(experiment, backbone=replace(spec, weights=str(find_run(spec.weights, runs).path)))


def _refuse(experiment: Experiment, registry: "Registry") -> Experiment:
    """Raises `CheckError` with what would stop the run, before there is one; says what would only spoil it.

    Gives the experiment with its planes counted: an encoder is made for so many.
    """
    from workbench.data.scan import scan_folder
    from workbench.data.split import plan_split
    from workbench.training.check import check

    folder = Path(experiment.data.folder)
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.", hint="Set data.folder to where the images are.")
    with console.progress() as report:
        scan = scan_folder(folder, report)
    if not experiment.data.planes:
        experiment = replace(experiment, data=of_planes(experiment.data, scan.usual_planes))
    findings = check(experiment, scan.count, registry)
    for finding in findings:
        if finding.level == "warning":
            console.say(f"warning: {_words(finding)}")
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        raise CheckError(" ".join(_words(error) for error in errors))
    plan_split(scan, experiment.data, experiment.seed)  # It refuses columns that are not there.
    return experiment


def _words(finding: "Finding") -> str:
    told = not finding.field or finding.field in finding.message
    return finding.message if told else f"{finding.message} ({finding.field})"


def _check_at_work(run: RunFolder) -> None:
    name, _ = status(run)
    if not control.is_alive(run):
        hint = "" if name == "finished" else f"`workbench resume {run.name}` goes on with it."
        raise UsageError(f"Nobody trains the run {run.name}: it is {name}.", hint=hint)


def _print_run(run: RunFolder, *, as_json: bool) -> None:
    if as_json:
        console.print_json(document(read_entry(run.path)))
    else:
        print(run.path)
