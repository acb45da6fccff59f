"""Everything that is exported of a run: its encoder, and the embeddings of its images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from workbench.catalog.registry import Registry, load_registry
from workbench.data.prepare import prepare, readable_images
from workbench.data.scan import scan_folder
from workbench.export.about import AboutEncoder, about_encoder
from workbench.export.embeddings import EmbeddingTable, difference, embedding_table, write_embeddings
from workbench.export.encoder import Original, export_encoder
from workbench.export.formats import FORMATS, Format, formats_named
from workbench.export.scripts import script_name
from workbench.inspect.embed import embed, resize
from workbench.inspect.encoder import LoadedEncoder, load_encoder
from workbench.runs.folder import RunFolder, write_whole
from workbench.runs.results import ExportRecord, save_exports
from workbench.runs.split import SplitTable, read_split
from workbench.spec import places
from workbench.spec.dataset import BrokenFile
from workbench.spec.errors import DataError, ExportError, why
from workbench.spec.progress import Report, ignore

COMPARED_IMAGES = 32
_CHUNK_IMAGES = 2048


def export_run(
    run: RunFolder,
    *,
    formats: Sequence[str],
    folder: Path,
    device: torch.device | None = None,
    registry: Registry | None = None,
    report: Report = ignore,
) -> tuple[ExportRecord, ...]:
    """Writes each format into `folder`, loads it again and compares it. One record per format, in their order.

    A format that fails has a `problem` in its record, and the others go on. Raises `NotFoundError` for an
    unknown format, `RunError` where the run has no checkpoint, `ExportError` where `folder` cannot be written.
    """
    chosen = formats_named(formats)
    folder = folder.expanduser().absolute()
    _make_folder(folder)
    registry = registry or load_registry()
    loaded = load_encoder(run, registry=registry)
    about = about_encoder(run, loaded, registry)
    records: dict[str, ExportRecord] = {}
    encoders = [one for one in chosen if one.kind == "encoder"]
    if encoders:
        report("reading images to compare with", 0, 0)
        original = _original(run, loaded, about, report)
        for one in encoders:
            records[one.name] = export_encoder(original, one, folder, report=report)
    tables = [one for one in chosen if one.kind == "embeddings"]
    if tables:
        table = embeddings_of_run(run, loaded, about, device=device, report=report)
        for one in tables:
            report(f"writing {one.title}", 0, 0)
            records[one.name] = _export_table(table, one, folder)
    _write_readme(folder)
    ordered = tuple(records[one.name] for one in chosen)
    save_exports(run, ordered)
    return ordered


def embeddings_of_run(
    run: RunFolder,
    loaded: LoadedEncoder,
    about: AboutEncoder,
    *,
    device: torch.device | None = None,
    report: Report = ignore,
) -> EmbeddingTable:
    """The features of every image of a run, in the order of its split."""
    prepared = prepare(loaded.experiment, cache=places.cache_folder(), table=read_split(run.split_file), report=report)
    features = embed(
        loaded.encoder,
        loaded.normalization,
        prepared.store.pixels,
        image_size=loaded.image_size,
        device=device or torch.device("cpu"),
        report=report,
    )
    return embedding_table(prepared.table, features, msgspec.json.encode(about).decode())


def embeddings_of_folder(
    folder: Path,
    loaded: LoadedEncoder,
    about: AboutEncoder,
    *,
    device: torch.device | None = None,
    report: Report = ignore,
) -> tuple[EmbeddingTable, tuple[BrokenFile, ...]]:
    """The features of every image below a folder, and the files that could not be read. Folders become labels.

    Images are decoded and embedded in parts, so that a folder may be larger than the memory. Raises
    `DataError` where there is no image.
    """
    folder = folder.expanduser().absolute()
    scan = scan_folder(folder, report)
    broken = list(scan.broken)
    blocks = [np.empty((0, loaded.encoder.dim), dtype=np.float32)]
    kept: list[int] = []
    for start in range(0, scan.count, _CHUNK_IMAGES):
        report("embedding", start, scan.count)
        pixels, places_of, unread = readable_images(
            folder, scan.paths[start : start + _CHUNK_IMAGES], loaded.experiment.data
        )
        kept.extend(start + place for place in places_of)
        broken.extend(unread)
        target = device or torch.device("cpu")
        size = loaded.image_size
        blocks.append(embed(loaded.encoder, loaded.normalization, pixels, image_size=size, device=target))
    if not kept:
        raise DataError(f"There is no image in {folder} that can be read.", hint="Choose another folder.")
    rows = SplitTable(
        paths=tuple(scan.paths[row] for row in kept),
        parts=tuple(scan.parts[row] for row in kept),
        labels=tuple(scan.classes[row] for row in kept),
    )
    return embedding_table(rows, np.concatenate(blocks), msgspec.json.encode(about).decode()), tuple(broken)


def _original(run: RunFolder, loaded: LoadedEncoder, about: AboutEncoder, report: Report) -> Original:
    pixels = torch.from_numpy(np.ascontiguousarray(_some_pixels(run, loaded, report)))
    with torch.inference_mode():
        images = resize(pixels, loaded.image_size)
        features = loaded.encoder(loaded.normalization(images)).float()
    return Original(loaded=loaded, about=about, images=images.numpy(), features=features.numpy())


def _some_pixels(run: RunFolder, loaded: LoadedEncoder, report: Report) -> NDArray[np.unsignedinteger[Any]]:
    """Images from all over the data set: from their files, or from the pixel store where those are gone."""
    table = read_split(run.split_file)
    spread = np.linspace(0, len(table) - 1, min(len(table), COMPARED_IMAGES)).astype(int)
    paths = [table.paths[row] for row in spread]
    data = loaded.experiment.data
    pixels, _, _ = readable_images(Path(data.folder), paths, data)
    if not len(pixels):
        prepared = prepare(loaded.experiment, cache=places.cache_folder(), table=table, report=report)
        pixels = prepared.store.pixels[spread[spread < len(prepared.table)]]
    if not len(pixels):
        raise DataError(f"None of the images of {run.name} can be read, so nothing can be compared with the original.")
    return pixels


def _export_table(table: EmbeddingTable, chosen: Format, folder: Path) -> ExportRecord:
    record = ExportRecord(format=chosen.name, file="", images=len(table.features), note=chosen.summary)
    file = folder / chosen.file
    try:
        write_embeddings(file, table)
        differs = difference(file, table)
    except (ExportError, OSError) as error:
        return msgspec.structs.replace(record, problem=str(error))
    if differs != 0.0:
        file.unlink(missing_ok=True)
        problem = "Read again, the file does not hold what was written to it."
        return msgspec.structs.replace(record, difference=differs, problem=problem)
    return msgspec.structs.replace(record, file=str(file), size=file.stat().st_size, difference=differs, verified=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ExportError(
            f"Nothing can be written to {folder}: {why(error)}.",
            hint="Choose another folder, or free some space.",
        ) from error


def _write_readme(folder: Path) -> None:
    """Says what lies in the folder, and how it is read."""
    lines = ["What Pretext Workbench exported here.", ""]
    for one in FORMATS:
        if (folder / one.file).is_file():
            lines += [one.file, f"    {one.summary}"]
            if one.kind == "encoder":
                lines += [f"    Features of image files:  python {script_name(one.name)} IMAGE [IMAGE ...]"]
    if (folder / "encoder.json").is_file():
        lines += ["encoder.json", "    How an image becomes the encoder's input, and where the encoder is from."]
    try:
        write_whole(folder / "README.txt", ("\n".join(lines) + "\n").encode())
    except OSError as error:
        raise ExportError(f"{folder / 'README.txt'} cannot be written: {why(error)}.") from error
