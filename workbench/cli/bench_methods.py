"""`workbench bench methods`: every method on the same images, backbone and budget, overnight if need be."""

import argparse
import os
from pathlib import Path

from workbench.cli import console
from workbench.spec.errors import UsageError


def add(commands: console.Commands) -> None:
    """Adds `bench methods`."""
    parser = console.command(
        commands,
        "bench methods",
        run,
        help="train every method on the same images with the same budget, and write a table; goes on where it was",
        example="workbench bench methods --data leaves --budget 200k --seeds 3",
        json=True,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="images with labels")
    parser.add_argument(
        "--budget", required=True, metavar="N", help="what a run may spend: images (200000, 200k) or minutes (10min)"
    )
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of every method (3)")
    parser.add_argument("--methods", default="", metavar="A,B", help="some methods instead of the whole catalog")
    parser.add_argument("--backbone", default="tinyconv", metavar="B", help="see `workbench backbones` (tinyconv)")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="use at most this many images")
    parser.add_argument(
        "--fine-tune",
        default="",
        metavar="N",
        help="fine-tune each encoder with labels on N images (20k), beside one that nothing has trained",
    )
    parser.add_argument(
        "--at-once", type=int, default=1, metavar="N", help="train N runs at a time, each with its share of cores (1)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where runs and table go (bench-methods-FOLDER)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change every run, as in train.device=cuda"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the table, and the file that holds it last. 1 where a method failed."""
    from functools import partial

    from workbench.bench.methods.apart import Probers, train_apart
    from workbench.bench.methods.asked import Asked, parse_budget
    from workbench.bench.methods.bench import MARKDOWN, make_bench
    from workbench.catalog.registry import load_registry

    if arguments.seeds < 1 or arguments.limit < 0 or arguments.at_once < 1:
        raise UsageError("--seeds and --at-once are 1 or more, and --limit 0 or more.")
    folder = arguments.data.expanduser().resolve()
    out = (arguments.out or Path(f"bench-methods-{folder.name}")).expanduser().resolve()
    asked = Asked(
        folder=str(folder),
        backbone=arguments.backbone,
        budget=parse_budget(arguments.budget),
        limit=arguments.limit,
        fine_tuning=_fine_tuning(arguments.fine_tune),
        changes=tuple(arguments.set),
    )
    methods = tuple(name.strip() for name in arguments.methods.split(",") if name.strip())
    at_once = arguments.at_once
    threads = max(1, (os.cpu_count() or 1) // at_once) if at_once > 1 else 0
    with console.progress() as report, Probers(at_once, threads=threads) as probe:
        bench = make_bench(
            out,
            asked,
            registry=load_registry(),
            methods=methods,
            seeds=arguments.seeds,
            at_once=at_once,
            train=partial(train_apart, threads=threads),
            probe=probe,
            tell=console.say,
            report=report,
        )
        console.say(f"Methods: {len(bench.methods)}, seeds: {arguments.seeds}, in {out}")
        table = bench.run()
    if arguments.json:
        console.print_json(table)
    else:
        print((out / MARKDOWN).read_text(encoding="utf-8"))
        print(out / MARKDOWN)
    return 1 if any(outcome.problem and outcome.possible for outcome in table.outcomes) else 0


def _fine_tuning(text: str) -> int:
    """Images that fine-tuning may see."""
    from workbench.bench.methods.asked import parse_budget

    images = parse_budget(text).images if text else 0
    if text and not images:
        raise UsageError(f"'{text}' are no images to fine-tune on.", hint="Write images, as 20000 or 20k.")
    return images
