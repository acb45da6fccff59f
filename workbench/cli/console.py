"""What every command shares: its parser, progress bars on stderr, one JSON document on stdout, errors."""

import argparse
import json as json_module
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from workbench.spec.errors import WorkbenchError
from workbench.spec.progress import Report, ignore

Commands = Any  # argparse._SubParsersAction[argparse.ArgumentParser], which is private and generic only for checkers.


def set_up() -> None:
    """Writes UTF-8 also where the system's encoding is another (Windows consoles, LANG=C)."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="replace")


def command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int | None],
    *,
    help: str,  # noqa: A002
    example: str,
    json: bool = False,
) -> argparse.ArgumentParser:
    """Adds a command with its help, an example, and `--json` where a program would read its answer."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else")
    parser.set_defaults(run=run)
    return parser


def print_json(document: Any) -> None:
    """One JSON document on stdout; msgspec records become objects."""
    print(json_module.dumps(msgspec.to_builtins(document, enc_hook=str), indent=2, ensure_ascii=False))


def say(text: str) -> None:
    """A line for a person, on stderr, so that stdout holds only the answer."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Report]:
    """A progress bar on stderr where that is a terminal; nothing otherwise."""
    if quiet or not sys.stderr.isatty():
        yield ignore
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            name = what.partition(" · ")[0]  # What follows changes, as in 'training · loss 4.2'.
            if name not in tasks:
                tasks[name] = bar.add_task(what, total=total or None)
            bar.update(tasks[name], description=what, completed=done, total=total or None)

        yield report


def fail(error: WorkbenchError, *, json: bool) -> int:
    """One clear line on stderr (and the same as JSON on stdout where that was asked)."""
    print(f"workbench: {' '.join(str(error).split())}", file=sys.stderr)
    if json:
        print_json({"error": error.message, "hint": error.hint})
    return error.exit_code


def interrupted() -> int:
    """Ctrl+C."""
    print("\nworkbench: interrupted", file=sys.stderr)
    return 1


def crash(error: Exception, *, json: bool) -> int:
    """A fault of the program: one line on stderr, the traceback in a file that the line names."""
    with tempfile.NamedTemporaryFile("w", prefix="workbench-", suffix=".log", delete=False, encoding="utf-8") as log:
        traceback.print_exception(error, file=log)
    message = " ".join(f"{type(error).__name__}: {error}".split())
    print(f"workbench: {message} (the traceback is in {Path(log.name)})", file=sys.stderr)
    if json:
        print_json({"error": message, "log": log.name})
    return 1
