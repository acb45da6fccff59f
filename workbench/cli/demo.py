"""`workbench demo`: the sample experiment from painted images to a verified encoder, in a window or without one."""

import argparse
from pathlib import Path

import msgspec

from workbench.cli import console
from workbench.cli.window import has_display
from workbench.runs.folder import RunFolder
from workbench.runs.launch import launch_trainer
from workbench.runs.results import Evaluation, ExportRecord
from workbench.runs.state import RunState
from workbench.spec import places, toml
from workbench.spec.errors import ExportError, TrainingError, UsageError
from workbench.spec.experiment import DataSpec, Experiment

FORMATS = ("safetensors", "torch-export", "onnx", "h5", "csv", "parquet")


def add(commands: console.Commands) -> None:
    """Adds `demo`."""
    parser = console.command(
        commands,
        "demo",
        run,
        help="run the sample experiment end to end: paint images, train, inspect, export",
        example="workbench demo --headless --out demo",
    )
    parser.add_argument("--headless", action="store_true", help="no window, also where there is a display")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where images, run and report go")
    parser.add_argument("--count", type=int, default=3000, metavar="N", help="how many images to paint")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the experiment")


def run(arguments: argparse.Namespace) -> int:
    """In the window where there is a display; otherwise headless, ending with the path of the report."""
    out = (arguments.out or places.default_runs().parent / "demo").expanduser().resolve()
    sample = _paint(out / "sample", arguments.count)
    experiment = demo_experiment(sample)
    experiment = toml.set_values(experiment, arguments.set)
    if not arguments.headless and has_display():
        return _in_window(out, experiment)
    return _headless(out, experiment)


def demo_experiment(sample: Path) -> Experiment:
    """The sample experiment on a folder of sample images."""
    recipe = toml.load(places.bundled("resources") / "recipes" / "demo.toml")
    return msgspec.structs.replace(recipe, data=msgspec.structs.replace(recipe.data, folder=str(sample)))


def _paint(folder: Path, count: int) -> Path:
    from workbench.data.sample import paint_sample

    if count < 100:
        raise UsageError(f"{count} images are too few to train on.", hint="Use --count 100 or more.")
    console.say(f"Painting {count} sample images in {folder}")
    with console.progress() as report:
        paint_sample(folder, count=count, report=report)
    return folder


def _in_window(out: Path, experiment: Experiment) -> int:
    from workbench.gui import app

    run_folder = RunFolder.create(out / "runs", experiment)
    launch_trainer(run_folder)
    console.say("Training has started in the background; the window shows it live.")
    return app.run(runs=out / "runs", run=run_folder.path)


def _headless(out: Path, experiment: Experiment) -> int:
    from workbench.evaluate.probe import evaluate_run
    from workbench.export.report import make_report
    from workbench.export.run import export_run
    from workbench.inspect.project import project_run
    from workbench.training.trainer import train

    run_folder = RunFolder.create(out / "runs", experiment)
    console.say(f"Training {experiment.method.words} with {experiment.backbone.name} in {run_folder.path}")
    with console.progress() as report:
        state = train(run_folder, report=report)
    if state.phase != "finished":
        reason = state.failure.message if state.failure else f"the run is {state.phase}"
        raise TrainingError(f"The demo's training did not finish: {reason}")
    _say_training(state)
    with console.progress() as report:
        evaluation = evaluate_run(run_folder, probes=("knn", "linear"), report=report)
    _say_evaluation(evaluation, experiment.data)
    with console.progress() as report:
        project_run(run_folder, epoch=state.snapshots[-1].epoch, report=report)
        records = export_run(run_folder, formats=FORMATS, folder=run_folder.exports, report=report)
    _say_exports(records)
    with console.progress() as report:
        page = make_report(run_folder, report=report)
    if not all(record.verified for record in records):
        raise ExportError("Not every export was verified.", hint=f"The report says which: {page}")
    console.say("The report:")
    print(page)
    return 0


def _say_training(state: RunState) -> None:
    console.say(f"Trained {state.epoch:.0f} epochs in {state.seconds:.0f} s; loss {state.scalars.get('loss', 0):.3f}")
    if state.verdict:
        console.say(f"{state.verdict.title}: {state.verdict.text}")


def _say_evaluation(evaluation: Evaluation, data: DataSpec) -> None:
    title = data.title_of(evaluation.column)
    console.say(f"Probes for '{title}' on {evaluation.test_images} test images (95 % interval):")
    for result in evaluation.results:
        interval = f"{result.low:.1%} to {result.high:.1%}"
        console.say(f"  {result.kind:7} {result.subject:10} {result.accuracy:6.1%}  ({interval})")


def _say_exports(records: tuple[ExportRecord, ...]) -> None:
    for record in records:
        verdict = "verified" if record.verified else f"NOT verified: {record.problem}"
        difference = "" if record.difference is None else f", largest difference {record.difference:.1e}"
        console.say(f"  {record.format:12} {verdict}{difference}")
