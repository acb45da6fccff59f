"""The pixel store: every image decoded once, as uint8 or uint16 squares in one memory-mapped HDF5 file.

Training reads batches from it at the speed of memory; nothing is decoded twice. It is a cache: it
may be deleted at any time, and is made again from the images.
"""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.data.fit import DECODING, Pixels, read_squares, stored_type
from workbench.data.planes import counted
from workbench.runs.split import SplitTable
from workbench.spec.dataset import BrokenFile
from workbench.spec.errors import DataError, NotFoundError
from workbench.spec.experiment import DataSpec
from workbench.spec.pixels import channels_of, keeps_scale
from workbench.spec.progress import Report, ignore

_UNFINISHED = ".unfinished"
_ABANDONED = 86_400.0  # seconds after which an unfinished file is nobody's


class PixelStore:
    """The images of one experiment, decoded.

    `pixels` is (N, C, S, S) uint8 or uint16, read-only and memory-mapped; `mean` and `std` are per channel, in
    [0, 1], over the training images (std is at least one level); `path` is the HDF5 file.
    """

    def __init__(self, path: Path, pixels: Pixels, *, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self.path = path
        self.pixels = pixels
        self.mean = mean
        self.std = std

    def __len__(self) -> int:
        return len(self.pixels)


def open_store(
    folder: Path, table: SplitTable, spec: DataSpec, cache: Path, report: Report = ignore
) -> tuple[PixelStore, SplitTable, tuple[BrokenFile, ...]]:
    """The decoded images of a table: (store, the table's rows that could be decoded, the files that could not).

    It is built when there is none for these files and this size, or when a file has changed since
    (by its time or its length). Files that have vanished since do not matter to a finished store.
    Raises `DataError` where nothing could be decoded or there is no space, `NotFoundError` where the
    folder is gone and there is no store, and what `report` raises; then nothing is left behind.
    """
    folder = folder.expanduser().absolute()
    place = cache / "pixels"
    spec = counted(spec, folder, table.paths)
    family = _digest(str(folder), spec.size, spec.fit, spec.channels, DECODING, *_scale(spec))
    found = _find(place, family, folder, table)
    if found is None:
        if not folder.is_dir():
            raise NotFoundError(
                f"There is no folder {folder}, and its images are not in the cache.", hint="Connect its disk."
            )
        try:
            place.mkdir(parents=True, exist_ok=True)
            found = _build(place / f"{family}-{uuid.uuid4().hex[:8]}.h5", folder, table, spec=spec, report=report)
        except OSError as error:
            raise DataError(
                f"The decoded images cannot be written to {place}: {error.strerror or error}.",
                hint="Free some space, choose a smaller size, or set WORKBENCH_CACHE to another disk.",
            ) from error
    return _open(found, table)


def _scale(spec: DataSpec) -> tuple[object, ...]:
    """What else decides about the pixels; nothing where each image has its own scale, as in stores of old."""
    return (spec.planes, spec.depth, spec.black, spec.white) if keeps_scale(spec) else ()


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a store says of itself, kept as one JSON text inside it."""

    asked: str
    kept: str
    folder: str
    broken: tuple[BrokenFile, ...]


def _find(place: Path, family: str, folder: Path, table: SplitTable) -> Path | None:
    """A finished store with these files, asked for or kept (a run's own table has only the kept)."""
    wanted = _digest(*table.paths)
    now: NDArray[np.int64] | None = None
    for path in sorted(place.glob(f"{family}-*.h5")):
        try:
            with h5py.File(path, "r", locking=False) as file:
                facts = _facts(file)
                if wanted not in (facts.asked, facts.kept):
                    continue
                then = file["files"][()]
                then = then if wanted == facts.asked else then[file["kept"][()]]
        except (OSError, KeyError, msgspec.DecodeError):
            if not h5py.is_hdf5(path):
                _remove(path)  # damaged; one that merely cannot be opened now may be good again
            continue
        now = _stamps(folder, table.paths) if now is None else now
        vanished = now[:, 1] < 0
        if (vanished | (now == then).all(axis=1)).all():
            return path
        _remove(path)
    return None


def _open(path: Path, table: SplitTable) -> tuple[PixelStore, SplitTable, tuple[BrokenFile, ...]]:
    with h5py.File(path, "r", locking=False) as file:  # finished files never change
        facts = _facts(file)
        kept = file["kept"][()]
        means, squares = file["means"][()], file["squares"][()]
        pixels = file["pixels"]
        shape, offset, kind = (len(means), *pixels.shape[1:]), pixels.id.get_offset(), pixels.dtype
    if _digest(*table.paths) == facts.asked:
        table, broken = _rows(table, np.flatnonzero(kept)), facts.broken
    else:
        broken = ()
    mapped = np.memmap(path, dtype=kind, mode="r", offset=offset, shape=shape)
    train = np.asarray([part == "train" for part in table.parts], dtype=bool)
    chosen = train if train.any() else np.ones_like(train)
    mean = means[chosen].mean(axis=0)
    smallest = 1.0 / np.iinfo(kind).max  # Images of one even color must not divide by zero.
    std = np.sqrt(np.maximum(squares[chosen].mean(axis=0) - mean**2, smallest**2))
    store = PixelStore(path, mapped, mean=tuple(map(float, mean)), std=tuple(map(float, std)))
    return store, table, broken


def _build(path: Path, folder: Path, table: SplitTable, *, spec: DataSpec, report: Report) -> Path:
    """Writes a store beside and renames it; whatever goes wrong, nothing is left behind."""
    _clear_abandoned(path.parent)
    shape = (len(table), channels_of(spec), spec.size, spec.size)
    _check_space(path.parent, int(np.prod(shape)) * stored_type(spec).itemsize)
    beside = path.with_suffix(_UNFINISHED)
    stamps = _stamps(folder, table.paths)
    try:
        offset = _lay_out(beside, shape, stored_type(spec))
        rows = _Rows(shape[0], shape[1])
        with beside.open("r+b") as file, closing(read_squares(folder, table.paths, spec)) as chunks:
            file.seek(offset)
            _fill(file.write, rows, chunks, table.paths, report=report)
            file.flush()
            os.fsync(file.fileno())
        if not rows.kept.any():
            raise DataError(
                f"None of the {len(table):,} images in {folder} could be read: "
                f"{rows.broken[0].path}: {rows.broken[0].reason}"
                if rows.broken
                else f"There are no images to read in {folder}."
            )
        facts = _Facts(
            asked=_digest(*table.paths),
            kept=_digest(*(table.paths[row] for row in np.flatnonzero(rows.kept))),
            folder=str(folder),
            broken=tuple(rows.broken),
        )
        _finish(beside, rows, stamps, facts)
        beside.replace(path)
    finally:
        _remove(beside)
    return path


class _Rows:
    """What is learned of each image while the store is filled."""

    def __init__(self, count: int, channels: int) -> None:
        self.kept = np.zeros(count, dtype=bool)
        self.means = np.zeros((count, channels))
        self.squares = np.zeros((count, channels))
        self.broken: list[BrokenFile] = []


def _fill(
    write: Callable[[bytes], int],
    rows: _Rows,
    chunks: Iterator[list[Pixels | DataError]],
    paths: Sequence[str],
    *,
    report: Report,
) -> None:
    done = 0
    report("Decoding images", 0, len(paths))
    for chunk in chunks:
        images: list[Pixels] = []
        for row, image in enumerate(chunk, start=done):
            if isinstance(image, DataError):
                rows.broken.append(BrokenFile(path=paths[row], reason=image.message))
            else:
                rows.kept[row] = True
                images.append(image)
        if images:
            block = np.stack(images)
            # Deep values vary by so little that the rounding of float32 would be part of their deviation.
            exact = np.dtype(np.float32 if block.dtype == np.uint8 else np.float64)
            values: NDArray[np.floating[Any]] = block.reshape(*block.shape[:2], -1).astype(exact)
            values /= np.iinfo(block.dtype).max
            here = np.flatnonzero(rows.kept[done : done + len(chunk)]) + done
            rows.means[here] = values.mean(axis=2)
            rows.squares[here] = np.square(values).mean(axis=2)
            write(block.tobytes())
        done += len(chunk)
        report("Decoding images", done, len(paths))


def _lay_out(path: Path, shape: tuple[int, ...], kind: np.dtype[np.uint8] | np.dtype[np.uint16]) -> int:
    """Makes the file with room for the pixels, and gives their offset: they are written past HDF5.

    A plain write says at once when the disk is full; HDF5 says so when it closes, and a mapped
    file with a signal that ends the process.
    """
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.CONTIGUOUS)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(shape)
        h5py.h5d.create(file.id, b"pixels", h5py.h5t.py_create(kind), space, creation)
    with h5py.File(path, "r") as file:
        return int(file["pixels"].id.get_offset())


def _finish(path: Path, rows: _Rows, stamps: NDArray[np.int64], facts: _Facts) -> None:
    with h5py.File(path, "r+") as file:
        file["means"] = rows.means[rows.kept]
        file["squares"] = rows.squares[rows.kept]
        file["kept"] = rows.kept
        file["files"] = stamps
        file["facts"] = np.frombuffer(msgspec.json.encode(facts), dtype=np.uint8)
        file.attrs["count"] = int(rows.kept.sum())  # rows of `pixels` that are filled: the broken have none
    with path.open("rb+") as written:
        os.fsync(written.fileno())


def _facts(file: h5py.File) -> _Facts:
    return msgspec.json.decode(file["facts"][()].tobytes(), type=_Facts)


def _stamps(folder: Path, paths: Sequence[str]) -> NDArray[np.int64]:
    """(N, 2): time of change in ns and length in bytes of every file; -1 where there is none."""
    stamps = np.full((len(paths), 2), -1, dtype=np.int64)
    if folder.is_dir():
        for row, path in enumerate(paths):
            with suppress(OSError):
                status = os.stat(folder / path)  # noqa: PTH116  # called for every image
                stamps[row] = status.st_mtime_ns, status.st_size
    return stamps


def _check_space(place: Path, needed: int) -> None:
    free = shutil.disk_usage(place).free
    if needed > free:
        raise DataError(
            f"The decoded images need {needed / 1e9:.1f} GB, and {place} has {free / 1e9:.1f} GB left.",
            hint="Free some space, choose a smaller size, or set WORKBENCH_CACHE to another disk.",
        )


def _clear_abandoned(place: Path) -> None:
    for path in place.glob(f"*{_UNFINISHED}"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()


def _remove(path: Path) -> None:
    with suppress(OSError):  # gone, or open elsewhere (Windows); it does no harm
        path.unlink()


def _rows(table: SplitTable, rows: NDArray[np.intp]) -> SplitTable:
    def pick(values: Sequence[str]) -> tuple[str, ...]:
        return tuple(values[row] for row in rows)

    return replace(
        table,
        paths=pick(table.paths),
        parts=pick(table.parts),
        labels=pick(table.labels),
        factors={name: pick(values) for name, values in table.factors.items()},
    )


def _digest(*values: object) -> str:
    digest = blake2b(digest_size=12)
    for value in values:
        digest.update(f"{value}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
