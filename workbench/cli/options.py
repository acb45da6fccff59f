"""Options that several commands have: a run, where runs are kept, values to change, a device."""

import argparse
from pathlib import Path

from workbench.runs.folder import RunFolder
from workbench.runs.index import find_run
from workbench.spec import places


def add_run(parser: argparse.ArgumentParser) -> None:
    """RUN and `--runs`; see `run_of`."""
    parser.add_argument("run_name", metavar="RUN", help="a run's folder, its name or a part of it, or 'latest'")
    add_runs(parser)


def run_of(arguments: argparse.Namespace) -> RunFolder:
    """The run that was named. Raises `NotFoundError`."""
    return find_run(arguments.run_name, runs_of(arguments))


def add_runs(parser: argparse.ArgumentParser) -> None:
    """`--runs`; see `runs_of`."""
    parser.add_argument("--runs", type=Path, metavar="DIR", help="where runs are kept")


def runs_of(arguments: argparse.Namespace) -> Path:
    """The folder of runs that was named, or the usual one."""
    return Path(arguments.runs or places.default_runs()).expanduser().resolve()


def add_set(parser: argparse.ArgumentParser) -> None:
    """`--set KEY=VALUE`, any number of times; see `toml.set_values`."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a value, as in train.epochs=5 or method.params.temperature=0.2",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """`--device`, as `resolve_device` takes it."""
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 or mps")
