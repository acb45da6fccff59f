"""Image files as they occur in the wild: what counts as one, its header, and its pixels as 8 bits.

Files are data from strangers. Only formats whose decoders are plain code are opened (no PostScript,
no Windows metafile), sizes are limited before anything is decoded, and whatever a decoder raises
becomes a `DataError` with a reason in words.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from workbench.data.kinds import REFUSAL_OF, formats_for
from workbench.data.reasons import PIXEL_LIMIT, in_words
from workbench.data.tiff import Layout, read_first_page, read_layout
from workbench.spec.errors import DataError

Colors = Literal["rgb", "gray"]

_LARGE = 25_000_000  # Images above this are decoded one at a time, so that threads do not fill the memory.
_one_large_image = threading.Lock()
_BITS_PER_SAMPLE = 258

PALETTES = ("P", "PA")
"""Modes of which the values are no measurements, so that pages of them are no planes."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says of itself. width and height in pixels as stored, before any EXIF rotation.

    `mode` is Pillow's: L, RGB, RGBA, P, CMYK, I;16, F, …, or 'planes' where the samples are no colors that are
    known; `frames` counts pages or frames; `planes` are those that `data.planes` would read; `bits` of a value.
    """

    width: int
    height: int
    mode: str
    frames: int = 1
    planes: int = 1
    bits: int = 8


def read_header(path: Path) -> Header:
    """A file's header, without decoding. Raises `DataError` with the reason where there is none."""
    return in_words(path, lambda: _read_header(path))


def header_of(content: bytes, path: Path) -> Header:
    """The header of a file whose bytes were read already; `path` is for its suffix and for errors."""
    return in_words(path, lambda: _header(io.BytesIO(content), path))


def read_pixels(path: Path, channels: Colors) -> NDArray[np.uint8]:
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
    path: Path, channels: Colors, *, at_least: tuple[int, int] | None = None, keep_alpha: bool = False
) -> Image.Image:
    """As `read_pixels`, as an image in mode RGB or L (RGBA with `keep_alpha`). Raises `DataError`.

    With `at_least` (width, height) a JPEG may come smaller, by 2, 4 or 8, but never below it: its
    decoder then skips the frequencies that nobody would see.
    """
    return in_words(path, lambda: _read_image(path, channels, at_least=at_least, keep_alpha=keep_alpha))


def _read_header(path: Path) -> Header:
    with path.open("rb") as file:
        return _header(file, path)


def _header(file: IO[bytes], path: Path) -> Header:
    try:
        with opened(file, path) as image:
            header = Header(
                width=image.width,
                height=image.height,
                mode=image.mode,
                frames=frames_of(image),
                planes=len(plain_mode(image)),
                bits=bits_of(image),
            )
    except UnidentifiedImageError:
        if not is_tiff(file):
            raise
        layout = read_layout(file)
        return Header(
            width=layout.width, height=layout.height, mode=layout.mode, planes=layout.planes, bits=layout.bits
        )
    if header.frames == 1 or header.mode in PALETTES or not is_tiff(file):
        return header
    try:
        return replace(header, planes=read_layout(file).planes)
    except Exception:  # noqa: BLE001  # what is wrong with later pages does not matter to who wants the first
        return header


def frames_of(image: Image.Image) -> int:
    """How many pages or frames there are."""
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001  # damage in a later page is no reason to refuse the first
        return 1


def _read_image(path: Path, channels: Colors, *, at_least: tuple[int, int] | None, keep_alpha: bool) -> Image.Image:
    with path.open("rb") as file:
        try:
            with opened(file, path) as image:
                if at_least is not None and image.format in ("JPEG", "MPO"):
                    image.draft(None, at_least)
                with alone(image.width * image.height):
                    image.load()
                    return _eight_bits(upright(image), channels, keep_alpha=keep_alpha)
        except UnidentifiedImageError:
            if not is_tiff(file):
                raise
        planes, layout = read_first_page(file)
        return _eight_bits(_as_image(planes, layout), channels, keep_alpha=keep_alpha)


def alone(pixels: int) -> AbstractContextManager[object]:
    """Images of so many pixels that threads together would fill the memory wait for each other."""
    return _one_large_image if pixels > _LARGE else nullcontext()


@contextmanager
def opened(file: IO[bytes], path: Path) -> Iterator[Image.Image]:
    """An image that is open and not decoded. Raises `DataError` for what is refused, and what Pillow raises."""
    suffix = path.suffix.lower()
    if suffix in REFUSAL_OF:
        raise DataError(REFUSAL_OF[suffix])
    with Image.open(file, formats=formats_for(suffix)) as image:
        if image.width * image.height > PIXEL_LIMIT:
            size = f"{image.width:,} × {image.height:,}"
            raise DataError(f"It has {size} pixels, and {PIXEL_LIMIT // 1_000_000} million is the limit; tile it.")
        if image.width < 1 or image.height < 1:
            raise DataError("It has no pixels.")
        yield image


def is_tiff(file: IO[bytes]) -> bool:
    """By its first bytes; BigTIFF included."""
    file.seek(0)
    return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def bits_of(image: Image.Image) -> int:
    """Bits of a value in the file, which may be more than Pillow keeps of it."""
    if image.format == "TIFF":
        said = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
        return max((int(bits) for bits in said), default=8)
    if image.format == "PNG" and any(str(tile[3]).endswith(";16B") for tile in getattr(image, "tile", ())):
        return 16
    if image.mode.startswith("I;16"):
        return 16
    return 32 if image.mode in ("I", "F") else 1 if image.mode == "1" else 8


def plain_mode(image: Image.Image) -> tuple[str, ...]:
    """The bands that an image has as planes: its own where they are numbers, red, green and blue else."""
    if image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16"):
        return ("L",)
    if image.mode in ("LA", "La"):
        return ("L", "A")
    alpha = image.mode in ("RGBA", "RGBa", "PA") or (image.mode == "P" and "transparency" in image.info)
    return ("R", "G", "B", "A") if alpha else ("R", "G", "B")


def upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF block says."""
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # noqa: BLE001  # a damaged EXIF block says nothing about the pixels
        return image
    return image


def _as_image(planes: NDArray[np.generic], layout: Layout) -> Image.Image:
    """What Pillow does not read, as one of its images: gray in its own values, colors stretched together."""
    if layout.colors == 1:
        return Image.fromarray(planes[0].astype(np.float32))
    if layout.colors == 3:
        return Image.fromarray(np.ascontiguousarray(np.moveaxis(stretched(planes[:3]), 0, -1)))
    raise DataError(f"It has {len(planes)} planes that are no known colors.", hint="Set data.channels to 'planes'.")


def _eight_bits(image: Image.Image, channels: Colors, *, keep_alpha: bool) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(stretched(np.asarray(image)))
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


def stretched(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Values of any shape from their own lowest and highest to 0 … 255. Raises `DataError` where none is a number."""
    numbers = values.astype(np.float32 if values.dtype.itemsize <= 2 or values.dtype == np.float32 else np.float64)
    finite = np.isfinite(numbers)
    if not finite.any():
        raise DataError("None of its values is a number.")
    low, high = float(numbers[finite].min()), float(numbers[finite].max())
    if high > low:
        scaled = (np.nan_to_num(numbers, nan=low, posinf=high, neginf=low) - low) * (255.0 / (high - low))
    else:
        scaled = np.zeros_like(numbers)
    levels: NDArray[np.uint8] = np.rint(scaled).clip(0, 255).astype(np.uint8)
    return levels


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    turned = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert turned is not None
    return turned
