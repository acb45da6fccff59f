"""Files as they occur in the wild: read sensibly, or refused in words."""

import struct
import warnings
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.data import formats
from workbench.spec.errors import DataError


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=2).astype(np.uint8))


def test_header_is_read_without_pixels(tmp_path: Path) -> None:
    gradient(400, 300).save(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[:-2000])
    assert formats.read_header(tmp_path / "cut.jpg") == formats.Header(width=400, height=300, mode="RGB", planes=3)
    with pytest.raises(DataError, match="cut off"):
        formats.read_pixels(tmp_path / "cut.jpg", "rgb")


def test_pages_are_counted_and_the_first_is_read(tmp_path: Path) -> None:
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    for suffix in ("tif", "gif", "webp"):
        red.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[blue], lossless=True)
        assert formats.read_header(tmp_path / f"a.{suffix}").frames == 2
        assert formats.read_pixels(tmp_path / f"a.{suffix}", "rgb")[4, 4].tolist() == pytest.approx([255, 0, 0], abs=2)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path: Path, orientation: int) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = gradient()
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(formats.read_pixels(tmp_path / "a.png", "rgb"), np.asarray(upright))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "YCbCr"])
def test_every_mode_gives_color_and_gray(tmp_path: Path, mode: str) -> None:
    image = Image.new("LAB", (40, 30), (128, 128, 128)) if mode == "LAB" else gradient().convert(mode)
    path = tmp_path / ("a.png" if mode in ("1", "LA", "RGBA", "P") else "a.tif")
    image.save(path)
    color, gray = formats.read_pixels(path, "rgb"), formats.read_pixels(path, "gray")
    assert color.shape == (30, 40, 3)
    assert gray.shape == (30, 40, 1)
    assert np.abs(np.asarray(Image.fromarray(color).convert("L")).astype(int) - gray[:, :, 0]).max() <= 1
    if mode not in ("1", "LAB"):
        assert np.abs(gray[:, :, 0].astype(int) - np.asarray(gradient().convert("L"))).mean() < 12


@pytest.mark.parametrize("kind", ["uint16", "int32", "float32"])
def test_deep_values_are_stretched_from_their_own_range(tmp_path: Path, kind: str) -> None:
    values = np.linspace(1000, 5000, 64).reshape(8, 8).astype(kind)
    Image.fromarray(values).save(tmp_path / "a.tif")
    pixels = formats.read_pixels(tmp_path / "a.tif", "gray")[:, :, 0]
    expected = (values.astype(float) - 1000) / 4000 * 255
    assert np.abs(pixels - expected).max() <= 0.6


def test_float_with_holes_and_without_any_number(tmp_path: Path) -> None:
    values = np.array([[0.0, 1.0], [np.nan, np.inf]], dtype=np.float32)
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert formats.read_pixels(tmp_path / "a.tif", "gray").ravel().tolist() == [0, 255, 0, 255]
    Image.fromarray(np.full((2, 2), np.nan, dtype=np.float32)).save(tmp_path / "b.tif")
    with pytest.raises(DataError, match="None of its values"):
        formats.read_pixels(tmp_path / "b.tif", "gray")


def test_transparent_is_laid_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    Image.new("P", (4, 4), 0).save(tmp_path / "p.gif", transparency=0)
    for name in ("a.png", "p.gif"):
        assert formats.read_pixels(tmp_path / name, "rgb").min() == 255
        assert formats.read_pixels(tmp_path / name, "gray").min() == 255


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", b"", "empty"),
        ("a.jpg", b"hello, I am a text", "not an image"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "header"),
        ("a.dcm", b"", "DICOM"),
        ("dicom", bytes(128) + b"DICM", "DICOM"),
        ("a.svg", b"<svg/>", "drawing"),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "drawing"),
        ("a.heic", b"", "HEIC"),
        ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not an image"),
    ],
)
def test_refused_in_words(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=reason):
        formats.read_header(tmp_path / name)
    with pytest.raises(DataError, match=reason):
        formats.read_pixels(tmp_path / name, "rgb")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no longer there"):
        formats.read_header(tmp_path / "gone.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(DataError):
        formats.read_header(tmp_path / "folder.png")


@pytest.mark.parametrize("side", [16_000, 60_000])
def test_bombs_are_refused_before_decoding(tmp_path: Path, side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")
    )
    (tmp_path / "bomb.png").write_bytes(bomb)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match="million"):
            formats.read_header(tmp_path / "bomb.png")


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    gradient().save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert np.array_equal(formats.read_pixels(tmp_path / "a.jpg", "rgb"), np.asarray(gradient()))


def test_any_bytes_give_pixels_or_a_reason(tmp_path: Path) -> None:
    """Damage at every place of a small file: never another error, never a warning that gets out."""
    rng = np.random.default_rng(0)
    for suffix in ("jpg", "png", "tif", "gif", "bmp", "webp", "tga", "ico"):
        gradient(16, 16).save(tmp_path / f"whole.{suffix}")
        whole = bytearray((tmp_path / f"whole.{suffix}").read_bytes())
        for _ in range(15):
            broken = bytearray(whole)
            for place in rng.integers(0, len(whole), 4):
                broken[place] = rng.integers(0, 256)
            path = tmp_path / f"broken.{suffix}"
            path.write_bytes(broken[: rng.integers(1, len(whole) + 1)])
            with suppress(DataError):
                assert formats.read_pixels(path, "rgb").dtype == np.uint8


def test_draft_reads_less_but_never_too_little(tmp_path: Path) -> None:
    gradient(800, 600).save(tmp_path / "a.jpg", quality=95)
    small = formats.read_image(tmp_path / "a.jpg", "rgb", at_least=(120, 120))
    assert small.size == (200, 150)
    assert formats.read_image(tmp_path / "a.jpg", "rgb").size == (800, 600)
