"""Image files as they occur in the wild: what counts as one, its header, and its pixels as 8 bits.

Files are data from strangers. Only formats whose decoders are plain code are opened (no PostScript,
no Windows metafile), sizes are limited before anything is decoded, and whatever a decoder raises
becomes a `DataError` with a reason in words.
"""

import io
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from workbench.spec.errors import DataError

Channels = Literal["rgb", "gray"]
Result = TypeVar("Result")

PIXEL_LIMIT = 200_000_000
"""Images with more pixels are refused: at 3 bytes each they would take over half a gigabyte."""

_LARGE = 25_000_000  # Images above this are decoded one at a time, so that threads do not fill the memory.
_one_large_image = threading.Lock()

_FORMATS = {
    "JPEG": ".jpg .jpeg .jpe .jfif .mpo",
    "PNG": ".png .apng",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif .tiff",
    "WEBP": ".webp",
    "AVIF": ".avif",
    "JPEG2000": ".jp2 .j2k .jpx .jpf .jpc .j2c",
    "PPM": ".ppm .pgm .pbm .pnm .pfm",
    "PSD": ".psd",
    "SGI": ".sgi .rgb .rgba .bw",
    "SUN": ".ras",
    "QOI": ".qoi",
    "ICNS": ".icns",
    "DDS": ".dds",
    "DIB": ".dib",
    "TGA": ".tga",
    "PCX": ".pcx",
    "ICO": ".ico",
    "CUR": ".cur",
    "FLI": ".fli .flc",
    "IM": ".im",
    "XPM": ".xpm",
    "XBM": ".xbm",
}
_FORMAT_OF = {suffix: name for name, suffixes in _FORMATS.items() for suffix in suffixes.split()}

# These say at their start what they are, so they are recognized under any name. The others are
# believed by their suffix only: any bytes can pass for a TGA.
_RECOGNIZED = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM", "PSD", "SGI", "SUN", "QOI")

_DICOM = "DICOM is not read yet; export the image as PNG or TIFF."
_REFUSED = {
    _DICOM: ".dcm .dicom .dic",
    "HEIC is not read; export the photo as JPEG or PNG.": ".heic .heif .hif",
    "Camera raw files are not read; develop them to JPEG or TIFF.": ".cr2 .cr3 .nef .arw .dng .orf .rw2 .raf .pef",
    "Slide and microscope formats are not read yet; export tiles or planes as TIFF or PNG.": (
        ".svs .ndpi .scn .mrxs .czi .lif .nd2 .vsi .oib .oif .lsm .zvi"
    ),
    "Volumes are not read yet; export their slices as PNG or TIFF.": ".nii .mha .mhd .nrrd",
    "FITS is not read yet; export the image as TIFF.": ".fits .fit .fts",
    "High-range images of this kind are not read; export them as TIFF.": ".exr .hdr",
    "This is a drawing, not pixels; export it as PNG.": ".svg .eps .ps .wmf .emf",
}
_REFUSAL_OF = {suffix: reason for reason, suffixes in _REFUSED.items() for suffix in suffixes.split()}
_VIDEOS = frozenset(".mp4 .avi .mov .mkv .mpg .mpeg .wmv .webm .m4v".split())

KNOWN_KINDS = "JPEG, PNG, TIFF, WebP, BMP, GIF, JPEG 2000, AVIF"


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says of itself. width and height in pixels as stored, before any EXIF rotation.

    `mode` is Pillow's: L, RGB, RGBA, P, CMYK, I;16, F, …; `frames` counts pages or frames.
    """

    width: int
    height: int
    mode: str
    frames: int = 1


def looks_like_image(name: str) -> bool:
    """Whether a file's name says that it is an image, of a kind that is read or of one that is not."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122  # called for every file of a folder
    return suffix in _FORMAT_OF or suffix in _REFUSAL_OF


def looks_like_video(name: str) -> bool:
    """Whether a file's name says that it is a video."""
    return os.path.splitext(name)[1].lower() in _VIDEOS  # noqa: PTH122


def starts_like_image(start: bytes) -> bool:
    """Whether the first 132 bytes of a file without a suffix are those of a common kind, or of DICOM."""
    known = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    return start.startswith(known) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP") or start[128:132] == b"DICM"


def read_header(path: Path) -> Header:
    """A file's header, without decoding. Raises `DataError` with the reason where there is none."""
    return _in_words(path, lambda: _read_header(path))


def header_of(content: bytes, path: Path) -> Header:
    """The header of a file whose bytes were read already; `path` is for its suffix and for errors."""
    return _in_words(path, lambda: _header(io.BytesIO(content), path))


def read_pixels(path: Path, channels: Channels) -> NDArray[np.uint8]:
    """A file's pixels, upright: (h, w, 3) for "rgb", (h, w, 1) for "gray". Raises `DataError`.

    The first page or frame counts. What is transparent is laid on white. CMYK, palette, Lab and
    1-bit images are converted; 16-bit, 32-bit and float values are stretched from their own lowest
    and highest to 0 … 255.
    """
    return as_pixels(read_image(path, channels))


