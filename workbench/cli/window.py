"""`workbench open` (also the default) and `workbench screenshots`."""

import argparse
import os
import sys
from pathlib import Path

from workbench.cli import console
from workbench.runs.index import find_run
from workbench.spec import places
from workbench.spec.errors import NotFoundError, UsageError


def add(commands: console.Commands) -> None:
    """Adds the commands of this module."""
    opened = console.command(
        commands, "open", _open, help="open the window, on a folder of images or a run", example="workbench ~/photos"
    )
    opened.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="a folder of images, or a run folder")
    _add_run(opened)
    pictures = console.command(
        commands,
        "screenshots",
        _screenshots,
        help="save a picture of every page, light and dark, at two sizes",
        example="workbench screenshots pictures --run latest",
        json=True,
    )
    pictures.add_argument("folder", type=Path, metavar="FOLDER", help="where to; made when missing")
    _add_run(pictures)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=Path, metavar="DIR", help="the folder that holds the runs")
    parser.add_argument("--run", dest="which", metavar="RUN", help="the run to show: its folder, its name, or latest")


def _open(arguments: argparse.Namespace) -> int:
    folder: Path | None = arguments.folder.expanduser() if arguments.folder else None
    if folder is not None and not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.", hint="`workbench --help` lists the commands.")
    if not has_display():
        raise UsageError(
            "There is no display to open a window on.",
            hint="Every command but this one works without; `workbench demo --headless` shows what they do.",
        )
    run = _run(arguments)
    from workbench.gui import app

    return app.run(folder=folder, runs=arguments.runs, run=run)


def _screenshots(arguments: argparse.Namespace) -> None:
    run = _run(arguments)
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from workbench.gui import shots

    files = shots.take_screenshots(
        arguments.folder.expanduser(), run=run, runs=arguments.runs, tell=lambda name: console.say(f"  {name}")
    )
    if arguments.json:
        console.print_json({"folder": arguments.folder, "files": files})
    else:
        print(arguments.folder)


def _run(arguments: argparse.Namespace) -> Path | None:
    if not arguments.which:
        return None
    return find_run(arguments.which, arguments.runs or places.default_runs()).path


def has_display() -> bool:
    """Whether a person can see a window: on Windows and macOS, and with X11, Wayland or a chosen platform elsewhere."""
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform in ("offscreen", "minimal"):
        return False
    if platform or sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
