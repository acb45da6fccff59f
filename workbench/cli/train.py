"""`workbench new`, `train`, `resume`, `stop`, `pause`, `status`: from a folder of images to a trained run."""

import argparse
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from workbench.cli import console
from workbench.runs import control
from workbench.runs.events import Clusters, Exam
from workbench.runs.folder import RunFolder, slug, write_whole
from workbench.runs.index import RunEntry, find_run, list_runs, read_entry
from workbench.runs.launch import launch_trainer
from workbench.runs.state import RunState, StatusName, status
from workbench.spec import places, toml
from workbench.spec.errors import CheckError, NotFoundError, UsageError, why
from workbench.spec.experiment import DataSpec, Experiment, TaskSpec
from workbench.spec.params import convert
from workbench.spec.pixels import of_planes

if TYPE_CHECKING:
    from workbench.catalog.registry import Registry
    from workbench.spec.dataset import ScanReport
    from workbench.spec.machine import Finding

_STOP_SECONDS = 30.0


def add(commands: console.Commands) -> None:
    """Adds the commands."""
    _add_new(commands)
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
        parser.add_argument("run_name", metavar="RUN", help="a run's folder, its name or a part of it, or 'latest'")
        _add_runs(parser)
    parser = console.command(
        commands,
        "status",
        _status,
        help="show where a run stands, or every run of a folder",
        example="workbench status latest",
        json=True,
    )
    parser.add_argument("run_name", nargs="?", default="", metavar="RUN or DIR", help="a run, or a folder of runs")
    _add_runs(parser)


def _add_new(commands: console.Commands) -> None:
    parser = console.command(
        commands,
        "new",
        _new,
        help="write an experiment file for a folder of images, with defaults scaled to it and this machine",
        example="workbench new leaves --method simclr --backbone resnet18 -o leaves.toml",
    )
    parser.add_argument("folder", type=Path, help="the folder with the images")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--method", default="simclr", metavar="M", help="see `workbench methods` (simclr)")
    what.add_argument(
        "--experiment", default="", metavar="NAME", help="a ready experiment: see `workbench experiments`"
    )
    parser.add_argument("--backbone", default="", metavar="B", help="see `workbench backbones` (suits the machine)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="the file to write (METHOD-on-FOLDER.toml)")
    parser.add_argument(
        "--preset",
        default="",
        metavar="P",
        help="the views: see `workbench presets`, or a TOML file with some (chosen for the images and the method)",
    )
    parser.add_argument(
        "--as-published", action="store_true", help="take the preset as it is, with only its sizes fitted to the images"
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="M[=W]",
        help="another task on the same encoder, with its weight, as in rotation=0.5",
    )
    _add_runs(parser)
    _add_set(parser)


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
    _add_runs(parser)
    _add_set(parser)
    parser.add_argument("--detach", action="store_true", help="train in the background and return at once")


def _add_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=Path, metavar="DIR", help="where runs are kept")


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a value, as in train.epochs=5 or method.params.temperature=0.2",
    )


def _new(arguments: argparse.Namespace) -> int:
    from workbench.catalog.registry import load_registry
    from workbench.data.scan import scan_folder
    from workbench.training.suggest_data import suggest_data

    if arguments.experiment and (arguments.preset or arguments.as_published or arguments.also):
        raise UsageError(
            "A ready experiment brings its own views and tasks.",
            hint="Leave --preset, --as-published and --also out.",
        )
    folder = arguments.folder.expanduser().resolve()
    with console.progress() as report:
        scan = scan_folder(folder, report)
    data, about_data = suggest_data(scan)
    experiment, about_rest = _suggested(scan, _changed_data(data, arguments.set), arguments, registry=load_registry())
    for reason in (*about_data, *about_rest):
        console.say(f"  {reason}")
    experiment = _changed(experiment, arguments.set)
    output = arguments.output or Path(f"{slug(experiment.name)}.toml")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, toml.dumps(experiment).encode())
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {why(error)}.") from error
    print(output)
    return 0