def as_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """The values of an image in mode L or RGB: (h, w, 1) or (h, w, 3)."""
    values = np.asarray(image, dtype=np.uint8)
    return values[:, :, None] if values.ndim == 2 else values


def read_image(
    path: Path, channels: Channels, *, at_least: tuple[int, int] | None = None, keep_alpha: bool = False
) -> Image.Image:
    """As `read_pixels`, as an image in mode RGB or L (RGBA with `keep_alpha`). Raises `DataError`.

    With `at_least` (width, height) a JPEG may come smaller, by 2, 4 or 8, but never below it: its
    decoder then skips the frequencies that nobody would see.
    """
    return _in_words(path, lambda: _read_image(path, channels, at_least=at_least, keep_alpha=keep_alpha))


def _read_header(path: Path) -> Header:
    with path.open("rb") as file:
        return _header(file, path)


def _header(file: IO[bytes], path: Path) -> Header:
    with _opened(file, path) as image:
        return Header(width=image.width, height=image.height, mode=image.mode, frames=_frames(image))


def _frames(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001  # damage in a later page is no reason to refuse the first
        return 1


def _read_image(path: Path, channels: Channels, *, at_least: tuple[int, int] | None, keep_alpha: bool) -> Image.Image:
    with path.open("rb") as file, _opened(file, path) as image:
        if at_least is not None and image.format in ("JPEG", "MPO"):
            image.draft(None, at_least)
        alone = _one_large_image if image.width * image.height > _LARGE else nullcontext()
        with alone:
            image.load()
            return _eight_bits(_upright(image), channels, keep_alpha=keep_alpha)


@contextmanager
def _opened(file: IO[bytes], path: Path) -> Iterator[Image.Image]:
    suffix = path.suffix.lower()
    if suffix in _REFUSAL_OF:
        raise DataError(_REFUSAL_OF[suffix])
    with Image.open(file, formats=_formats_for(suffix)) as image:
        if image.width * image.height > PIXEL_LIMIT:
            size = f"{image.width:,} × {image.height:,}"
            raise DataError(f"It has {size} pixels, and {PIXEL_LIMIT // 1_000_000} million is the limit; tile it.")
        if image.width < 1 or image.height < 1:
            raise DataError("It has no pixels.")
        yield image


@cache
def _formats_for(suffix: str) -> list[str]:
    Image.init()
    own = _FORMAT_OF.get(suffix)
    names = [*([own] if own else []), *(name for name in _RECOGNIZED if name != own)]
    return [name for name in names if name in Image.OPEN]  # AVIF and JPEG 2000 are optional parts of Pillow


def _upright(image: Image.Image) -> Image.Image:
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # noqa: BLE001  # a damaged EXIF block says nothing about the pixels
        return image
    return image


def _eight_bits(image: Image.Image, channels: Channels, *, keep_alpha: bool) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        image = _stretched(image)
    elif image.mode == "LAB":
        image = _from_lab(image)
    elif image.mode == "PA" or (image.mode in ("P", "L", "RGB", "1") and "transparency" in image.info):
        image = image.convert("RGBA")
    elif image.mode in ("La", "LA", "RGBa"):
        image = image.convert("RGBA" if image.mode == "RGBa" else "LA").convert("RGBA")
    if keep_alpha:
        return image.convert("RGBA")
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    mode = "RGB" if channels == "rgb" else "L"
    if image.mode == "P":
        image = image.convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def _stretched(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float64 if image.mode == "I" else np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        raise DataError("None of its values is a number.")
    low, high = float(values[finite].min()), float(values[finite].max())
    if high > low:
        scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (255.0 / (high - low))
    else:
        scaled = np.zeros_like(values)
    return Image.fromarray(np.rint(scaled).clip(0, 255).astype(np.uint8))


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    turned = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert turned is not None
    return turned


def _in_words(path: Path, work: Callable[[], Result]) -> Result:
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
        return _DICOM
    if starts_like_image(start):
        return "It is damaged or cut off within its header."
    return "It is not an image of a known kind."


_QUIET: dict[str, Any] = {"action": "ignore", "module": r"PIL\."}


def _hush() -> None:
    """Keeps Pillow's remarks on odd files off the console, and from becoming errors under -W error.

    One filter for the process: `warnings.catch_warnings` is not safe where threads decode.
    """
    Image.MAX_IMAGE_PIXELS = PIXEL_LIMIT  # Pillow refuses at twice this also what is nested inside a file
    for kept in warnings.filters:
        if kept[0] == "ignore" and getattr(kept[3], "pattern", kept[3]) == _QUIET["module"]:
            return
    warnings.filterwarnings(**_QUIET)
