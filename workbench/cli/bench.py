"""`workbench bench`: what the program claims about speed, measured on this machine."""

import argparse
import importlib

from workbench.bench.harness import Result
from workbench.cli import console
from workbench.spec.errors import NotFoundError

NAMES = ("augment", "pipeline", "memory", "scan", "preview", "window", "drawing")
"""Modules of workbench.bench with `run(quick=..., report=...)`."""


def add(commands: console.Commands) -> None:
    """Adds `bench`."""
    parser = console.command(
        commands,
        "bench",
        run,
        help="measure speed side by side with peers on this machine",
        example="workbench bench augment --quick",
        json=True,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)} (all of them by default)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")


def run(arguments: argparse.Namespace) -> int:
    """Prints a table per benchmark, or one JSON document."""
    for name in arguments.names:
        if name not in NAMES:
            raise NotFoundError.named("benchmark", name, NAMES)
    results: list[Result] = []
    for name in arguments.names or NAMES:
        module = importlib.import_module(f"workbench.bench.{name}")
        with console.progress(quiet=arguments.json) as report:
            found = module.run(quick=arguments.quick, report=report)
        results.extend(found)
        if not arguments.json:
            for result in found:
                _print_table(result)
    if arguments.json:
        console.print_json(results)
    return 0


def _print_table(result: Result) -> None:
    width = max(len(row.name) for row in result.rows)
    print(f"\n{result.title} ({result.unit})")
    for row in result.rows:
        spread = f"({_digits(row.low)} to {_digits(row.high)})"
        print(f"  {row.name:{width}}  {_digits(row.median):>9}  {spread:24}  {row.ratio:5.2f}x")
    for line in (f"target: {result.target}" if result.target else "", *result.notes):
        if line:
            print(f"  {line}")


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
