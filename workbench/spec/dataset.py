"""What was found in a folder, as plain data."""

from msgspec import Struct


class BrokenFile(Struct, frozen=True, kw_only=True):
    """A file that looked like an image and could not be read. `path` is relative to the folder."""

    path: str
    reason: str


class LabelTable(Struct, frozen=True, kw_only=True):
    """A CSV beside the images. `columns` leaves out the one that names the files."""

    file: str
    path_column: str
    columns: tuple[str, ...]
    distinct: tuple[int, ...]
    matched: int


class ScanReport(Struct, frozen=True, kw_only=True):
    """A folder's images, in sorted order. The columns `paths` … `classes` have one entry per image.

    `classes` is the name of the sub-folder that holds an image ("" at the top), with train/ and
    test/ parents taken off; `parts` is "train", "test" or "" where no such parent exists.
    """

    folder: str
    paths: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    heights: tuple[int, ...] = ()
    modes: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    broken: tuple[BrokenFile, ...] = ()
    tables: tuple[LabelTable, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many readable images there are."""
        return len(self.paths)

    def class_counts(self) -> dict[str, int]:
        """Images per class folder, by name."""
        counts: dict[str, int] = {}
        for name in self.classes:
            counts[name] = counts.get(name, 0) + 1
        return dict(sorted(counts.items()))
