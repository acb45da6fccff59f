"""TIFFs of every layout as planes, deep images on one scale, and what is refused."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from workbench.data import planes
from workbench.data.formats import read_header, read_pixels
from workbench.data.prepare import read_images
from workbench.data.scan import scan_folder
from workbench.data.thumbnails import thumbnails
from workbench.data.window import suggest_window
from workbench.spec.errors import DataError, SpecError
from workbench.spec.experiment import DataSpec
from workbench.spec.pixels import scale_in_words

SIZE = 24
FIVE = np.random.default_rng(0).integers(0, 4096, (5, SIZE, SIZE)).astype(np.uint16)
LAST = np.ascontiguousarray(np.moveaxis(FIVE, 0, -1))

LAYOUTS: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
    "pages": (FIVE, {"photometric": "minisblack"}),
    "deflate": (FIVE, {"photometric": "minisblack", "compression": "zlib", "predictor": True}),
    "tiles": (FIVE, {"photometric": "minisblack", "tile": (16, 16)}),
    "imagej channels": (FIVE[None, None], {"imagej": True, "metadata": {"axes": "TZCYX"}}),
    "imagej slices": (FIVE[None, :, None], {"imagej": True, "metadata": {"axes": "TZCYX"}}),
    "ome": (FIVE, {"ome": True, "metadata": {"axes": "CYX"}, "photometric": "minisblack"}),
    "ome stack": (
        np.stack([FIVE, FIVE // 2]),
        {"ome": True, "metadata": {"axes": "ZCYX"}, "photometric": "minisblack"},
    ),
    "planar": (FIVE, {"planarconfig": "separate", "photometric": "minisblack"}),
    "contiguous": (LAST, {"planarconfig": "contig", "photometric": "minisblack"}),
    "big": (FIVE, {"photometric": "minisblack", "bigtiff": True}),
}


def spec(folder: Path, **changes: Any) -> DataSpec:
    return DataSpec(**{"folder": str(folder), "size": SIZE, "channels": "planes", "depth": "16", **changes})


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_its_planes_to_the_bit(layout: str, tmp_path: Path) -> None:
    values, how = LAYOUTS[layout]
    tifffile.imwrite(tmp_path / "a.tif", values, **how)
    header = read_header(tmp_path / "a.tif")
    assert (header.width, header.height, header.planes, header.bits) == (SIZE, SIZE, 5, 16)
    stored = read_images(tmp_path, ["a.tif"], spec(tmp_path))
    assert stored.dtype == np.uint16
    np.testing.assert_array_equal(stored[0], FIVE)
    eight = read_images(tmp_path, ["a.tif"], spec(tmp_path, depth="8"))
    np.testing.assert_array_equal(eight[0], np.rint(FIVE / 257).astype(np.uint8))


def test_pages_that_only_pillow_decodes(tmp_path: Path) -> None:
    pages = [Image.fromarray(plane) for plane in FIVE]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    np.testing.assert_array_equal(read_images(tmp_path, ["a.tif"], spec(tmp_path))[0], FIVE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int, tmp_path: Path) -> None:
    colors = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    deep = colors.astype(np.uint16) * 257
    for name, values in (("eight.tif", colors), ("deep.tif", deep)):
        how: dict[str, Any] = {"extratags": [(274, "H", 1, orientation, False)]}
        tifffile.imwrite(tmp_path / name, values, photometric="rgb", **how)
    np.testing.assert_array_equal(
        read_images(tmp_path, ["deep.tif"], spec(tmp_path, channels="rgb", depth="16"))[0].transpose(1, 2, 0) // 257,
        read_pixels(tmp_path / "eight.tif", "rgb"),
    )


@pytest.mark.parametrize(("mode", "count"), [("1", 1), ("L", 1), ("LA", 2), ("P", 3), ("RGB", 3), ("RGBA", 4)])
def test_other_files_have_the_planes_of_their_mode(mode: str, count: int, tmp_path: Path) -> None:
    values = np.random.default_rng(2).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    image = Image.fromarray(values).convert(mode)
    image.save(tmp_path / "a.png")
    assert read_header(tmp_path / "a.png").planes == count
    stored = read_images(tmp_path, ["a.png"], spec(tmp_path, depth="8"))[0]
    plain = np.asarray(image.convert("RGB") if mode == "P" else image)
    expected = plain[None] if plain.ndim == 2 else plain.transpose(2, 0, 1)
    np.testing.assert_array_equal(stored, expected * (255 if mode == "1" else 1))
    np.testing.assert_array_equal(read_images(tmp_path, ["a.png"], spec(tmp_path))[0], stored.astype(np.uint16) * 257)


def test_twelve_bits_are_stretched_alike_in_all_images_when_told_so(tmp_path: Path) -> None:
    for number, most in enumerate((4095, 900)):
        tifffile.imwrite(tmp_path / f"{number}.tif", (FIVE[0] % (most + 1)).astype(np.uint16))
    plain = spec(tmp_path, channels="gray")
    names = ["0.tif", "1.tif"]
    np.testing.assert_array_equal(read_images(tmp_path, names, plain)[1, 0], FIVE[0] % 901)
    windowed = read_images(tmp_path, names, replace(plain, white=4095.0))
    np.testing.assert_array_equal(windowed[1, 0], np.rint((FIVE[0] % 901) * (65_535 / 4095)))
    cut = read_images(tmp_path, names, replace(plain, black=100.0, white=500.0, depth="8"))[0, 0]
    np.testing.assert_array_equal(cut, np.rint((np.clip(FIVE[0], 100, 500) - 100.0) / 400 * 255))
    stretched = read_images(tmp_path, names, DataSpec(folder=str(tmp_path), size=SIZE, channels="gray"))
    assert stretched[1].max() == 255, "at 8 bits without a window, each image has its own range, as ever"
    with pytest.raises(SpecError, match=r"data\.white: white \(1\) lies below black \(2\)"):
        read_images(tmp_path, names, replace(plain, black=2.0, white=1.0))


def test_floats_and_numbers_with_a_sign(tmp_path: Path) -> None:
    shares = (FIVE / 4095).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", shares, photometric="minisblack")
    np.testing.assert_allclose(read_images(tmp_path, ["a.tif"], spec(tmp_path))[0], shares * 65_535, atol=0.51)
    tifffile.imwrite(tmp_path / "b.tif", shares * 7 - 1, photometric="minisblack")
    with pytest.raises(DataError, match=r"go from -1 to 6.*data\.black and data\.white"):
        read_images(tmp_path, ["b.tif"], spec(tmp_path))
    told = read_images(tmp_path, ["b.tif"], spec(tmp_path, black=-1.0, white=6.0))[0]
    np.testing.assert_allclose(told, shares * 65_535, atol=0.6)
    holes = shares[0].copy()
    holes[0, :3] = (np.nan, np.inf, -np.inf)
    tifffile.imwrite(tmp_path / "c.tif", holes)
    gray = read_images(tmp_path, ["c.tif"], spec(tmp_path, channels="gray"))[0, 0]
    assert gray[0, :3].tolist() == [0, 65_535, 0]
    signed = FIVE[0].astype(np.int16) - 1000
    tifffile.imwrite(tmp_path / "d.tif", signed)
    np.testing.assert_array_equal(read_images(tmp_path, ["d.tif"], spec(tmp_path))[0, 0], signed.astype(int) + 32_768)


def test_deep_colors_keep_their_bits_and_opacity_is_laid_on_white(tmp_path: Path) -> None:
    colors = LAST[..., :3] * 16
    tifffile.imwrite(tmp_path / "a.tif", colors, photometric="rgb")
    rgb = read_images(tmp_path, ["a.tif"], spec(tmp_path, channels="rgb"))[0]
    np.testing.assert_array_equal(rgb, colors.transpose(2, 0, 1))
    gray = read_images(tmp_path, ["a.tif"], spec(tmp_path, channels="gray"))[0, 0]
    np.testing.assert_allclose(gray, colors @ (0.299, 0.587, 0.114), atol=1)
    clear = np.concatenate([colors, np.zeros_like(colors[..., :1])], axis=-1)
    tifffile.imwrite(tmp_path / "b.tif", clear, photometric="rgb", extrasamples=["unassalpha"])
    assert read_images(tmp_path, ["b.tif"], spec(tmp_path, channels="rgb")).min() == 65_535
    assert read_header(tmp_path / "b.tif").planes == 4
    assert read_images(tmp_path, ["a.tif"], DataSpec(folder="", size=SIZE)).shape == (1, 3, SIZE, SIZE)
    tifffile.imwrite(tmp_path / "c.tif", LAST, photometric="minisblack", planarconfig="contig")
    with pytest.raises(DataError, match=r"5 planes that are no known colors"):
        read_images(tmp_path, ["c.tif"], spec(tmp_path, channels="gray"))


def test_png_of_16_bits(tmp_path: Path) -> None:
    Image.fromarray(FIVE[0]).save(tmp_path / "gray.png")
    np.testing.assert_array_equal(read_images(tmp_path, ["gray.png"], spec(tmp_path, channels="gray"))[0, 0], FIVE[0])
    (tmp_path / "color.png").write_bytes(_deep_png())
    assert read_header(tmp_path / "color.png").bits == 16
    assert read_images(tmp_path, ["color.png"], spec(tmp_path, channels="rgb", depth="8", size=8)).shape[1] == 3
    with pytest.raises(DataError, match=r"16-bit colors is read at 8 bits only"):
        read_images(tmp_path, ["color.png"], spec(tmp_path, channels="rgb", size=8))


def _deep_png() -> bytes:
    """Eight by eight pixels of 16-bit black, written by hand: Pillow writes no such file."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    lines = (b"\0" + bytes(8 * 6)) * 8
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def test_another_number_of_planes_is_a_broken_file(tmp_path: Path) -> None:
    for number in range(3):
        tifffile.imwrite(tmp_path / f"{number}.tif", FIVE, photometric="minisblack")
    tifffile.imwrite(tmp_path / "two.tif", FIVE[:2], photometric="minisblack")
    tifffile.imwrite(tmp_path / "many.tif", np.zeros((65, 4, 4), np.uint8), photometric="minisblack")
    paths = ["0.tif", "1.tif", "2.tif", "two.tif"]
    assert planes.counted(spec(tmp_path), tmp_path, paths).planes == 5
    with pytest.raises(DataError, match=r"two\.tif cannot be read: It has 2 planes, the others 5\."):
        read_images(tmp_path, paths, spec(tmp_path))
    with pytest.raises(DataError, match="65 planes, and 64 is the limit"):
        read_images(tmp_path, ["many.tif"], spec(tmp_path))
    scan = scan_folder(tmp_path)
    assert (scan.usual_planes, scan.planes) == (5, (5, 5, 5, 65, 2))
    assert any("the others are left out" in note for note in scan.notes)


