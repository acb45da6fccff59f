"""TIFF files beyond what Pillow reads: 16-bit colors, floats, several pages or samples as planes.

Which pages and samples are planes: the channel axis (C) and the samples of a pixel (S). A file that has neither
has its pages as planes, whatever they are named (Z, T or nothing). Where there are channels or samples, the first
of every further axis (Z, T, pages) counts. The first series of a file counts; others are thumbnails and pyramids.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from workbench.data.reasons import PIXEL_LIMIT
from workbench.spec.errors import DataError

Values = NDArray[np.generic]

_BYTES_LIMIT = 1_200_000_000
_CHANNELS = "CS"
_KINDS = "buif"  # truth values, whole numbers with and without a sign, floats
_ALPHA = (1, 2)  # ExtraSamples of TIFF 6.0, page 31: associated and unassociated
_ORIENTATION = 274

_TURNS: dict[int, Callable[[Values], Values]] = {
    2: lambda planes: planes[:, :, ::-1],
    3: lambda planes: planes[:, ::-1, ::-1],
    4: lambda planes: planes[:, ::-1],
    5: lambda planes: planes.swapaxes(1, 2),
    6: lambda planes: planes.swapaxes(1, 2)[:, :, ::-1],
    7: lambda planes: planes[:, ::-1, ::-1].swapaxes(1, 2),
    8: lambda planes: planes.swapaxes(1, 2)[:, ::-1],
}
"""What makes planes (n, h, w) upright, by TIFF's Orientation (TIFF 6.0, page 36)."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a TIFF holds. axes, shape: tifffile's letters and sizes; `colors` are how many samples of a page are
    red, green and blue (3), gray (1), or nothing that is known (0); `alpha` says that the next sample is opacity.
    """

    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    colors: int
    alpha: bool
    associated: bool
    orientation: int

    @property
    def width(self) -> int:
        """Pixels, as stored."""
        return self.shape[self.axes.index("X")]

    @property
    def height(self) -> int:
        """Pixels, as stored."""
        return self.shape[self.axes.index("Y")]

    @property
    def samples(self) -> int:
        """Values of a pixel in one page."""
        return self.shape[self.axes.index("S")] if "S" in self.axes else 1

    @property
    def planes(self) -> int:
        """How many planes there are by the rule of this module."""
        return int(np.prod([self.shape[self.axes.index(letter)] for letter in _plane_axes(self)], dtype=np.int64))

    @property
    def bits(self) -> int:
        """Bits of a value."""
        return 1 if self.dtype.kind == "b" else self.dtype.itemsize * 8

    @property
    def mode(self) -> str:
        """As Pillow would name it, or 'planes' where it has no name."""
        if self.samples == 1:
            return "F" if self.dtype.kind == "f" else "L" if self.bits <= 8 else "I;16" if self.bits == 16 else "I"
        kind = (self.samples, self.colors, self.alpha)
        return {(3, 3, False): "RGB", (4, 3, True): "RGBA", (2, 1, True): "LA"}.get(kind, "planes")


def read_layout(file: IO[bytes]) -> Layout:
    """The layout of an open file, without its pixels. Raises `DataError`, and what tifffile raises on damage."""
    with _opened(file) as (_, layout):
        return layout


def read_planes(file: IO[bytes]) -> tuple[Values, Layout]:
    """Every plane (planes, h, w) in the file's own type, upright."""
    with _opened(file) as (series, layout):
        values, axes, kept = _values(series, file, layout), list(layout.axes), _plane_axes(layout)
        for letter in [axis for axis in axes if axis not in f"{kept}YX"]:
            values = np.take(values, [0], axis=axes.index(letter)).squeeze(axes.index(letter))
            axes.remove(letter)
        planes = values.transpose([axes.index(letter) for letter in f"{kept}YX"])
        return _upright(planes.reshape(-1, layout.height, layout.width), layout.orientation), layout


def read_first_page(file: IO[bytes]) -> tuple[Values, Layout]:
    """The samples of the first page (samples, h, w) in the file's own type, upright."""
    with _opened(file) as (series, layout):
        return _upright(_first_page(series, file, layout), layout.orientation), layout


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[tuple[Any, Layout]]:
    file.seek(0)
    with tifffile.TiffFile(file, _multifile=False) as tiff:
        series = tiff.series[0]
        page = series.keyframe
        axes, shape = _named(series.axes, tuple(int(size) for size in series.shape))
        dtype = np.dtype(series.dtype)
        if "Y" not in axes or "X" not in axes or dtype.kind not in _KINDS:
            raise DataError(f"It holds no image of plain numbers ({series.axes} of {series.dtype}).")
        if series.kind == "ome" and any(one is None for one in series):
            raise DataError("It is one file of an OME-TIFF set, and the others hold the rest; export it as one file.")
        colors, extra = _colors(page), tuple(int(kind) for kind in page.extrasamples)
        tag = tiff.pages.first.tags.get(_ORIENTATION)
        layout = Layout(
            axes=axes,
            shape=shape,
            dtype=dtype,
            colors=colors,
            alpha=colors > 0 and extra[:1] != () and extra[0] in _ALPHA,
            associated=extra[:1] == (1,),
            orientation=int(tag.value) if tag is not None else 1,
        )
        _check_size(layout)
        yield series, layout


