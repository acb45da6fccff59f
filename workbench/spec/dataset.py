"""What was found in a folder, as plain data."""

from collections import Counter

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
    """A folder's images, in sorted order. The columns `paths` … `parts` have one entry per image.

    `planes` is how many planes an image has (3 where it is in color), `bits` how many its values have.

    `classes` is the name of the sub-folder that holds an image ("" at the top), with train/ and
    test/ parents taken off; `parts` is "train", "test" or "" where no such parent exists. `clips` is how many of
    the folders look like films, their images like frames in order; 0 where the images are no frames.
    """

    folder: str
    paths: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    heights: tuple[int, ...] = ()
    modes: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    planes: tuple[int, ...] = ()
    bits: tuple[int, ...] = ()
    clips: int = 0
    broken: tuple[BrokenFile, ...] = ()
    tables: tuple[LabelTable, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many readable images there are."""
        return len(self.paths)

    @property
    def usual_planes(self) -> int:
        """The number of planes that most images have; of several, the smallest. 0 without images."""
        found = Counter(self.planes)
        return min(found, key=lambda count: (-found[count], count), default=0)

    def class_counts(self) -> dict[str, int]:
        """Images per class folder, by name."""
        counts: dict[str, int] = {}
        for name in self.classes:
            counts[name] = counts.get(name, 0) + 1
        return dict(sorted(counts.items()))


def is_planar(mode: str, planes: int) -> bool:
    """Whether an image has several planes that are neither red, green and blue nor opacity."""
    return planes > 1 and (mode in ("planes", "1", "L", "F") or mode.startswith("I"))


def pixels_in_words(mode: str, planes: int, bits: int) -> str:
    """What a file's pixels are: 'color', 'gray of 16 bits', '5 planes of 16 bits'."""
    kind = f"{planes} planes" if is_planar(mode, planes) else _MODES.get(mode, mode)
    if mode == "F":
        return f"{kind}, floating point" if is_planar(mode, planes) else kind
    return kind if bits <= 8 else f"{kind} of {bits} bits"


_MODES = {
    "RGB": "color",
    "RGBA": "color, transparent",
    "L": "gray",
    "LA": "gray, transparent",
    "P": "palette",
    "1": "black and white",
    "CMYK": "print (CMYK)",
    "I;16": "gray",
    "I;16B": "gray",
    "I": "gray",
    "F": "floating point",
    "YCbCr": "color",
}
