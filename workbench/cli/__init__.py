"""The `workbench` command. Each module of this package adds its commands; this file runs them."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from workbench import __version__
from workbench.cli import console
from workbench.spec.errors import WorkbenchError

_MODULES = (
    "window",
    "data",
    "new",
    "train",
    "status",
    "views",
    "results",
    "show",
    "inside",
    "audit",
    "catalog",
    "demo",
    "bench",
    "bench_methods",
)
"""Modules with `add(commands)`; they import what is slow only when their command runs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code: 0 success, 2 wrong use, 1 failure."""
    console.set_up()
    parser = build_parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    known = commands_of(parser)
    if " ".join(given[:2]) in known:  # 'bench methods' is one command.
        given[:2] = [" ".join(given[:2])]
    if not given or (not given[0].startswith("-") and given[0] not in known):
        given.insert(0, "open")
    chosen = parser.parse_args(given)
    try:
        code = chosen.run(chosen)
    except WorkbenchError as error:
        return console.fail(error, json=getattr(chosen, "json", False))
    except KeyboardInterrupt:
        return console.interrupted()
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001  # the last door: a sentence for the person, the traceback for the log
        return console.crash(error, json=getattr(chosen, "json", False))
    return int(code or 0)


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command."""
    parser = argparse.ArgumentParser(
        prog="workbench",
        description="From a folder of images to a trained, verified encoder. Without a command it opens the window.",
    )
    parser.add_argument("--version", action="version", version=f"Pretext Workbench {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in _MODULES:
        importlib.import_module(f"workbench.cli.{name}").add(commands)
    return parser


def commands_of(parser: argparse.ArgumentParser) -> tuple[str, ...]:
    """The names of a parser's commands."""
    actions = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    return tuple(actions[0].choices) if actions else ()
