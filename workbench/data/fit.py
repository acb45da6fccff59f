"""Squares for the pixel store: an image cropped, padded or stretched to S × S, many at once in threads."""

import os
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.data.formats import as_pixels, read_image
from workbench.data.planes import read_levels
from workbench.spec.errors import DataError
from workbench.spec.experiment import DataSpec
from workbench.spec.pixels import LEVELS, keeps_scale

Pixels = NDArray[np.unsignedinteger[Any]]
"""As they are stored: the type is `stored_type` of the spec."""

DECODING = "3"
"""Part of every pixel store's key: raised when the same file would give other pixels."""

_CHUNK = 32


def workers() -> int:
    """Threads that decode: one per core that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(32, usable))


def stored_type(spec: DataSpec) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
    """uint8 or uint16."""
    return np.dtype(np.uint16) if spec.depth == "16" else np.dtype(np.uint8)


def read_square(path: Path, spec: DataSpec) -> Pixels:
    """One file as the store holds it: (C, S, S). Raises `DataError` with the reason."""
    size = spec.size
    # Twice the size, so that the last and visible halving is done by a good filter.
    enough = (2 * size, 2 * size)
    if spec.channels != "planes" and not keeps_scale(spec):
        image = read_image(path, spec.channels, at_least=enough)
        return np.ascontiguousarray(as_pixels(square(image, size, spec.fit)).transpose(2, 0, 1))
    levels = read_levels(path, spec, at_least=enough)
    planes = [np.asarray(square(Image.fromarray(plane), size, spec.fit)) for plane in np.ascontiguousarray(levels)]
    stored: Pixels = np.rint(np.stack(planes)).clip(0, LEVELS[spec.depth]).astype(stored_type(spec))
    return stored


def square(image: Image.Image, size: int, fit: str) -> Image.Image:
    """An image as a square of `size` px. "crop" keeps the middle, "pad" adds black, "stretch" distorts.

    Smaller images are enlarged smoothly; one that fits already is not touched.
    """
    width, height = image.size
    if fit == "pad" and width != height:
        return _padded(image, size)
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side) if fit == "crop" else (0.0, 0.0, float(width), float(height))
    return resized(image, (size, size), box=box)


def resized(
    image: Image.Image, size: tuple[int, int], *, box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    """Resampled without aliasing: a Lanczos window when made smaller, bicubic when enlarged."""
    left, top, right, bottom = box or (0.0, 0.0, float(image.width), float(image.height))
    if image.size == size and (right - left, bottom - top) == size:
        return image
    smaller = right - left > size[0] or bottom - top > size[1]
    kernel = Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC
    return image.resize(size, kernel, box=(left, top, right, bottom), reducing_gap=3.0 if smaller else None)


def read_squares(folder: Path, paths: Sequence[str], spec: DataSpec) -> Generator[list[Pixels | DataError], None, None]:
    """Every file in order, in chunks: its pixels (C, S, S), or the error that says why there are none.

    Threads read ahead (Pillow decodes outside Python's lock), by a few chunks at most.
    """

    def read(chunk: Sequence[str]) -> list[Pixels | DataError]:
        return [_or_error(folder / path, spec) for path in chunk]

    ahead: list[Future[list[Pixels | DataError]]] = []
    pool = ThreadPoolExecutor(workers(), thread_name_prefix="decode")
    try:
        for start in range(0, len(paths), _CHUNK):
            ahead.append(pool.submit(read, paths[start : start + _CHUNK]))
            if len(ahead) > 3 * workers():
                yield ahead.pop(0).result()
        while ahead:
            yield ahead.pop(0).result()
    finally:
        pool.shutdown(cancel_futures=True)


def _or_error(path: Path, spec: DataSpec) -> Pixels | DataError:
    try:
        return read_square(path, spec)
    except DataError as error:
        return error


def _padded(image: Image.Image, size: int) -> Image.Image:
    width, height = contained(image.size, size)
    canvas = Image.new(image.mode, (size, size))
    canvas.paste(resized(image, (width, height)), ((size - width) // 2, (size - height) // 2))
    return canvas


def contained(shape: tuple[int, int], size: int) -> tuple[int, int]:
    """The largest width and height of that shape within a square of `size` px; 1 px at least."""
    scale = size / max(shape)
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
