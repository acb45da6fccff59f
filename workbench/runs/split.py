"""split.csv: which image is which row, on which side of the split, with its label and its factors."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from workbench.runs.folder import write_whole
from workbench.spec.errors import NotFoundError, RunError

_FIXED = ("index", "path", "part", "label")


@dataclass(frozen=True, kw_only=True)
class SplitTable:
    """One entry per image, in the order of the pixel store.

    paths are relative to the data folder; parts are "train" or "test"; labels are "" where unknown;
    factors are the other columns of the label table, by name.
    """

    paths: tuple[str, ...]
    parts: tuple[str, ...]
    labels: tuple[str, ...]
    factors: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.paths)

    def rows(self, part: str) -> list[int]:
        """The rows of one side of the split."""
        return [row for row, side in enumerate(self.parts) if side == part]

    def classes(self) -> tuple[str, ...]:
        """The distinct labels, sorted; "" (unknown) left out."""
        return tuple(sorted(set(self.labels) - {""}))

    def column(self, name: str) -> tuple[str, ...]:
        """'label' or a factor's values. Raises `NotFoundError`."""
        if name == "label":
            return self.labels
        if name not in self.factors:
            raise NotFoundError.named("column", name, ("label", *self.factors))
        return self.factors[name]


def write_split(path: Path, table: SplitTable) -> None:
    """Writes it whole."""
    text = io.StringIO()
    # The standard's line ends: with "\n", Python before 3.13 leaves a lone "\r" in a value bare, where a row would end.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*_FIXED, *table.factors])
    for row in range(len(table)):
        values = [column[row] for column in table.factors.values()]
        writer.writerow([row, table.paths[row], table.parts[row], table.labels[row], *values])
    write_whole(path, text.getvalue().encode("utf-8", "surrogateescape"))


def read_split(path: Path) -> SplitTable:
    """Reads it. Raises `NotFoundError` or `RunError`."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            header, *rows = list(csv.reader(file))
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no {path}: the run has not read its images yet.") from error
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{path} cannot be read: {error}.") from error
    if tuple(header[:4]) != _FIXED or any(len(row) != len(header) for row in rows):
        raise RunError(f"{path} is damaged: its columns are not {', '.join(_FIXED)}, …")
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    factors = {name: columns[position] for position, name in enumerate(header) if position >= len(_FIXED)}
    return SplitTable(paths=columns[1], parts=columns[2], labels=columns[3], factors=factors)
