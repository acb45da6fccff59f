"""`workbench new`: from a folder of images to an experiment file."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli import console
from workbench.cli.options import add_runs, add_set, runs_of
from workbench.runs.folder import slug, write_whole
from workbench.spec import toml
from workbench.spec.errors import UsageError, why
from workbench.spec.experiment import DataSpec, Experiment, TaskSpec
from workbench.spec.params import convert

if TYPE_CHECKING:
    from workbench.catalog.registry import Registry
    from workbench.spec.dataset import ScanReport


def add(commands: console.Commands) -> None:
    """Adds the command."""
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
    add_runs(parser)
    add_set(parser)


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
    experiment = toml.set_values(experiment, arguments.set)
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
    from workbench.training.suggest import length_of, suggest

    length = length_of(data, arguments.set)
    if not arguments.experiment:
        return suggest(
            scan,
            data=data,
            method=arguments.method,
            also=_tasks(arguments.also),
            backbone=arguments.backbone,
            preset=arguments.preset,
            scaled=not arguments.as_published,
            length=length,
            registry=registry,
        )
    card = registry.experiment(arguments.experiment)
    experiment, reasons = suggest_ready(
        scan,
        card.name,
        data=data,
        backbone=arguments.backbone,
        runs=runs_of(arguments),
        length=length,
        registry=registry,
    )
    beside = (f"To lay beside it: workbench new --experiment {card.beside}",) if card.beside else ()
    return experiment, (*reasons, f"What to expect: {card.expect}", *beside)


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


def _changed_data(data: DataSpec, assignments: list[str]) -> DataSpec:
    """What was said about the images, so that views, batch and epochs are suggested for those."""
    about = [assignment for assignment in assignments if assignment.strip().startswith("data.")]
    return toml.set_values(Experiment(data=data), about).data
