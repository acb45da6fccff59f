"""Thumbnails: letterboxed, upright, and empty where a file cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.data.thumbnails import thumbnails
from workbench.spec.errors import UsageError


def test_letterboxed_and_transparent_outside(tmp_path: Path) -> None:
    Image.new("RGB", (400, 200), "red").save(tmp_path / "wide.jpg", quality=95)
    Image.new("RGBA", (50, 100), (0, 255, 0, 128)).save(tmp_path / "high.png")
    (tmp_path / "broken.png").write_bytes(b"")
    pictures = thumbnails(tmp_path, ["wide.jpg", "high.png", "broken.png"], 64)
    assert pictures.shape == (3, 64, 64, 4)
    wide, high, broken = pictures
    assert (wide[16:48, :, 3] == 255).all()
    assert (wide[:16, :, 3] == 0).all()
    assert (wide[48:, :, 3] == 0).all()
    assert (np.abs(wide[32, 32, :3].astype(int) - [254, 0, 0]) < 4).all()
    assert (high[:, 16:48, 3] == 128).all()
    assert (high[:, :16, 3] == 0).all()
    assert not broken.any()


def test_small_images_are_enlarged_pixel_by_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    picture = thumbnails(tmp_path, ["a.png"], 32)[0, :, :, :3]
    assert np.array_equal(picture, pixels.repeat(8, axis=0).repeat(8, axis=1))


def test_no_files_and_odd_sizes(tmp_path: Path) -> None:
    assert thumbnails(tmp_path, [], 16).shape == (0, 16, 16, 4)
    with pytest.raises(UsageError):
        thumbnails(tmp_path, [], 0)
