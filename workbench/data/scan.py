"""What is in a folder: every image by its header, classes, label tables, and what is wrong, in words."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from workbench.data.classes import classes_and_parts
from workbench.data.clips import count_clips
from workbench.data.formats import Header, header_of, read_header
from workbench.data.kinds import KNOWN_KINDS
from workbench.data.labels import find_tables
from workbench.data.walk import Found, FoundFile, find_images
from workbench.spec.dataset import BrokenFile, ScanReport, is_planar
from workbench.spec.errors import DataError
from workbench.spec.progress import Report, ignore

_CHUNK = 128
_READ_WHOLE = 65_536  # Bytes up to which reading a file whole costs no more than reading its header.
_READERS = 4  # They overlap waiting for the disk; the parsing itself holds Python's lock.


def scan_folder(folder: Path, report: Report = ignore) -> ScanReport:
    """Reads the header of every image below `folder`; nothing is decoded.

    A folder without images gives an empty report with a note. Raises `NotFoundError` where there
    is no folder, `DataError` where it cannot be opened, and what `report` raises.
    """
    begun = time.perf_counter()
    folder = folder.expanduser().absolute()
    found = find_images(folder, report)
    seen = _read_headers(folder, found.files, report)
    broken = [*seen.broken, *(BrokenFile(path=path, reason=_ODD_NAME) for path in found.odd_names)]
    paths = tuple(file.path for file in seen.files)
    classes, parts = classes_and_parts(paths)
    tables, problems = find_tables(folder, paths)
    return ScanReport(
        folder=str(folder),
        paths=paths,
        widths=tuple(header.width for header in seen.headers),
        heights=tuple(header.height for header in seen.headers),
        modes=tuple(header.mode for header in seen.headers),
        sizes=tuple(file.size for file in seen.files),
        classes=classes,
        parts=parts,
        planes=tuple(header.planes for header in seen.headers),
        bits=tuple(header.bits for header in seen.headers),
        clips=count_clips(folder, paths),
        broken=tuple(sorted(broken, key=lambda file: file.path)),
        tables=tables,
        notes=(*_about_images(folder, seen, parts), *_about_folder(found), *problems),
        seconds=time.perf_counter() - begun,
    )


_ODD_NAME = "Its name is not valid text; rename the file."


@dataclass(kw_only=True)
class _Seen:
    """The readable files with their headers, and fingerprints of those small enough to be read whole."""

    files: list[FoundFile] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    prints: list[bytes] = field(default_factory=list)
    broken: list[BrokenFile] = field(default_factory=list)


_Outcome = tuple[Header, bytes] | DataError


def _read_headers(folder: Path, files: Sequence[FoundFile], report: Report) -> _Seen:
    seen = _Seen()
    done = 0
    chunks = (files[start : start + _CHUNK] for start in range(0, len(files), _CHUNK))
    pool = ThreadPoolExecutor(_READERS, thread_name_prefix="scan")

    def read(chunk: Sequence[FoundFile]) -> list[_Outcome]:
        return [_read(folder, file) for file in chunk]

    try:
        while batch := list(islice(chunks, 2 * _READERS)):
            for chunk, outcomes in zip(batch, pool.map(read, batch)):
                _collect(seen, chunk, outcomes)
                done += len(chunk)
                report("Reading headers", done, len(files))
    finally:
        pool.shutdown(cancel_futures=True)
    return seen


def _read(folder: Path, file: FoundFile) -> _Outcome:
    path = folder / file.path
    try:
        if not 0 < file.size <= _READ_WHOLE:
            return read_header(path), b""
        try:
            content = path.read_bytes()
        except OSError:
            return read_header(path), b""  # which gives the reason in words
        return header_of(content, path), blake2b(content, digest_size=12).digest()
    except DataError as error:
        return error


def _collect(seen: _Seen, files: Iterable[FoundFile], outcomes: Iterable[_Outcome]) -> None:
    for file, outcome in zip(files, outcomes):
        if isinstance(outcome, DataError):
            seen.broken.append(BrokenFile(path=file.path, reason=outcome.message))
        else:
            seen.files.append(file)
            seen.headers.append(outcome[0])
            seen.prints.append(outcome[1])


def _about_images(folder: Path, seen: _Seen, parts: Sequence[str]) -> list[str]:
    """What is odd about the images, one sentence each."""
    if not seen.files:
        return [f"There are no readable images here. Read are {KNOWN_KINDS}."]
    notes = []
    shapes = {(header.width, header.height) for header in seen.headers}
    if len(shapes) > 1:
        small, large = min(shapes, key=_area), max(shapes, key=_area)
        notes.append(f"The images have {len(shapes):,} sizes, from {_times(small)} to {_times(large)} px.")
    gray = sum(header.mode in ("L", "1", "LA", "F") or header.mode.startswith("I") for header in seen.headers)
    if 0 < gray < len(seen.files):
        notes.append(f"{_images(gray)} gray, {len(seen.files) - gray:,} in color.")
    deep = sum(header.bits > 8 for header in seen.headers)
    if deep:
        notes.append(
            f"{_images(deep)} deeper than 8 bits. Stored at 16 bits (data.depth) they keep one scale; at 8, those of "
            "one gray channel are stretched from their own range."
        )
    return notes + _about_planes(seen) + _about_duplicates(folder, seen, parts)


def _about_planes(seen: _Seen) -> list[str]:
    """How many planes there are, where these are no colors; and pages or frames of which the first counts."""
    notes = []
    planar = [header for header in seen.headers if is_planar(header.mode, header.planes)]
    counts = Counter(header.planes for header in planar)
    if planar:
        told = " and ".join(f"{_images(times, 'has', 'have')} {count} planes" for count, times in counts.most_common(3))
        alike = len(counts) == 1 and len(planar) == len(seen.files)
        rule = "" if alike else " A set is read with the number that most have, and the others are left out."
        notes.append(f"{told}: data.channels = 'planes' takes each as a channel.{rule}")
    several = sum(header.frames > 1 and not is_planar(header.mode, header.planes) for header in seen.headers)
    if several:
        notes.append(f"{_images(several, 'has', 'have')} several pages or frames; the first one counts.")
    return notes


def _about_duplicates(folder: Path, seen: _Seen, parts: Sequence[str]) -> list[str]:
    """Exact copies: equal bytes. Files that were not read whole are, where another has their size."""
    sizes = Counter(file.size for file in seen.files)
    groups: dict[tuple[int, bytes], list[int]] = {}
    for row, (file, known) in enumerate(zip(seen.files, seen.prints)):
        if sizes[file.size] > 1:
            groups.setdefault((file.size, known or _fingerprint(folder / file.path)), []).append(row)
    copied = [rows for rows in groups.values() if len(rows) > 1]
    if not copied:
        return []
    copies = sum(len(rows) - 1 for rows in copied)
    first = ", ".join(seen.files[row].path for row in copied[0][:2])
    notes = [f"{_images(copies, 'is an exact copy', 'are exact copies')} of another ({first})."]
    both = sum({"train", "test"} <= {parts[row] for row in rows} for rows in copied)
    if both:
        notes.append(f"{_images(both, 'stands', 'stand')} both in the training and in the test folders.")
    return notes


def _fingerprint(path: Path) -> bytes:
    digest = blake2b(digest_size=12)
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return path.as_posix().encode()  # it is no copy of anything that can be told
    return digest.digest()


def _about_folder(found: Found) -> list[str]:
    """What was passed over in the folder, one sentence each."""
    notes = []
    if found.videos:
        notes.append(f"{_many(found.videos, 'video was', 'videos were')} passed over: take the frames out first.")
    if found.runs:
        notes.append(f"{_many(found.runs, 'folder of a run was', 'folders of runs were')} passed over.")
    if found.repeated:
        notes.append(f"{_many(found.repeated, 'link leads', 'links lead')} to a folder that was read already.")
    if found.unreadable:
        notes.append(f"Without permission or damaged: {', '.join(found.unreadable[:3])}{_more(found.unreadable)}.")
    return notes


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 3:,} more" if len(names) > 3 else ""


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _images(count: int, one: str = "is", several: str = "are") -> str:
    return _many(count, f"image {one}", f"images {several}")


def _area(shape: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    return shape[0] * shape[1], shape


def _times(shape: tuple[int, int]) -> str:
    return f"{shape[0]:,} × {shape[1]:,}"
