"""What `DataSpec` says of stored pixels: how many channels, how many levels, on which scale. In words, too."""

from collections.abc import Sequence

from msgspec.structs import replace

from workbench.spec.dataset import ScanReport
from workbench.spec.errors import CheckError, SpecError
from workbench.spec.experiment import DataSpec

LEVELS = {"8": 255, "16": 65_535}
"""The value that stands for white, by `DataSpec.depth`."""


def channels_of(data: DataSpec) -> int:
    """How many channels the stored images, and so the encoder, have: 3 for rgb, 1 for gray, else the planes.

    Raises `CheckError` while the planes are not counted: whoever has the files counts them (`data.planes.counted`).
    """
    if data.channels != "planes":
        return 3 if data.channels == "rgb" else 1
    if data.planes < 1:
        raise CheckError(
            "It is not known how many planes the images have.", hint="Set data.planes to what `workbench scan` says."
        )
    return data.planes


def has_window(data: DataSpec) -> bool:
    """Whether black and white are given."""
    return data.white != data.black


def check_window(data: DataSpec) -> None:
    """Raises `SpecError` where white lies below black."""
    if data.white < data.black:
        raise SpecError(f"white ({data.white:g}) lies below black ({data.black:g})", where="data.white")


def keeps_scale(data: DataSpec) -> bool:
    """Whether all images have one scale, rather than each deep one its own."""
    return data.channels == "planes" or data.depth == "16" or has_window(data)


def of_planes(data: DataSpec, count: int) -> DataSpec:
    """The same, with its planes counted, where it has planes."""
    return replace(data, planes=count) if data.channels == "planes" else data


def fitting_rows(scan: ScanReport, data: DataSpec) -> Sequence[int]:
    """The rows of a scan whose files have as many planes as the set; all of them where planes do not matter."""
    if data.channels != "planes":
        return range(scan.count)
    wanted = data.planes or scan.usual_planes
    return [row for row, count in enumerate(scan.planes) if count == wanted]


def channels_in_words(data: DataSpec) -> str:
    """'color', 'gray', '5 planes', and '5 planes of 16 bits' beyond 8."""
    kind = {"rgb": "color", "gray": "gray"}.get(data.channels) or _planes(data.planes)
    return kind if data.depth == "8" else f"{kind} of {data.depth} bits"


def scale_in_words(data: DataSpec) -> str:
    """What becomes black and what white, in a sentence."""
    if data.white < data.black:
        return "White lies below black: raise it."
    if has_window(data):
        return f"The value {data.black:g} becomes black and {data.white:g} white, in all images."
    if keeps_scale(data):
        return "The range of the files' own type, the same for all images, goes from black to white."
    return "Images deeper than 8 bits are stretched, each from its own lowest to its own highest value."


def _planes(count: int) -> str:
    return "planes" if count < 1 else "1 plane" if count == 1 else f"{count} planes"
