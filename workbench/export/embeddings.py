"""Embeddings as tables for elsewhere: one row per image, with its path, side of the split, label and factors."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.runs.folder import write_whole
from workbench.runs.split import SplitTable
from workbench.spec.errors import ExportError, UsageError, why

SUFFIXES = (".h5", ".hdf5", ".parquet", ".csv", ".npy")


@dataclass(frozen=True, kw_only=True)
class EmbeddingTable:
    """features: (N, d) float32. columns: text per image, by name; 'path' is the first. about: JSON of the encoder."""

    features: NDArray[np.float32]
    columns: dict[str, tuple[str, ...]]
    about: str = "{}"


def embedding_table(table: SplitTable, features: NDArray[np.float32], about: str = "{}") -> EmbeddingTable:
    """Features with what is known of their images. A factor that is named like another column gets a '_' more."""
    columns: dict[str, tuple[str, ...]] = {}
    known = [("path", table.paths), ("part", table.parts), ("label", table.labels), *table.factors.items()]
    for name, values in known:
        free = _as_unicode(name)
        while free in columns or free == "embedding":
            free += "_"
        columns[free] = tuple(_as_unicode(value) for value in values)
    return EmbeddingTable(features=np.ascontiguousarray(features, dtype=np.float32), columns=columns, about=about)


def write_embeddings(file: Path, table: EmbeddingTable) -> Path:
    """Writes them in the format of the file's suffix: .h5, .parquet, .csv or .npy (with a CSV of names beside it).

    The file appears whole or not at all. Raises `UsageError` for another suffix, `ExportError` where it
    cannot be written.
    """
    writer = _WRITERS.get(file.suffix.lower())
    if writer is None:
        raise UsageError(f"'{file.name}' has no known ending for embeddings.", hint=f"Known: {', '.join(SUFFIXES)}.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix.lower() == ".npy":
            write_whole(names_file(file), lambda beside: _write_names(beside, table))
        write_whole(file, lambda beside: writer(beside, table))
    except OSError as error:
        raise ExportError(
            f"{file} cannot be written: {why(error)}.", hint="Choose another folder, or free some space."
        ) from error
    return file


def read_embeddings(file: Path) -> EmbeddingTable:
    """What `write_embeddings` wrote, read from the file alone."""
    return _READERS[file.suffix.lower()](file)


def difference(file: Path, table: EmbeddingTable) -> float:
    """The largest |difference| of what is in the file from `table`; infinite where names or shapes differ."""
    again = read_embeddings(file)
    if again.columns != table.columns or again.features.shape != table.features.shape:
        return float("inf")
    return float(np.abs(again.features - table.features).max(initial=0.0))


def names_file(file: Path) -> Path:
    """The CSV beside a .npy that names its rows."""
    return file.with_name(f"{file.stem}-images.csv")


def _write_h5(file: Path, table: EmbeddingTable) -> None:
    import h5py

    with h5py.File(file, "w") as target:
        target.attrs["about"] = table.about
        target["embeddings"] = table.features
        columns = target.create_group("columns", track_order=True)
        for name, values in table.columns.items():
            # A '/' would make a group of a column; HDF5 has no way to escape it.
            kept = columns.create_dataset(
                name.replace("/", "\N{DIVISION SLASH}"), len(values), dtype=h5py.string_dtype("utf-8")
            )
            kept.attrs["name"] = name
            if values:
                kept[:] = np.array(values, dtype=object)


def _read_h5(file: Path) -> EmbeddingTable:
    import h5py

    with h5py.File(file, "r") as source:
        columns = {
            str(values.attrs["name"]): tuple(str(value) for value in values.asstr()[:])
            for values in source["columns"].values()
        }
        return EmbeddingTable(features=source["embeddings"][:], columns=columns, about=str(source.attrs["about"]))


def _write_parquet(file: Path, table: EmbeddingTable) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    count, width = table.features.shape
    columns = {name: pa.array(values, pa.string()) for name, values in table.columns.items()}
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(table.features.reshape(-1)), max(1, width))
    columns["embedding"] = vectors if count else pa.array([], pa.list_(pa.float32(), max(1, width)))
    rows = pa.table(columns).replace_schema_metadata({"about": table.about})
    parquet.write_table(rows, str(file))


def _read_parquet(file: Path) -> EmbeddingTable:
    from pyarrow import parquet

    rows = parquet.ParquetFile(str(file)).read()
    vectors = rows.column("embedding").combine_chunks()
    width = vectors.type.list_size
    names = [name for name in rows.column_names if name != "embedding"]
    return EmbeddingTable(
        features=vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, width),
        columns={name: tuple(rows.column(name).to_pylist()) for name in names},
        about=rows.schema.metadata[b"about"].decode(),
    )


def _write_csv(file: Path, table: EmbeddingTable) -> None:
    """Nine digits give every float32 back as it was."""
    width = table.features.shape[1]
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([*table.columns, *_feature_names(table, width)])
        for row, values in enumerate(_rows(table)):
            writer.writerow([*values, *(f"{value:.9g}" for value in table.features[row].tolist())])


def _read_csv(file: Path) -> EmbeddingTable:
    with file.open(encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        header = next(reader)
        first = max((place for place, name in enumerate(header) if re.fullmatch("_*f0", name)), default=len(header))
        text: list[tuple[str, ...]] = []
        blocks: list[NDArray[np.float32]] = []
        for row in reader:
            text.append(tuple(row[:first]))
            blocks.append(np.array(row[first:], dtype=np.float32))
    return EmbeddingTable(
        features=np.stack(blocks) if blocks else np.empty((0, len(header) - first), np.float32),
        columns=_transposed(header[:first], text),
    )


def _write_npy(file: Path, table: EmbeddingTable) -> None:
    with file.open("wb") as target:
        np.save(target, table.features, allow_pickle=False)


def _write_names(file: Path, table: EmbeddingTable) -> None:
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(_rows(table))


def _read_npy(file: Path) -> EmbeddingTable:
    with names_file(file).open(encoding="utf-8", newline="") as source:
        header, *rows = csv.reader(source)
    return EmbeddingTable(
        features=np.load(file, allow_pickle=False), columns=_transposed(header, [tuple(row) for row in rows])
    )


_WRITERS: dict[str, Callable[[Path, EmbeddingTable], None]] = {
    ".h5": _write_h5,
    ".hdf5": _write_h5,
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".npy": _write_npy,
}
_READERS: dict[str, Callable[[Path], EmbeddingTable]] = {
    ".h5": _read_h5,
    ".hdf5": _read_h5,
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".npy": _read_npy,
}


def _feature_names(table: EmbeddingTable, width: int) -> list[str]:
    """f0, f1, …; '_f0' where a factor of the images has such a name already."""
    prefix = "f"
    while any(name.startswith(prefix) and name[len(prefix) :].isdigit() for name in table.columns):
        prefix = f"_{prefix}"
    return [f"{prefix}{number}" for number in range(width)]


def _rows(table: EmbeddingTable) -> Iterator[tuple[str, ...]]:
    return zip(*table.columns.values(), strict=True)


def _transposed(header: list[str], rows: list[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(row[place] for row in rows) for place, name in enumerate(header)}


def _as_unicode(text: str) -> str:
    """File names may hold bytes that are no text; elsewhere nobody could read them."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
