"""Label tables: CSV files beside the images, and which of their rows belongs to which image."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workbench.spec.dataset import LabelTable
from workbench.spec.errors import DataError, NotFoundError, SpecError

_MOST_BYTES = 500_000_000
_LOOKED_AT = 2000  # rows tell which column names the images
_FEWEST = 0.1  # of them must name different images (or all images that there are), so that no chance hit counts


@dataclass(frozen=True, kw_only=True)
class Labels:
    """A label table, joined to images: `columns[name][i]` is the value for image i, "" where it has none."""

    path_column: str
    columns: Mapping[str, tuple[str, ...]]
    matched: int


def find_tables(folder: Path, paths: Sequence[str]) -> tuple[tuple[LabelTable, ...], tuple[str, ...]]:
    """The tables at the top of `folder` that name its images, and what is wrong with the others, in words."""
    tables: list[LabelTable] = []
    problems: list[str] = []
    index = _Index(paths)
    for file in sorted(folder.iterdir()) if paths else ():
        if file.suffix.lower() not in (".csv", ".tsv") or file.name.startswith(".") or not file.is_file():
            continue
        try:
            labels = _join(file, index, len(paths))
        except DataError as error:
            problems.append(f"{file.name} is no label table: {error.message}")
            continue
        if labels is not None:
            tables.append(
                LabelTable(
                    file=file.name,
                    path_column=labels.path_column,
                    columns=tuple(labels.columns),
                    distinct=tuple(len(set(values) - {""}) for values in labels.columns.values()),
                    matched=labels.matched,
                )
            )
    return tuple(tables), tuple(problems)


def read_labels(file: Path, paths: Sequence[str]) -> Labels:
    """A label table, joined to `paths`. Raises `NotFoundError`, or `SpecError` where it names none of them."""
    if not file.is_file():
        raise NotFoundError(f"There is no label file {file}.", hint="data.csv names it, relative to the folder.")
    labels = _join(file, _Index(paths), len(paths))
    if labels is None:
        raise SpecError(
            f"{file.name} does not name the images: no column matches their paths or file names",
            where="data.csv",
            hint="Give it a column 'path' with paths relative to the folder.",
        )
    return labels


def label_column(labels: Labels, asked: str, file: str) -> str:
    """The column to take labels from: the one asked for; without one, the only one or one named so."""
    if asked:
        if asked not in labels.columns:
            raise NotFoundError.named(f"column in {file}", asked, labels.columns)
        return asked
    if len(labels.columns) == 1:
        return next(iter(labels.columns))
    for name in labels.columns:
        if name.lower() in ("label", "class", "target", "category"):
            return name
    raise SpecError(
        f"{file} has several columns: {', '.join(labels.columns) or 'none beside the paths'}",
        where="data.column",
        hint="Choose one of them.",
    )


class _Index:
    """Finds an image by its path, or by its file name or stem where only one image has it."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._rows = {path: row for row, path in enumerate(paths)}
        names = [PurePosixPath(path).name for path in paths]
        for keys in (names, [PurePosixPath(path).with_suffix("").as_posix() for path in paths]):
            self._add(keys)
        self._add([name.rsplit(".", 1)[0] for name in names])

    def _add(self, keys: Sequence[str]) -> None:
        counts = Counter(keys)
        for row, key in enumerate(keys):
            if counts[key] == 1:
                self._rows.setdefault(key, row)

    def find(self, text: str) -> int | None:
        key = text.strip().replace("\\", "/").removeprefix("./")
        return self._rows.get(key)


def _join(file: Path, index: _Index, count: int) -> Labels | None:
    header, rows = _read(file)
    best = _path_column(rows, len(header), index, count)
    if best is None:
        return None
    others = [column for column in range(len(header)) if column != best]
    values = {header[column]: [""] * count for column in others}
    matched: set[int] = set()
    for row in rows:
        image = index.find(row[best])
        if image is not None:
            matched.add(image)
            for column in others:
                values[header[column]][image] = row[column].strip()
    columns = {name: tuple(column) for name, column in values.items()}
    return Labels(path_column=header[best], columns=columns, matched=len(matched))


def _path_column(rows: Sequence[Sequence[str]], width: int, index: _Index, count: int) -> int | None:
    """The column that names the most different images, judged by rows from all over the table."""
    looked_at = rows[:: max(1, len(rows) // _LOOKED_AT)]
    best, most = None, max(1.0, _FEWEST * min(len(looked_at), count))
    for column in range(width):
        images = {index.find(row[column]) for row in looked_at} - {None}
        if len(images) >= most:
            best, most = column, len(images) + 1
    return best


def _read(file: Path) -> tuple[list[str], list[list[str]]]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise DataError(f"it has more than {_MOST_BYTES // 1_000_000} MB.")
        text = file.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error}).") from error
    first = text.split("\n", 1)[0]
    delimiter = max("\t" if file.suffix.lower() == ".tsv" else ",", ";", "\t", key=first.count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if line]
    except csv.Error as error:
        raise DataError(f"it is not a table ({error}).") from error
    if not lines:
        return [], []
    header = _names(lines[0])
    width = len(header)
    return header, [(line + [""] * width)[:width] for line in lines[1:]]


def _names(cells: Sequence[str]) -> list[str]:
    """The header with a name for every column, all different."""
    names: list[str] = []
    for position, cell in enumerate(cells):
        name = cell.strip() or f"column {position + 1}"
        while name in names:
            name = f"{name} again"
        names.append(name)
    return names