def test_damaged_files_have_reasons(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FIVE, photometric="minisblack", compression="zlib")
    whole = bytearray((tmp_path / "a.tif").read_bytes())
    rng = np.random.default_rng(0)
    for _ in range(30):
        broken = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            broken[place] = rng.integers(0, 256)
        (tmp_path / "b.tif").write_bytes(broken[: rng.integers(1, len(whole) + 1)])
        with suppress(DataError):
            assert read_images(tmp_path, ["b.tif"], spec(tmp_path, planes=5)).shape == (1, 5, SIZE, SIZE)


def test_thumbnails_show_three_planes_each_from_its_own_range(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FIVE // (np.arange(5)[:, None, None] + 1), photometric="minisblack")
    tifffile.imwrite(tmp_path / "b.tif", FIVE[:2], photometric="minisblack")
    five, two = thumbnails(tmp_path, ["a.tif", "b.tif"], SIZE)
    assert five[..., :3].reshape(-1, 3).max(axis=0).tolist() == [255, 255, 255]
    assert two[..., 2].max() == 0
    assert five[..., 3].min() == 255


def test_a_window_is_suggested_from_the_values(tmp_path: Path) -> None:
    def suggested(values: NDArray[Any]) -> tuple[float, float]:
        tifffile.imwrite(tmp_path / "a.tif", values)
        window = suggest_window(tmp_path, ["a.tif"])
        assert window is not None
        return window.black, window.white

    assert suggested(FIVE[0]) == (0, 4095)
    assert suggested(FIVE[0] * 16) == (0, 0)
    assert suggested(FIVE[0] % 200) == (0, 255)
    assert suggested((FIVE[0] / 4095).astype(np.float32)) == (0, 0)
    black, white = suggested(FIVE[0].astype(np.float32) - 1024)
    assert black <= -1024 < 3000 < white <= 3100
    assert suggest_window(tmp_path, ["gone.tif"]) is None


def test_the_scale_is_said_in_words() -> None:
    data = DataSpec(folder="")
    assert "each from its own lowest" in scale_in_words(data)
    assert "the same for all images" in scale_in_words(replace(data, depth="16"))
    assert scale_in_words(replace(data, white=4095.0)).startswith("The value 0 becomes black and 4095 white")
