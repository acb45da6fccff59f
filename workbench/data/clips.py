"""Films as folders: each sub-folder a clip, its images the frames, in the natural order of their names."""

import math
import re
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.data.formats import read_image
from workbench.data.walk import find_images
from workbench.spec.errors import DataError

LEAST_FRAMES = 5
"""Images of a folder from which on it can be a clip."""

_DIGITS = re.compile(r"(\d+)")
_PAIRS = 16
_MOST_BYTES = 32_000_000
_SIDE = 16
_ALIKE = 0.35
"""Up to this share of the difference of any two images, neighbors look like frames of one film."""
_UNRELATED = 0.5
"""Above this share nobody will find an order in them, whatever a person says."""


def clips_of(paths: Sequence[str]) -> dict[str, list[int]]:
    """The rows of every folder's images in their natural order (9 before 10), by the folder's path."""
    found: dict[str, list[int]] = defaultdict(list)
    for row, path in enumerate(paths):
        found[path.rpartition("/")[0]].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: _natural(paths[row]))
    return dict(sorted(found.items()))


def positions(paths: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which clip each of N images is a frame of, and its place among that clip's: (N,) int64, both counted from 0."""
    clip, place = np.zeros(len(paths), np.int64), np.zeros(len(paths), np.int64)
    for number, rows in enumerate(clips_of(paths).values()):
        clip[rows], place[rows] = number, np.arange(len(rows))
    return clip, place


def numbered_clips(paths: Sequence[str]) -> dict[str, list[int]]:
    """The folders of at least `LEAST_FRAMES` images whose names are alike but for a number (frame_07.png)."""
    return {name: rows for name, rows in clips_of(paths).items() if _are_numbered([paths[row] for row in rows])}


def count_clips(folder: Path, paths: Sequence[str]) -> int:
    """How many clips a folder of films holds; 0 where its images are no films.

    Most images must stand in numbered folders, and neighbors must look alike: classes of pictures are often numbered
    too. A few images are decoded for that.
    """
    clips = numbered_clips(paths)
    frames = sum(map(len, clips.values()))
    if not clips or frames < 0.9 * len(paths):
        return 0
    return len(clips) if _unlikeness(folder, paths, clips) <= _ALIKE else 0


def films_in(folder: Path) -> int:
    """How many clips a folder may hold, where a person says that it does; asked again only when it has changed.

    0 where no images stand in numbered folders, or neighbors in them differ as images of different folders do.
    Raises what `find_images` raises.
    """
    return _films_in(folder, folder.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _films_in(folder: Path, changed: int) -> int:
    del changed
    paths = [file.path for file in find_images(folder).files]
    clips = numbered_clips(paths)
    return len(clips) if clips and _unlikeness(folder, paths, clips) <= _UNRELATED else 0


def _natural(path: str) -> list[tuple[int, str]]:
    """A key by which numbers count as numbers."""
    parts = _DIGITS.split(path.rpartition("/")[2])
    return [(int(part), "") if place % 2 else (0, part.lower()) for place, part in enumerate(parts)] + [(0, path)]


def _are_numbered(paths: Sequence[str]) -> bool:
    if len(paths) < LEAST_FRAMES:
        return False
    parts = [_DIGITS.split(path.rpartition("/")[2].rpartition(".")[0]) for path in paths]
    numbers = {one[-2] for one in parts if len(one) > 1}
    return len(numbers) == len(paths) and len({(*one[:-2], one[-1]) for one in parts}) == 1


def _unlikeness(folder: Path, paths: Sequence[str], clips: Mapping[str, list[int]]) -> float:
    """How much neighbors differ, over images of different folders (of one folder alone: images far apart in it)."""
    films = list(clips.values())
    films = films[:: max(1, len(films) // _PAIRS)][:_PAIRS]
    try:
        pairs = max(2, min(_PAIRS, _MOST_BYTES // max(1, (folder / paths[films[0][0]]).stat().st_size)))
        shown = []
        for number in range(pairs):
            rows = films[number % len(films)]
            place = (len(rows) - 1) * (2 * number + 1) // (2 * pairs)
            shown.append([_small(folder / paths[row]) for row in rows[place : place + 2]])
    except (DataError, OSError):
        return math.inf
    # With several films the next picture is of another one; with one, half of it lies between.
    away = 1 if len(films) > 1 else pairs // 2
    near = [_difference(one, following) for one, following in shown]
    far = [_difference(one, shown[(number + away) % pairs][0]) for number, (one, _) in enumerate(shown)]
    apart = statistics.median(far)
    return statistics.median(near) / apart if apart else math.inf


def _small(path: Path) -> NDArray[np.float32]:
    image = read_image(path, "gray", at_least=(_SIDE, _SIDE))
    return np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float32)


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(one - other).mean())
