"""`workbench views`: what a plan of views does to the images of a folder."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli import console
from workbench.spec import toml
from workbench.spec.errors import CheckError, ExportError, UsageError, why
from workbench.spec.experiment import Experiment
from workbench.spec.pixels import fitting_rows
from workbench.spec.viewfacts import ViewFacts

if TYPE_CHECKING:
    from PIL.Image import Image

    from workbench.spec.dataset import ScanReport

_ROWS = 8


def add(commands: console.Commands) -> None:
    """Adds the command."""
    parser = console.command(
        commands,
        "views",
        _views,
        help="measure what an experiment's views do to its images: overlap, shortcuts, ops in vain, factors lost",
        example="workbench views leaves.toml -o views.png",
        json=True,
    )
    parser.add_argument("experiment", type=Path, metavar="FILE.toml", help="the experiment")
    parser.add_argument("--images", type=int, default=384, metavar="N", help="how many images are looked at (384)")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE.png", help="write images and their views as a picture"
    )
    parser.add_argument(
        "--task", action="store_true", help="with -o: write what the untrained method is given and asked instead"
    )
    parser.add_argument(
        "--python", action="store_true", help="print the views as code for torchvision instead of measuring them"
    )


def _views(arguments: argparse.Namespace) -> int:
    if arguments.images < 2:
        raise UsageError(f"--images {arguments.images} is not possible: views of two images at least are compared.")
    file: Path = arguments.experiment.expanduser().absolute()
    experiment = toml.load(file)
    if arguments.task and not arguments.output:
        raise UsageError("--task writes a picture.", hint="Say where to: -o FILE.png.")
    if arguments.python:
        return _python(experiment)
    from msgspec.structs import replace

    from workbench.data.scan import scan_folder

    folder = Path(experiment.data.folder).expanduser()
    folder = folder if folder.is_absolute() else file.parent / folder
    experiment = replace(experiment, data=replace(experiment.data, folder=str(folder)))
    with console.progress(quiet=arguments.json) as report:
        scan = scan_folder(folder, report)
    if scan.count < 1:
        raise CheckError(f"There are no readable images in {folder}.")
    rows = _spread(scan, experiment, arguments.images)
    if not rows:
        raise CheckError(f"No image in {folder} has {experiment.data.planes} planes.", hint="Set data.planes to 0.")
    if arguments.task:
        _save(_task(experiment, scan), arguments.output)
        print(arguments.output)
        return 0
    if arguments.output:
        _save(_sheet(experiment, scan), arguments.output)
    facts = _measured(experiment, scan, rows, quiet=arguments.json)
    if arguments.json:
        console.print_json(facts)
        return 0
    for line in _lines(facts, experiment):
        print(line)
    if arguments.output:
        print(arguments.output)
    return 0


def _measured(experiment: Experiment, scan: "ScanReport", rows: list[int], *, quiet: bool) -> ViewFacts:
    from workbench.engine.handlers.viewfacts import measure_views
    from workbench.engine.messages import MeasureViews

    request = MeasureViews(
        data=experiment.data,
        views=experiment.views,
        paths=tuple(scan.paths[row] for row in rows),
        seed=experiment.seed,
        classes=tuple(scan.classes[row] for row in rows),
    )
    with console.progress(quiet=quiet) as report:
        return measure_views(request, report)[0].facts


def _spread(scan: "ScanReport", experiment: Experiment, wanted: int) -> list[int]:
    """At most so many rows, evenly, of the images that have as many planes as the set."""
    rows = fitting_rows(scan, experiment.data)
    count, wanted = len(rows), min(len(rows), wanted)
    return [rows[round((number + 0.5) * count / wanted - 0.5)] for number in range(wanted)]


def _python(experiment: Experiment) -> int:
    from workbench.engine.handlers import handle
    from workbench.engine.messages import ViewsAsPython, ViewsAsPythonReply
    from workbench.spec.progress import ignore

    reply, _ = handle(ViewsAsPython(views=experiment.views, data=experiment.data), ignore)
    assert isinstance(reply, ViewsAsPythonReply)
    print(reply.text)
    if reply.missing:
        console.say(f"torchvision has nothing like: {', '.join(reply.missing)}")
    return 0


def _task(experiment: Experiment, scan: "ScanReport") -> "Image":
    """A few images, and what the method makes of them before any training."""
    from workbench.engine.handlers.tasks import show_task
    from workbench.engine.messages import ShowTask
    from workbench.engine.panels import received
    from workbench.export.exhibit_sheet import exhibit_sheet
    from workbench.spec.progress import ignore

    paths = tuple(scan.paths[row] for row in _spread(scan, experiment, _ROWS))
    reply, arrays = show_task(ShowTask(experiment=experiment, images=scan.count, paths=paths, epoch=0), ignore)
    return exhibit_sheet(received(reply.panels, arrays, original="Original"))


def _sheet(experiment: Experiment, scan: "ScanReport") -> "Image":
    """The first views of a few images."""
    from workbench.engine.handlers.previewing import preview
    from workbench.engine.messages import Preview
    from workbench.export.sheet import contact_sheet
    from workbench.spec.progress import ignore

    paths = tuple(scan.paths[row] for row in _spread(scan, experiment, _ROWS))
    request = Preview(data=experiment.data, views=experiment.views, paths=paths, seed=experiment.seed, epoch=0)
    reply, arrays = preview(request, ignore)
    columns = [("original", arrays["originals"])]
    columns += [(name, arrays[f"view-{number}"]) for number, name in enumerate(reply.names)]
    return contact_sheet([(name, pictures.astype("uint8")) for name, pictures in columns])


def _save(picture: "Image", file: Path) -> None:
    file = file.expanduser().absolute()
    try:
        picture.save(file)
    except (OSError, ValueError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise ExportError(f"The picture cannot be written to {file}: {reason}.") from error


def _lines(facts: ViewFacts, experiment: Experiment) -> list[str]:
    kinds = ", ".join(f"{view.name} ×{view.count} at {view.size} px" for view in experiment.views)
    lines = [f"{kinds}; measured on {facts.images:,} images"]
    if facts.apart >= 0:
        shared = f"{facts.overlap_median:.0%} of the smaller view (median)"
        lines += [
            f"  shared area       {shared}; less than a tenth in {facts.apart:.1%} of pairs",
            f"  pairs by pixels   {facts.by_pixels:.1%} found among all (guessing: {facts.chance:.1%})",
            f"  pairs by color    {facts.by_colors:.1%}",
        ]
    lines.append(f"  clipped           {facts.clipped:.1%} of the values; outside the image: {facts.outside:.1%}")
    for factor in facts.factors:
        figures = f"originals {factor.originals:.0%}, views {factor.views:.0%}, guessing {factor.guessing:.0%}"
        lines.append(f"  '{factor.column}' by pixels or colors: {figures}")
    for found in facts.findings:
        lines.append(f"  {found.level:8}{found.title} {found.text}")
    if not facts.findings:
        lines.append("  nothing odd was found")
    return lines
