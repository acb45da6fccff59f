"""`workbench audit`: what has an encoder become blind to?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli import console
from workbench.cli.options import add_device, add_run, runs_of
from workbench.runs.audit import SUBJECTS, Audit, compared, in_words
from workbench.runs.folder import RunFolder, write_whole
from workbench.runs.index import find_run
from workbench.spec.errors import UsageError

if TYPE_CHECKING:
    from workbench.export.audit_picture import Named

_SHOWN = "  {title:24} {cells}"


def add(commands: console.Commands) -> None:
    """Adds the command."""
    parser = console.command(
        commands,
        "audit",
        _audit,
        help="change images, op by op and ever stronger, and see whether the encoder notices; with two runs, beside "
        "each other",
        example="workbench audit with-jitter without-jitter -o audit.svg",
        json=True,
    )
    add_run(parser)
    parser.add_argument("other", metavar="RUN2", nargs="?", help="another run, to compare it with")
    parser.add_argument("--encoder", choices=SUBJECTS, default="trained", help="which encoder of the run (trained)")
    parser.add_argument(
        "--beside", choices=SUBJECTS, default=None, help="compare with this encoder of the same run, e.g. untrained"
    )
    parser.add_argument("--images", type=int, default=256, metavar="N", help="how many test images are changed (256)")
    parser.add_argument(
        "--column", action="append", default=None, metavar="C", help="probe this label column (all); can be repeated"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.svg", help="write the heat map as a picture")
    add_device(parser)


def _audit(arguments: argparse.Namespace) -> int:
    if arguments.other and arguments.beside:
        raise UsageError("Compare with another run or with --beside, not with both.")
    runs = runs_of(arguments)
    file: Path | None = arguments.output.expanduser().absolute() if arguments.output else None
    if file is not None and file.suffix.lower() != ".svg":
        raise UsageError(f"'{file.name}' is not possible: the picture is an .svg file.")
    asked: list[tuple[RunFolder, str]] = [(find_run(arguments.run_name, runs), arguments.encoder)]
    if arguments.other:
        asked.append((find_run(arguments.other, runs), arguments.encoder))
    elif arguments.beside:
        asked.append((asked[0][0], arguments.beside))
    from workbench.export.audit_picture import Named, audit_svg

    named = [Named(name=_name(asked, run, subject), audit=_one(arguments, run, subject)) for run, subject in asked]
    if file is not None:
        write_whole(file, audit_svg(named).encode())
    if arguments.json:
        console.print_json([one.audit for one in named])
    else:
        _print(named)
        if file is not None:
            print(file)
    return 0


def _one(arguments: argparse.Namespace, run: RunFolder, subject: str) -> Audit:
    from workbench.evaluate.audit import audit_run
    from workbench.training.devices import resolve_device

    with console.progress(quiet=arguments.json) as report:
        return audit_run(
            run,
            subject=next(known for known in SUBJECTS if known == subject),
            images=arguments.images,
            columns=arguments.column,
            device=resolve_device(arguments.device),
            report=report,
        )


def _name(asked: list[tuple[RunFolder, str]], run: RunFolder, subject: str) -> str:
    """The run's name, or what tells the two apart."""
    same_run = len({other.path for other, _ in asked}) == 1
    return f"{run.name}, {subject}" if same_run and len(asked) > 1 else run.name


def _print(named: list["Named"]) -> None:
    from workbench.export.audit_picture import ranked

    first = named[0].audit
    for one in named:
        audit = one.audit
        print(f"{one.name}: encoder of epoch {audit.epoch}, {audit.images:,} images of {audit.image_size} px")
    print("cosine of an image and its changed self, from weak to strong; 1 is blind to it, 0 as far as another image")
    for key in ranked([one.audit for one in named]):
        cells = []
        for one in named:
            ladder = one.audit.ladder(key)
            figures = [f"{rung.cosine:5.2f}" for rung in ladder.rungs] if ladder else []
            cells.append(f"{' '.join(figures):>23}")
        title = next(ladder.title for ladder in first.ladders if ladder.key == key)
        print(_SHOWN.format(title=title, cells="  |  ".join(cells)))
    if first.skipped:
        print(f"  nothing on these images: {', '.join(first.skipped).lower()}")
    for factor in first.factors:
        cells = []
        for one in named:
            found = one.audit.factor(factor.column)
            text = f"{found.accuracy:6.1%} ({found.low:.1%} to {found.high:.1%})" if found else "not probed"
            cells.append(f"{text:>23}")
        print(_SHOWN.format(title=factor.column, cells="  |  ".join(cells)) + f"   guessing: {factor.guessing:.1%}")
    for one in named:
        print(f"{one.name}: {in_words(one.audit)}" if len(named) > 1 else in_words(one.audit))
    if len(named) > 1:
        print(compared(named[0].audit, named[1].audit, (named[0].name, named[1].name)))
    if not all(one.audit.frozen for one in named):
        print("  the encoder CHANGED while it was audited")