def _named(axes: str, shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """Axes that have the same letter (QQ) get letters of their own."""
    free = iter("abcdefgh")
    return "".join(next(free) if axes.count(letter) > 1 else letter for letter in axes), shape


def _colors(page: Any) -> int:
    """How many of a page's samples are known colors."""
    name = page.photometric.name if hasattr(page.photometric, "name") else ""
    if name in ("RGB", "YCBCR") and page.samplesperpixel >= 3:
        return 3
    if page.samplesperpixel == 1:
        return 1
    extra = len(page.extrasamples)
    return 1 if name in ("MINISBLACK", "MINISWHITE") and page.samplesperpixel - extra == 1 and extra <= 1 else 0


def _check_size(layout: Layout) -> None:
    if layout.width * layout.height > PIXEL_LIMIT:
        size = f"{layout.width:,} × {layout.height:,}"
        raise DataError(f"It has {size} pixels, and {PIXEL_LIMIT // 1_000_000} million is the limit; tile it.")
    if min(layout.shape) < 1:
        raise DataError("It has no pixels.")


def _plane_axes(layout: Layout) -> str:
    """The letters of the axes that are planes, in their order."""
    named = "".join(
        letter for letter, size in zip(layout.axes, layout.shape, strict=True) if letter in _CHANNELS and size > 1
    )
    return named or "".join(letter for letter in layout.axes if letter not in "YX")


def _values(series: Any, file: IO[bytes], layout: Layout) -> Values:
    """The whole series, in the order of its axes."""
    _check_bytes(int(np.prod(layout.shape, dtype=np.int64)) * layout.dtype.itemsize)
    try:
        values: Values = series.asarray()
        return values.reshape(layout.shape)
    except ValueError as error:
        pages = [_pillow_page(file, page, layout, error) for page in series]
    return np.stack(pages).reshape(layout.shape)


def _first_page(series: Any, file: IO[bytes], layout: Layout) -> Values:
    """(samples, h, w)."""
    page = next(iter(series))
    _check_bytes(layout.width * layout.height * layout.samples * layout.dtype.itemsize)
    try:
        values: Values = page.asarray()
    except ValueError as error:
        values = _pillow_page(file, page, layout, error)
    if not _samples_first(page):
        values = np.moveaxis(values.reshape(layout.height, layout.width, -1), -1, 0)
    return values.reshape(-1, layout.height, layout.width)


def _samples_first(page: Any) -> bool:
    return "S" in page.axes and page.axes.index("S") < page.axes.index("Y")


def _pillow_page(file: IO[bytes], page: Any, layout: Layout, error: ValueError) -> Values:
    """A page by Pillow, which has codecs that tifffile lacks (LZW among them), in the order of the page's axes.

    Raises what became of `error` where it was another one, or Pillow would lose bits.
    """
    name = str(error).partition("COMPRESSION.")[2].partition(":")[0]
    if "imagecodecs" not in str(error) or not name:
        raise error
    if layout.samples > 1 and layout.bits > 8:
        raise DataError(
            f"Its compression ({name}) is not read for deep colors or planes in one page; save it uncompressed or "
            "with deflate."
        )
    file.seek(0)
    with Image.open(file, formats=["TIFF"]) as image:
        image.seek(page.index)
        values = np.asarray(image.convert("RGB") if image.mode == "YCbCr" else image)
    if values.shape != (layout.height, layout.width, layout.samples)[: values.ndim]:
        raise DataError("Its pages differ in kind.")
    values = values.astype(layout.dtype, copy=False)
    return np.moveaxis(values, -1, 0) if values.ndim == 3 and _samples_first(page) else values


def _check_bytes(needed: int) -> None:
    if needed > _BYTES_LIMIT:
        limit = _BYTES_LIMIT / 1e9
        raise DataError(f"Its values take {needed / 1e9:.1f} GB, and {limit:.1f} GB is the limit; tile it.")


def _upright(planes: Values, orientation: int) -> Values:
    turn = _TURNS.get(orientation)
    return turn(planes) if turn else planes
