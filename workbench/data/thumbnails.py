"""Small pictures for the window: letterboxed, transparent where there is nothing."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.data.fit import contained, resized, workers
from workbench.data.formats import read_image, stretched
from workbench.data.planes import read_composite
from workbench.data.shown import of_three
from workbench.spec.errors import DataError, UsageError

_LARGEST = 2048


def thumbnails(folder: Path, paths: Sequence[str], size: int) -> NDArray[np.uint8]:
    """(n, size, size, 4) RGBA, upright. A file that cannot be read gives a fully transparent picture.

    An image smaller than half of `size` is enlarged pixel by pixel, so that it stays what it is.
    """
    if not 1 <= size <= _LARGEST:
        raise UsageError(f"A thumbnail of {size} px is not possible; 1 to {_LARGEST} px are.")
    pictures = np.zeros((len(paths), size, size, 4), dtype=np.uint8)

    def draw(row: int) -> None:
        try:
            picture = _thumbnail(folder / paths[row], size)
        except DataError:
            return
        top, left = (size - picture.height) // 2, (size - picture.width) // 2
        pictures[row, top : top + picture.height, left : left + picture.width] = np.asarray(picture)

    with ThreadPoolExecutor(workers(), thread_name_prefix="thumbnail") as pool:
        for _ in pool.map(draw, range(len(paths))):
            pass
    return pictures


def _thumbnail(path: Path, size: int) -> Image.Image:
    image = _picture(path, size)
    target = contained(image.size, size)
    if 2 * max(image.size) <= size:
        return image.resize(target, Image.Resampling.NEAREST)
    return resized(image, target)


def _picture(path: Path, size: int) -> Image.Image:
    """A file as one looks at it. Of planes the first three are red, green and blue, each from its own range."""
    planes = read_composite(path)
    if planes is None:
        # No `at_least` per axis is known before the file is open: asking for the square is never too small.
        return read_image(path, "rgb", at_least=(size, size), keep_alpha=True)
    levels = np.stack([stretched(plane) for plane in planes], axis=-1)
    return Image.fromarray(of_three(levels[None])[0]).convert("RGBA")
