"""`workbench evaluate`, `embed`, `export`, `report`: what comes after training."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli import console
from workbench.cli.options import add_device, add_run, run_of
from workbench.runs.folder import RunFolder
from workbench.runs.results import Evaluation, ExportRecord
from workbench.runs.split import read_split
from workbench.spec.errors import ExportError, NotFoundError, UsageError

if TYPE_CHECKING:
    from workbench.evaluate.probe import Labels
    from workbench.export.embeddings import EmbeddingTable
    from workbench.spec.progress import Report


def add(commands: console.Commands) -> None:
    """Adds the commands."""
    _add_evaluate(commands)
    _add_embed(commands)
    _add_export(commands)
    report = console.command(
        commands,
        "report",
        _report,
        help="write one self-contained page about a run; its path comes last",
        example="workbench report latest -o report.html",
    )
    add_run(report)
    report.add_argument("-o", "--output", type=Path, metavar="FILE.html", help="where (report.html in the run folder)")


def _add_evaluate(commands: console.Commands) -> None:
    parser = console.command(
        commands,
        "evaluate",
        _evaluate,
        help="probe the frozen encoder of a run, beside the untrained encoder and raw pixels",
        example="workbench evaluate latest --probe knn --labels labels.csv:species",
        json=True,
    )
    add_run(parser)
    parser.add_argument(
        "--probe", action="append", choices=("knn", "linear"), default=None, help="which probe (both); can be repeated"
    )
    parser.add_argument(
        "--labels", default="", metavar="CSV:COLUMN", help="labels from a table that names the images, and its column"
    )
    parser.add_argument("--column", default="label", metavar="C", help="'label', or a column of the run's label table")
    parser.add_argument("--neighbors", type=int, default=20, metavar="N", help="neighbors that vote in kNN (20)")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="at most N train and N test images")
    add_device(parser)


def _add_embed(commands: console.Commands) -> None:
    parser = console.command(
        commands,
        "embed",
        _embed,
        help="write the encoder's features of a folder of images; the path of the file comes last",
        example="workbench embed latest more-leaves -o features.parquet",
    )
    add_run(parser)
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of images (the run's own images)")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="its ending says how: .h5 .parquet .csv .npy"
    )
    add_device(parser)


def _add_export(commands: console.Commands) -> None:
    parser = console.command(
        commands,
        "export",
        _export,
        help="write files that load elsewhere, each loaded again and compared with the original",
        example="workbench export latest --format safetensors --format onnx -o exported",
        json=True,
    )
    add_run(parser)
    parser.add_argument(
        "--format",
        action="append",
        required=True,
        metavar="F",
        help="safetensors, torch-export, onnx; embeddings: h5, parquet, csv, npy; can be repeated",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="where to (exports in the run folder)")
    add_device(parser)


def _evaluate(arguments: argparse.Namespace) -> int:
    run = run_of(arguments)
    if arguments.neighbors < 1:
        raise UsageError(f"--neighbors {arguments.neighbors} is not possible: at least one image must vote.")
    if arguments.limit < 0:
        raise UsageError(f"--limit {arguments.limit} is not possible: it is a number of images, 0 for all.")
    from workbench.evaluate.probe import evaluate_run
    from workbench.training.devices import resolve_device

    with console.progress(quiet=arguments.json) as report:
        evaluation = evaluate_run(
            run,
            probes=tuple(dict.fromkeys(arguments.probe or ("knn", "linear"))),
            column=arguments.column,
            labels=_labels(run, arguments.labels),
            neighbors=arguments.neighbors,
            limit=arguments.limit,
            device=resolve_device(arguments.device),
            report=report,
        )
    if arguments.json:
        console.print_json(evaluation)
    else:
        _print_evaluation(evaluation, title=run.experiment().data.title_of(evaluation.column))
    return 0


def _print_evaluation(evaluation: Evaluation, *, title: str) -> None:
    sides = f"{evaluation.train_images:,} train and {evaluation.test_images:,} test images"
    print(f"'{title}', {len(evaluation.classes)} classes, {sides}, encoder of epoch {evaluation.epoch}")
    for result in evaluation.results:
        interval = f"{result.low:.1%} to {result.high:.1%}"
        print(f"  {result.kind:7} {result.subject:10} {result.accuracy:6.1%}   95 %: {interval}")
    frozen = "unchanged" if evaluation.frozen else "CHANGED while it was probed"
    print(f"  encoder {evaluation.encoder_hash[:16]}, {frozen}")


def _labels(run: RunFolder, text: str) -> "Labels | None":
    """CSV:COLUMN, joined to the images of the run. The colon of a Windows drive is none that parts them."""
    if not text:
        return None
    name, separator, column = text.rpartition(":")
    if not separator or not name or not column or column.startswith(("\\", "/")):
        raise UsageError(f"'{text}' is not CSV:COLUMN, as in labels.csv:species.")
    from workbench.data.labels import label_column, read_labels
    from workbench.evaluate.probe import Labels

    paths = read_split(run.split_file).paths
    file = Path(name).expanduser()
    if not file.is_file():
        raise NotFoundError(f"There is no label file {file}.", hint="Give it as CSV:COLUMN, as in labels.csv:species.")
    table = read_labels(file, paths)
    values = table.columns[label_column(table, column, file.name)]
    return Labels(name=f"{file.name}:{column}", values=dict(zip(paths, values, strict=True)))


def _embed(arguments: argparse.Namespace) -> int:
    run = run_of(arguments)
    from workbench.export.embeddings import SUFFIXES, difference, write_embeddings

    file: Path = arguments.output.expanduser().absolute()
    if file.suffix.lower() not in SUFFIXES:
        raise UsageError(f"'{file.name}' has no known ending for embeddings.", hint=f"Known: {', '.join(SUFFIXES)}.")
    with console.progress() as report:
        table = _features(run, arguments.folder, arguments.device, report)
    write_embeddings(file, table)
    if difference(file, table) != 0.0:
        raise ExportError(f"Read again, {file} does not hold what was written to it.", hint="Check the disk.")
    count, width = table.features.shape
    console.say(f"{count:,} images, {width} features each.")
    print(file)
    return 0


def _features(run: RunFolder, folder: Path | None, device: str, report: "Report") -> "EmbeddingTable":

    from workbench.catalog.registry import load_registry
    from workbench.export.about import about_encoder
    from workbench.export.run import embeddings_of_run
    from workbench.inspect.encoder import load_encoder
    from workbench.training.devices import resolve_device

    registry = load_registry()
    loaded = load_encoder(run, registry=registry)
    about = about_encoder(run, loaded, registry)
    if folder is None:
        return embeddings_of_run(run, loaded, about, device=resolve_device(device), report=report)

    from workbench.export.run import embeddings_of_folder

    table, broken = embeddings_of_folder(folder, loaded, about, device=resolve_device(device), report=report)
    for one in broken:
        console.say(f"left out {one.path}: {one.reason}")
    return table


def _export(arguments: argparse.Namespace) -> int:
    run = run_of(arguments)
    from workbench.export.run import export_run
    from workbench.training.devices import resolve_device

    with console.progress(quiet=arguments.json) as report:
        records = export_run(
            run,
            formats=arguments.format,
            folder=arguments.output or run.exports,
            device=resolve_device(arguments.device),
            report=report,
        )
    if arguments.json:
        console.print_json(records)
    else:
        _print_records(records)
    return 0 if all(record.verified for record in records) else 1


def _print_records(records: tuple[ExportRecord, ...]) -> None:
    for record in records:
        if record.problem:
            console.say(f"{record.format}: {record.problem}")
            continue
        told = f"differs by {record.difference:.2g} at most (allowed: {record.tolerance:.2g})"
        print(f"{record.file}  {told} on {record.images:,} images")


def _report(arguments: argparse.Namespace) -> int:
    run = run_of(arguments)
    from workbench.export.report import make_report

    with console.progress() as report:
        file = make_report(run, arguments.output.expanduser().absolute() if arguments.output else None, report)
    print(file)
    return 0
