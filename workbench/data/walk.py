"""Finding image files below a folder: what is looked into, what is passed over, and in which order."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workbench.data.kinds import looks_like_image, looks_like_video, starts_like_image
from workbench.spec.errors import DataError, NotFoundError
from workbench.spec.progress import Report, ignore

_PASSED_OVER = frozenset({"__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found"})


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A file that may be an image. `path` is relative to the folder, with forward slashes; size in bytes."""

    path: str
    size: int


@dataclass(kw_only=True)
class Found:
    """What a walk came upon. `unreadable` are folders, `odd_names` files whose names are not text."""

    files: list[FoundFile] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    odd_names: list[str] = field(default_factory=list)
    videos: int = 0
    runs: int = 0
    repeated: int = 0
    others: int = 0


def find_images(folder: Path, report: Report = ignore) -> Found:
    """Every file below `folder` that may be an image, sorted by path.

    Hidden files and folders and the folders of our own runs are passed over. A folder that is
    reached twice (through a link, perhaps in a circle) is entered once. Raises `NotFoundError`
    where there is no such folder and `DataError` where it cannot be opened.
    """
    if not folder.exists():
        raise NotFoundError(f"There is no folder {folder}.", hint="Check the path, or connect its disk.")
    if not folder.is_dir():
        raise NotFoundError(f"{folder} is a file, not a folder.", hint="Give the folder that holds the images.")
    found = Found()
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(os.scandir(folder / here), key=lambda entry: entry.name)
            place = (folder / here).stat()
        except OSError as error:
            if not here:
                raise DataError(f"{folder} cannot be opened: {error.strerror or error}.") from error
            found.unreadable.append(_as_text(here))
            continue
        if (place.st_dev, place.st_ino) in seen:
            found.repeated += 1
            continue
        seen.add((place.st_dev, place.st_ino))
        if {"experiment.toml", "events.jsonl"} <= {entry.name for entry in entries}:
            found.runs += 1
            continue
        waiting.extend(_sort(entries, here, found))
        report("Looking for images", len(found.files), 0)
    found.files.sort(key=lambda file: file.path)
    return found


def _sort(entries: list[os.DirEntry[str]], here: str, found: Found) -> Iterator[str]:
    """Notes the files of one folder in `found`, and gives its sub-folders."""
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _PASSED_OVER:
            continue
        path = f"{here}/{entry.name}" if here else entry.name
        try:
            if entry.is_dir():
                yield path
            elif _may_be_image(entry):
                _note(entry, path, found)
            elif looks_like_video(entry.name):
                found.videos += 1
            else:
                found.others += 1
        except OSError:
            found.unreadable.append(_as_text(path))


def _may_be_image(entry: os.DirEntry[str]) -> bool:
    if looks_like_image(entry.name):
        return entry.is_file() or entry.is_symlink()  # a broken link is listed with its reason
    if "." in entry.name or not entry.is_file():
        return False
    try:
        with open(entry.path, "rb") as file:  # noqa: PTH123  # cheaper, and there may be many
            return starts_like_image(file.read(132))
    except OSError:
        return False


def _note(entry: os.DirEntry[str], path: str, found: Found) -> None:
    if _as_text(path) != path:
        found.odd_names.append(_as_text(path))
        return
    try:
        size = entry.stat().st_size
    except FileNotFoundError:
        size = 0  # a link to nothing; reading it says so
    found.files.append(FoundFile(path=path, size=size))


def _as_text(path: str) -> str:
    r"""The path as text that can be written anywhere: a byte that is no UTF-8 becomes \\udc…"""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
