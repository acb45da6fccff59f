"""`workbench show`: what a method was asked, and what it answers, as one picture."""

import argparse
from pathlib import Path

from workbench.cli import console
from workbench.cli.options import add_run, run_of
from workbench.runs.events import read_events
from workbench.runs.folder import RunFolder
from workbench.runs.state import fold
from workbench.spec.errors import ExportError, NotFoundError, UsageError, why


def add(commands: console.Commands) -> None:
    """Adds the command."""
    parser = console.command(
        commands,
        "show",
        _show,
        help="write what a run's method is given, is asked and answers as a picture; its path comes last",
        example="workbench show latest --epoch 20 -o answers.png",
    )
    add_run(parser)
    parser.add_argument("--epoch", type=int, default=None, metavar="N", help="after N epochs (the newest)")
    parser.add_argument("--images", type=int, default=0, metavar="N", help="at most N images (all that were kept)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.png", help="the picture to write")


def _show(arguments: argparse.Namespace) -> int:
    if arguments.images < 0:
        raise UsageError(f"--images {arguments.images} is not possible: it is a number of images, 0 for all.")
    run = run_of(arguments)
    epoch = _epoch(run, arguments.epoch)
    from workbench.export.exhibit_sheet import exhibit_sheet
    from workbench.runs.exhibit import read_exhibit

    exhibit = read_exhibit(run.exhibit_file(epoch))
    file: Path = arguments.output.expanduser().absolute()
    try:
        exhibit_sheet(exhibit.panels, images=arguments.images).save(file)
    except (OSError, ValueError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise ExportError(f"The picture cannot be written to {file}: {reason}.") from error
    right = f", {exhibit.score[0]} of {exhibit.score[1]} answers right" if exhibit.score else ""
    console.say(f"{run.name}, epoch {epoch}{right}")
    print(file)
    return 0


def _epoch(run: RunFolder, wanted: int | None) -> int:
    """The one that is asked for, or the newest. Raises `NotFoundError` with those that there are."""
    epochs = sorted(taken.epoch for taken in fold(read_events(run.events_file)).exhibits)
    if not epochs:
        raise NotFoundError(
            f"The run {run.name} has no pictures of its task.",
            hint="Puzzles, rebuilding and masked methods keep some with every snapshot (watch.snapshot_every).",
        )
    if wanted is not None and wanted not in epochs:
        raise NotFoundError(
            f"There are no pictures of epoch {wanted} in the run {run.name}.",
            hint=f"There are some of {', '.join(map(str, epochs))}.",
        )
    return epochs[-1] if wanted is None else wanted
