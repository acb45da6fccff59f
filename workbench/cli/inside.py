"""`workbench inside`: where an encoder looks, and what it takes for the same."""

import argparse
from pathlib import Path

from workbench.cli import console
from workbench.cli.options import add_device, add_run, run_of
from workbench.runs.masks import MaskScore
from workbench.spec.errors import ExportError, UsageError, why
from workbench.spec.inside import INSIDE_KINDS


def add(commands: console.Commands) -> None:
    """Adds the command."""
    parser = console.command(
        commands,
        "inside",
        _inside,
        help="look into an encoder: its attention, its map, what it takes for the same; or score it against masks",
        example="workbench inside latest --kind colors -o alike.png",
        json=True,
    )
    add_run(parser)
    parser.add_argument(
        "--kind",
        choices=tuple(INSIDE_KINDS),
        default="colors",
        help=" ".join(f"{kind}: {info.help}" for kind, info in INSIDE_KINDS.items()),
    )
    parser.add_argument("--untrained", action="store_true", help="the encoder as it was at the start")
    parser.add_argument("--images", type=int, default=8, metavar="N", help="how many test images (8)")
    parser.add_argument("--scale", type=int, default=1, metavar="N", help="enlarge the images N times, for finer maps")
    parser.add_argument(
        "--at", default="0.5,0.5", metavar="X,Y", help="with match: the place in the first image (0.5,0.5)"
    )
    parser.add_argument(
        "--masks", type=Path, metavar="DIR", help="score outlines against masks: PNGs named as the images"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.png", help="the picture to write")
    add_device(parser)


def _inside(arguments: argparse.Namespace) -> int:
    if arguments.masks is None and arguments.output is None:
        raise UsageError("Say where the picture goes (-o FILE.png), or what to score against (--masks DIR).")
    place = _place(arguments.at)
    run = run_of(arguments)
    from workbench.evaluate.inside import look_inside
    from workbench.evaluate.masks import compare_with_masks
    from workbench.export.exhibit_sheet import exhibit_sheet
    from workbench.training.devices import resolve_device

    device = resolve_device(arguments.device)
    with console.progress() as report:
        scores: tuple[MaskScore, ...] = ()
        if arguments.masks:
            folder = arguments.masks.expanduser().resolve()
            scores = compare_with_masks(run, folder, device=device, report=report).scores
        if arguments.output:
            found = look_inside(
                run,
                arguments.kind,
                images=arguments.images,
                trained=not arguments.untrained,
                scale=arguments.scale,
                place=place,
                device=device,
                report=report,
            )
            file: Path = arguments.output.expanduser().absolute()
            try:
                exhibit_sheet(found.panels).save(file)
            except (OSError, ValueError) as error:
                reason = why(error) if isinstance(error, OSError) else str(error)
                raise ExportError(f"The picture cannot be written to {file}: {reason}.") from error
    if arguments.json:
        console.print_json(list(scores))
        return 0
    for score in scores:
        console.say(
            f"{score.subject:18} Jaccard {100 * score.jaccard:.1f} % "
            f"({100 * score.low:.1f} to {100 * score.high:.1f}), {score.images} images"
        )
    if arguments.output:
        print(arguments.output.expanduser().absolute())
    return 0


def _place(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--at {text} is not a place: write it as X,Y with numbers from 0 to 1.") from None
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise UsageError(f"--at {text} is outside of the image: both numbers are from 0 to 1.")
    return x, y
