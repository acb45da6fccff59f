"""Which files are images, by their names and first bytes, and why some kinds are not read."""

import os
from functools import cache

from PIL import Image

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

DICOM = "DICOM is not read yet; export the image as PNG or TIFF."
_REFUSED = {
    DICOM: ".dcm .dicom .dic",
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
REFUSAL_OF = {suffix: reason for reason, suffixes in _REFUSED.items() for suffix in suffixes.split()}
_VIDEOS = frozenset(".mp4 .avi .mov .mkv .mpg .mpeg .wmv .webm .m4v".split())

KNOWN_KINDS = "JPEG, PNG, TIFF, WebP, BMP, GIF, JPEG 2000, AVIF"


def looks_like_image(name: str) -> bool:
    """Whether a file's name says that it is an image, of a kind that is read or of one that is not."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122  # called for every file of a folder
    return suffix in _FORMAT_OF or suffix in REFUSAL_OF


def looks_like_video(name: str) -> bool:
    """Whether a file's name says that it is a video."""
    return os.path.splitext(name)[1].lower() in _VIDEOS  # noqa: PTH122


def starts_like_image(start: bytes) -> bool:
    """Whether the first 132 bytes of a file without a suffix are those of a common kind, or of DICOM."""
    known = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    return start.startswith(known) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP") or start[128:132] == b"DICM"


@cache
def formats_for(suffix: str) -> list[str]:
    """Pillow's names of the formats that a file with this suffix may have, the likeliest first."""
    Image.init()
    own = _FORMAT_OF.get(suffix)
    names = [*([own] if own else []), *(name for name in _RECOGNIZED if name != own)]
    return [name for name in names if name in Image.OPEN]  # AVIF and JPEG 2000 are optional parts of Pillow
