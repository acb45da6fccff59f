"""`workbench sample` and `workbench scan`: images to try things on, and what is in a folder."""

import argparse
from collections import Counter
from pathlib import Path

from workbench.cli import console
from workbench.spec.dataset import ScanReport, pixels_in_words

_MOST_ROWS = 12


def add(commands: console.Commands) -> None:
    """Adds the commands of this module."""
    sample = console.command(
        commands,
        "sample",
        _sample,
        help="paint the sample images, and labels.csv with what is on them",
        example="workbench sample ~/sample --count 3000 --size 64",
        json=True,
    )
    sample.add_argument("folder", type=Path, metavar="FOLDER", help="where to; made when missing")
    sample.add_argument("--count", type=int, default=3000, metavar="N", help="how many images (3000)")
    sample.add_argument("--size", type=int, default=64, metavar="N", help="side of the images in px (64)")
    sample.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed paints the same images (0)")
    sample.add_argument(
        "--masks", type=Path, metavar="DIR", help="also say where the body is: masks of the images' names, into DIR"
    )
    scan = console.command(
        commands,
        "scan",
        _scan,
        help="tell what is in a folder: images, sizes, classes, label tables, problems",
        example="workbench scan ~/photos",
        json=True,
    )
    scan.add_argument("folder", type=Path, metavar="FOLDER", help="the folder, searched with all its sub-folders")


def _sample(arguments: argparse.Namespace) -> None:
    from workbench.data.sample import paint_sample

    folder: Path = arguments.folder.expanduser()
    with console.progress(quiet=arguments.json) as report:
        paint_sample(
            folder,
            count=arguments.count,
            size=arguments.size,
            seed=arguments.seed,
            masks=arguments.masks.expanduser() if arguments.masks else None,
            report=report,
        )
    if arguments.json:
        console.print_json({"folder": folder, "count": arguments.count, "size": arguments.size})
        return
    console.say(f"{arguments.count:,} images of {arguments.size} px, with their factors in labels.csv")
    print(folder)


def _scan(arguments: argparse.Namespace) -> None:
    from workbench.data.scan import scan_folder

    with console.progress(quiet=arguments.json) as report:
        found = scan_folder(arguments.folder, report)
    if arguments.json:
        console.print_json(found)
        return
    for line in _lines(found):
        print(line)


def _lines(found: ScanReport) -> list[str]:
    lines = [found.folder, f"  images    {found.count:,} ({sum(found.sizes) / 1e6:,.1f} MB)"]
    if found.count:
        shapes = sorted(zip(found.widths, found.heights), key=lambda shape: shape[0] * shape[1])
        (small, large), middle = (shapes[0], shapes[-1]), shapes[len(shapes) // 2]
        sizes = _shape(small) if small == large else f"{_shape(small)} to {_shape(large)}, middle {_shape(middle)}"
        lines.append(f"  size      {sizes} px")
        lines.append(f"  pixels    {_kinds(found)}")
    parts = {part: found.parts.count(part) for part in ("train", "test") if part in found.parts}
    if parts:
        lines.append(f"  folders   {', '.join(f'{part} {count:,}' for part, count in parts.items())}")
    classes = found.class_counts()
    if any(classes):
        named = [f"{name or '(none)'} {count:,}" for name, count in classes.items()]
        lines.append(f"  classes   {len(classes):,}: {_first(named)}")
    if found.clips:
        lines.append(f"  clips     {_clips(found)}, the images of a folder being frames in order")
    for table in found.tables:
        columns = ", ".join(f"{name} ({count:,})" for name, count in zip(table.columns, table.distinct))
        lines.append(f"  labels    {table.file} names {table.matched:,} images by '{table.path_column}': {columns}")
    lines.extend(f"  note      {note}" for note in found.notes)
    if found.broken:
        lines.append(f"  broken    {len(found.broken):,} files cannot be read")
        lines.extend(f"    {file.path}: {file.reason}" for file in found.broken[:_MOST_ROWS])
        if len(found.broken) > _MOST_ROWS:
            lines.append(f"    and {len(found.broken) - _MOST_ROWS:,} more (--json lists all)")
    return lines


def _clips(found: ScanReport) -> str:
    return f"{found.clips:,} {'clip' if found.clips == 1 else 'clips'}, {found.count:,} frames"


def _kinds(found: ScanReport) -> str:
    """'color 40, gray of 16 bits 20'."""
    kinds = Counter(map(pixels_in_words, found.modes, found.planes, found.bits)).most_common()
    return kinds[0][0] if len(kinds) == 1 else _first([f"{name} {count:,}" for name, count in kinds])


def _first(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_ROWS:,} more" if len(names) > _MOST_ROWS else ""
    return ", ".join(names[:_MOST_ROWS]) + more


def _shape(shape: tuple[int, int]) -> str:
    return f"{shape[0]} × {shape[1]}"
