"""The sample set: painted pictures that vary in five independent factors, with a table that names them.

It makes the main lesson of the field visible in two minutes: what the augmentations change, the
encoder learns to ignore. Gray images lose the color, flips the orientation, blur the texture; the
shape survives them all, and pixels alone do not give it away.
"""

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.data.fit import workers
from workbench.data.painting import BACKGROUNDS, COLORS, ORIENTATIONS, SHAPES, TEXTURES, Scene, outline, paint
from workbench.spec.errors import DataError, UsageError
from workbench.spec.progress import Report, ignore

FACTORS = {
    "shape": SHAPES,
    "color": COLORS,
    "texture": TEXTURES,
    "orientation": ORIENTATIONS,
    "background": BACKGROUNDS,
}
"""The factors and their values. Every combination is painted equally often, so none tells of another."""

_HEADER = ["path", *FACTORS]
_BATCH = 64
_CHANCES = 20
_NAMES = "[0-9][0-9][0-9][0-9][0-9].png"


def paint_sample(
    folder: Path,
    *,
    count: int = 3000,
    size: int = 64,
    seed: int = 0,
    masks: Path | None = None,
    report: Report = ignore,
) -> None:
    """Paints `count` PNGs of `size` px into folder/images, and folder/labels.csv (path and the factors).

    masks: a folder for black and white PNGs that say where the body of each picture is, named as the pictures are
    (masks/images/00000.png); it cannot lie within the sample, where they would be taken for images of it.

    The same seed gives the same pictures, also as the first of a larger sample. Files that are there
    already and equal are not touched. Raises `UsageError` where a folder holds something else, and
    `DataError` where it cannot be written.
    """
    _check(folder, count, size)
    if masks is not None:
        _check_masks(masks, folder)
    try:
        images = folder / "images"
        images.mkdir(parents=True, exist_ok=True)
        names = [f"{number:05d}.png" for number in range(count)]
        whole = -(-count // _BATCH) * _BATCH  # so that the last batch does not depend on the count
        combinations = _combinations(whole, seed)
        _write(folder / "labels.csv", _table(names, combinations))
        _remove_others(images, set(names))
        chances = np.random.default_rng((seed, 1)).random((whole, _CHANCES), dtype=np.float32)
        done = 0
        for pictures in _paint_all(combinations, chances, size=size, seed=seed):
            for name, picture in zip(names[done:], pictures):
                _write(images / name, picture)
            done = min(count, done + len(pictures))
            report("Painting", done, count)
        if masks is not None:
            _write_masks(masks / "images", names, combinations, chances, size=size, seed=seed)
    except OSError as error:
        raise DataError(
            f"The sample cannot be written to {error.filename or folder}: {error.strerror or error}.",
            hint="Choose another folder, or free some space.",
        ) from error


def is_sample(folder: Path) -> bool:
    """Whether a folder holds a sample, perhaps one that was not finished."""
    try:
        with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file), []) == _HEADER
    except (OSError, ValueError, csv.Error):
        return False


def _check(folder: Path, count: int, size: int) -> None:
    if not 1 <= count <= 100_000:
        raise UsageError(f"{count:,} images cannot be painted; 1 to 100,000 can.")
    if not 16 <= size <= 512:
        raise UsageError(f"Images of {size} px cannot be painted; 16 to 512 px can.")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", hint="Name a folder.")
    with suppress(OSError):  # one that cannot be listed fails when it is written, with the reason
        if folder.is_dir() and any(folder.iterdir()) and not is_sample(folder):
            raise UsageError(
                f"{folder} is not empty and holds no sample; nothing was changed.", hint="Name a new folder."
            )


def _check_masks(masks: Path, folder: Path) -> None:
    if masks.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"Masks in {masks} would be taken for images of the sample.", hint=f"Name a folder outside of {folder}."
        )
    if masks.exists() and not masks.is_dir():
        raise UsageError(f"{masks} is a file.", hint="Name a folder.")
    with suppress(OSError):
        others = [path for path in masks.rglob("*") if path.is_file() and not path.match(f"images/{_NAMES}")]
        if others:
            raise UsageError(
                f"{masks} holds something else than masks ({others[0].name}); nothing was changed.",
                hint="Name a new folder.",
            )


def _combinations(count: int, seed: int) -> NDArray[np.int64]:
    """(count, 5) factor values: all combinations in random order, then all again in another, …"""
    lengths = [len(values) for values in FACTORS.values()]
    all_of_them = np.stack(np.unravel_index(np.arange(np.prod(lengths)), lengths), axis=1)
    rng = np.random.default_rng((seed, 0))
    rounds = [rng.permutation(all_of_them) for _ in range(-(-count // len(all_of_them)))]
    return np.concatenate(rounds)[:count].astype(np.int64)


def _paint_all(
    combinations: NDArray[np.int64], chances: NDArray[np.float32], *, size: int, seed: int
) -> Iterator[list[bytes]]:
    """PNG files in order, a batch at a time; threads paint ahead (outside Python's lock, for the most part)."""

    def batch(start: int) -> list[bytes]:
        return [_png(picture) for picture in paint(_scene(combinations, chances, start, seed=seed), size)]

    with ThreadPoolExecutor(workers(), thread_name_prefix="paint") as pool:
        starts = range(0, len(combinations), _BATCH)
        ahead = [pool.submit(batch, start) for start in starts[: 2 * workers()]]
        for position in range(len(starts)):
            yield ahead.pop(0).result()
            if position + 2 * workers() < len(starts):
                ahead.append(pool.submit(batch, starts[position + 2 * workers()]))


def _write_masks(
    folder: Path,
    names: list[str],
    combinations: NDArray[np.int64],
    chances: NDArray[np.float32],
    *,
    size: int,
    seed: int,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _remove_others(folder, set(names))
    for start in range(0, len(names), _BATCH):
        masks = outline(_scene(combinations, chances, start, seed=seed), size)
        for name, mask in zip(names[start:], masks):
            _write(folder / name, _png(np.where(mask, np.uint8(255), np.uint8(0))))


def _scene(combinations: NDArray[np.int64], chances: NDArray[np.float32], start: int, *, seed: int) -> Scene:
    """What is on the pictures of the batch that begins with number `start`."""
    shape, color, texture, orientation, background = combinations[start : start + _BATCH].T
    return Scene(
        shape=shape,
        color=color,
        texture=texture,
        orientation=orientation,
        background=background,
        chance=chances[start : start + _BATCH],
        seed=(seed, 2, start),
    )


def _table(names: list[str], combinations: NDArray[np.int64]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for name, values in zip(names, combinations):
        writer.writerow([f"images/{name}", *(known[value] for known, value in zip(FACTORS.values(), values))])
    return text.getvalue().encode()


def _png(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Leaves an equal file alone: its time is what the pixel store goes by."""
    with suppress(OSError):
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return
    path.write_bytes(content)


def _remove_others(images: Path, names: set[str]) -> None:
    """What an earlier, larger sample left."""
    for path in images.glob(_NAMES):
        if path.name not in names:
            path.unlink()