def _suggested(
    scan: "ScanReport", data: DataSpec, arguments: argparse.Namespace, *, registry: "Registry"
) -> tuple[Experiment, tuple[str, ...]]:
    """For the method, or the ready experiment, that was asked for; and why it is as it is."""
    from workbench.training.ready import suggest_ready
    from workbench.training.suggest import suggest

    if not arguments.experiment:
        return suggest(
            scan,
            data=data,
            method=arguments.method,
            also=_tasks(arguments.also),
            backbone=arguments.backbone,
            preset=arguments.preset,
            scaled=not arguments.as_published,
            registry=registry,
        )
    card = registry.experiment(arguments.experiment)
    experiment, reasons = suggest_ready(
        scan, card.name, data=data, backbone=arguments.backbone, runs=_runs(arguments), registry=registry
    )
    beside = (f"To lay beside it: workbench new --experiment {card.beside}",) if card.beside else ()
    return experiment, (*reasons, f"What to expect: {card.expect}", *beside)


def _train(arguments: argparse.Namespace) -> int:
    experiment = _changed(toml.load(arguments.file), arguments.set)
    experiment = _with_absolute_folder(experiment, arguments.file)
    experiment = _with_run_of_weights(experiment, _runs(arguments))
    from workbench.catalog.registry import load_registry

    experiment = _refuse(experiment, load_registry())
    run = RunFolder.create(_runs(arguments), experiment)
    if arguments.detach:
        launch_trainer(run)
        _print_run(run, as_json=arguments.json)
        return 0
    return _train_here(run, quiet=arguments.json, as_json=arguments.json)


def _resume(arguments: argparse.Namespace) -> int:
    run = find_run(arguments.run_name, _runs(arguments))
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
        _say_outcome(run, state)
        if state.phase != "finished":
            console.say(f"`workbench resume {run.name}` goes on with it.")
    _print_run(run, as_json=as_json)
    return 0 if state.phase == "finished" else 1  # So that `train && evaluate` does not go on with half a run.


def _stop(arguments: argparse.Namespace) -> int:
    run = find_run(arguments.run_name, _runs(arguments))
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
    run = find_run(arguments.run_name, _runs(arguments))
    _check_at_work(run)
    control.ask(run, "pause")
    console.say(f"{run.name} was asked to pause; `workbench resume {run.name}` lets it go on.")
    print(run.path)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    text = arguments.run_name
    folder = Path(text) if text else _runs(arguments)
    if text and not _is_folder_of_runs(folder, text, _runs(arguments)):
        entry = read_entry(find_run(text, _runs(arguments)).path)
        if arguments.json:
            console.print_json(_document(entry))
        else:
            _print_entry(entry)
        return 0
    entries = list_runs(folder)
    if arguments.json:
        console.print_json([_document(entry) for entry in entries])
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


def _tasks(asked: list[str]) -> tuple[TaskSpec, ...]:
    """Those of `--also NAME` or `--also NAME=WEIGHT`."""
    found = []
    for text in asked:
        name, _, weight = text.partition("=")
        try:
            values = {"name": name.strip(), **({"weight": float(weight)} if weight else {})}
        except ValueError:
            raise UsageError(f"--also {text}: the weight is a number, as in rotation=0.5.") from None
        found.append(convert(values, TaskSpec, where=f"--also {text}"))
    return tuple(found)


def _changed(experiment: Experiment, assignments: list[str]) -> Experiment:
    for assignment in assignments:
        experiment = toml.set_value(experiment, assignment)
    return experiment


def _changed_data(data: DataSpec, assignments: list[str]) -> DataSpec:
    """What was said about the images, so that views, batch and epochs are suggested for those."""
    about = [assignment for assignment in assignments if assignment.strip().startswith("data.")]
    return _changed(Experiment(data=data), about).data


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


def _runs(arguments: argparse.Namespace) -> Path:
    return Path(arguments.runs or places.default_runs()).expanduser().resolve()


def _print_run(run: RunFolder, *, as_json: bool) -> None:
    if as_json:
        console.print_json(_document(read_entry(run.path)))
    else:
        print(run.path)


def _document(entry: RunEntry) -> dict[str, Any]:
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


def _say_outcome(run: RunFolder, state: RunState) -> None:
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
