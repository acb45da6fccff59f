"""Images in their own values: every plane as a channel, or color and gray at full depth, on one scale for all.

`DataSpec.black` and `white` say what becomes 0 and 1. Where they are equal, it is the range of the files' own type:
a 12-bit image in a 16-bit file then stays as dark as it is in the file, and no two images are scaled differently.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.data.formats import (
    PALETTES,
    alone,
    bits_of,
    frames_of,
    is_tiff,
    opened,
    plain_mode,
    read_header,
    read_image,
    upright,
)
from workbench.data.reasons import in_words
from workbench.data.shown import SHOWN
from workbench.data.tiff import Layout, read_first_page, read_layout, read_planes
from workbench.spec.dataset import is_planar
from workbench.spec.errors import DataError
from workbench.spec.experiment import MOST_PLANES, DataSpec
from workbench.spec.pixels import LEVELS, channels_of, check_window, has_window, of_planes

Values = NDArray[np.generic]

_COUNTED = 32
_LUMA = np.asarray((0.299, 0.587, 0.114))  # ITU-R BT.601, as Pillow's conversion to gray


def counted(data: DataSpec, folder: Path, paths: Sequence[str]) -> DataSpec:
    """The same with its planes counted, where it has planes and does not say how many: what most of some files have.

    Raises `DataError` where none of them can be read.
    """
    if data.channels != "planes" or data.planes or not paths:
        return data
    chosen = [paths[row] for row in np.linspace(0, len(paths) - 1, min(len(paths), _COUNTED)).astype(int)]
    found: Counter[int] = Counter()
    problem: DataError | None = None
    for path in chosen:
        try:
            found[read_header(folder / path).planes] += 1
        except DataError as error:
            problem = problem or error
    if problem and not found:
        raise problem
    return of_planes(data, min(found, key=lambda count: (-found[count], count)))


def read_levels(path: Path, data: DataSpec, *, at_least: tuple[int, int]) -> NDArray[np.float32]:
    """A file's channels (C, h, w), upright, in levels of `data.depth`: 0 to 255 or 65,535, not rounded.

    Raises `DataError` with the reason, also where the file has another number of planes than the set.
    """
    check_window(data)
    return in_words(path, lambda: _read_levels(path, data, at_least))


def read_values(path: Path) -> Values:
    """Every plane of a file (planes, h, w) in its own values, upright. Raises `DataError`."""
    return in_words(path, lambda: _read_planes(path)[0])


def read_composite(path: Path) -> Values | None:
    """The first three planes (1 to 3, h, w) of a file that has planes which are no colors; None of every other file.

    Raises `DataError` where it cannot be read.
    """

    def read() -> Values | None:
        with path.open("rb") as file:
            if not _is_for_tifffile(file, path):
                return None
            layout = read_layout(file)
            return read_planes(file)[0][:SHOWN] if is_planar(layout.mode, layout.planes) else None

    return in_words(path, read)


def _read_levels(path: Path, data: DataSpec, at_least: tuple[int, int]) -> NDArray[np.float32]:
    if data.channels == "planes":
        planes, deep = _read_planes(path)
        _check_count(len(planes), channels_of(data))
        _check_deep_png(data, deep)
        return to_levels(planes, data)
    values, layout = _read_deep(path, data)
    if values is None:
        image = read_image(path, data.channels, at_least=at_least)
        pixels = np.asarray(image, dtype=np.uint8)
        return to_levels(pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0), data)
    return _colored(to_levels(values, data), layout, data)


def to_levels(values: Values, data: DataSpec) -> NDArray[np.float32]:
    """Values of any shape on the scale of the set: 0 for black up to the highest level for white, cut off there."""
    black, white = (data.black, data.white) if has_window(data) else _own_range(values)
    most = float(LEVELS[data.depth])
    if (black, white) == (0.0, most):
        return values.astype(np.float32)
    numbers: NDArray[np.floating[Any]] = values.astype(
        np.float32 if values.dtype.itemsize <= 2 or values.dtype == np.float32 else np.float64
    )
    if values.dtype.kind == "f":
        if not np.isfinite(numbers).any():
            raise DataError("None of its values is a number.")
        numbers = np.nan_to_num(numbers, nan=black, posinf=white, neginf=black)
    scaled: NDArray[np.floating[Any]] = (numbers - black) * (most / (white - black))
    return scaled.clip(0.0, most).astype(np.float32)


def _own_range(values: Values) -> tuple[float, float]:
    kind: np.dtype[Any] = values.dtype
    if kind.kind == "b":
        return 0.0, 1.0
    if kind.kind in "ui":
        return float(np.iinfo(kind).min), float(np.iinfo(kind).max)
    finite = values[np.isfinite(values)]
    if finite.size and (finite.min() < 0.0 or finite.max() > 1.0):
        raise DataError(
            f"Its values go from {finite.min():.4g} to {finite.max():.4g}, and floating point counts from 0 to 1: "
            "say in data.black and data.white what becomes black and white."
        )
    return 0.0, 1.0


def _read_planes(path: Path) -> tuple[Values, bool]:
    """(planes, h, w), and whether the file has more bits than were read."""
    with path.open("rb") as file:
        if _is_for_tifffile(file, path):
            return read_planes(file)[0], False
        with opened(file, path) as image, alone(image.width * image.height):
            deep = bits_of(image) == 16 and not image.mode.startswith("I")
            image.load()
            return _planes_of(upright(image)), deep


def _planes_of(image: Image.Image) -> Values:
    bands = plain_mode(image)
    if bands == ("L",):
        values = np.asarray(image)
        return values[None]
    mode = "".join(bands)
    plain = image if image.mode == mode else image.convert("RGBA" if "A" in bands else "RGB")
    plain = plain if plain.mode == mode else plain.convert(mode)
    return np.moveaxis(np.asarray(plain), -1, 0)


def _read_deep(path: Path, data: DataSpec) -> tuple[Values | None, Layout | None]:
    """The first page or frame of a file of color or gray with more than 8 bits, (samples, h, w); None of others."""
    with path.open("rb") as file:
        if is_tiff(file):
            if not _is_for_tifffile(file, path, deep=True):
                return None, None
            return read_first_page(file)
        with opened(file, path) as image, alone(image.width * image.height):
            if image.mode in ("I", "F") or image.mode.startswith("I;16"):
                image.load()
                return np.asarray(upright(image))[None], None
            _check_deep_png(data, bits_of(image) == 16)
    return None, None


def _is_for_tifffile(file: IO[bytes], path: Path, *, deep: bool = False) -> bool:
    """Whether Pillow would lose something of a TIFF: bits, or (unless only they matter, as `deep` says) pages."""
    if not is_tiff(file):
        return False
    try:
        with opened(file, path) as image:
            return bits_of(image) > 8 or (not deep and image.mode not in PALETTES and frames_of(image) > 1)
    except DataError:
        raise
    except Exception:  # noqa: BLE001  # it is not for Pillow, then; tifffile says what is wrong
        return True


def _colored(levels: NDArray[np.float32], layout: Layout | None, data: DataSpec) -> NDArray[np.float32]:
    """Samples of gray or color, perhaps with opacity after them, as what `data.channels` asks for."""
    colors = layout.colors if layout else 1
    if not colors:
        raise DataError(f"It has {len(levels)} planes that are no known colors: set data.channels to 'planes'.")
    shown = levels[:colors]
    if layout and layout.alpha:
        most = np.float32(LEVELS[data.depth])
        opacity = levels[colors] / most
        laid = shown if layout.associated else shown * opacity
        shown = np.minimum(laid + (1 - opacity) * most, most)
    if data.channels == "gray" and colors == 3:
        return np.tensordot(_LUMA, shown, axes=1)[None].astype(np.float32)
    return np.repeat(shown, 3, axis=0) if data.channels == "rgb" and colors == 1 else shown


def _check_count(count: int, wanted: int) -> None:
    if count > MOST_PLANES:
        raise DataError(f"It has {count} planes, and {MOST_PLANES} is the limit; export the channels that matter.")
    if count != wanted:
        raise DataError(f"It has {_planes(count)}, the others {wanted}.")


def _check_deep_png(data: DataSpec, deep: bool) -> None:
    """Pillow keeps the upper 8 bits of such a file."""
    if deep and (data.depth == "16" or has_window(data)):
        raise DataError("A PNG of 16-bit colors is read at 8 bits only; save it as TIFF, or set data.depth to 8.")


def _planes(count: int) -> str:
    return "1 plane" if count == 1 else f"{count} planes"
