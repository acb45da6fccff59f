"""What is wrong with a file that cannot be read, in words."""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image, UnidentifiedImageError

from workbench.data.kinds import DICOM, starts_like_image
from workbench.spec.errors import DataError

Result = TypeVar("Result")

PIXEL_LIMIT = 200_000_000
"""Images with more pixels are refused: at 3 bytes each they would take over half a gigabyte."""


def in_words(path: Path, work: Callable[[], Result]) -> Result:
    """Runs `work` and turns whatever comes of a strange file into a `DataError` with the reason."""
    _hush()
    try:
        return work()
    except DataError:
        raise
    except Exception as error:  # decoders raise anything on hostile bytes
        raise DataError(_reason(error, path)) from error


def _reason(error: Exception, path: Path) -> str:
    if isinstance(error, UnidentifiedImageError):
        return _unidentified(path)
    if isinstance(error, Image.DecompressionBombError):
        return f"It has more than {PIXEL_LIMIT // 1_000_000} million pixels, which is the limit; tile it."
    if isinstance(error, FileNotFoundError):
        return "It is no longer there."
    if isinstance(error, PermissionError):
        return "It may not be read (no permission)."
    if isinstance(error, IsADirectoryError):
        return "It is a folder."
    if isinstance(error, MemoryError):
        return "It does not fit into the memory."
    text = " ".join(str(error).split()) or type(error).__name__
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return "It is cut off: the file ends before the image does."
    if "decoder error" in text or "broken data stream" in text or "unrecognized data stream" in text:
        return "It is damaged: its compressed pixels cannot be decoded."
    return f"It is damaged ({text[:120].rstrip('.')})."


def _unidentified(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return "It cannot be read."
    if not start:
        return "The file is empty."
    if start[128:132] == b"DICM":
        return DICOM
    if starts_like_image(start):
        return "It is damaged or cut off within its header."
    return "It is not an image of a known kind."


_QUIET: dict[str, Any] = {"action": "ignore", "module": r"PIL\."}


def _hush() -> None:
    """Keeps the remarks of decoders on odd files off the console, and from becoming errors under -W error.

    One filter for the process: `warnings.catch_warnings` is not safe where threads decode.
    """
    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)
    Image.MAX_IMAGE_PIXELS = PIXEL_LIMIT  # Pillow refuses at twice this also what is nested inside a file
    for kept in warnings.filters:
        if kept[0] == "ignore" and getattr(kept[3], "pattern", kept[3]) == _QUIET["module"]:
            return
    warnings.filterwarnings(**_QUIET)
