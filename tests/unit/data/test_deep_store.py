"""The pixel store of 16 bits and of planes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from msgspec.structs import replace

from workbench.data.prepare import prepare
from workbench.data.store import open_store
from workbench.runs.split import SplitTable
from workbench.spec.errors import CheckError
from workbench.spec.experiment import DataSpec, Experiment
from workbench.spec.pixels import channels_of

SIZE = 16


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten dim five-plane images, one of two planes, and one that is cut off."""
    root = tmp_path / "images"
    root.mkdir()
    for number, image in enumerate(pixels()):
        tifffile.imwrite(root / f"{number}.tif", image, photometric="minisblack")
    tifffile.imwrite(root / "two.tif", pixels()[0, :2], photometric="minisblack")
    (root / "cut.tif").write_bytes((root / "0.tif").read_bytes()[:1500])
    return root


def pixels() -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Values of a few hundred, whose deviation is a hundredth of an 8-bit level."""
    return np.random.default_rng(3).integers(400, 440, (10, 5, SIZE, SIZE)).astype(np.uint16)


def spec(folder: Path, **changes: Any) -> DataSpec:
    return DataSpec(**{"folder": str(folder), "size": SIZE, "channels": "planes", "depth": "16", **changes})


def table(folder: Path) -> SplitTable:
    paths = tuple(sorted(path.name for path in folder.iterdir()))
    return SplitTable(paths=paths, parts=("train",) * len(paths), labels=("",) * len(paths))


def test_it_keeps_every_bit_and_says_what_is_left_out(folder: Path, tmp_path: Path) -> None:
    store, kept, broken = open_store(folder, table(folder), spec(folder), tmp_path / "cache")
    assert store.pixels.dtype == np.uint16
    np.testing.assert_array_equal(store.pixels, pixels())
    assert kept.paths == tuple(f"{number}.tif" for number in range(10))
    reasons = {one.path: one.reason for one in broken}
    assert reasons["two.tif"] == "It has 2 planes, the others 5."
    assert "cut.tif" in reasons
    again, _, _ = open_store(folder, table(folder), spec(folder), tmp_path / "cache")
    assert again.path == store.path


def test_mean_and_deviation_of_dim_images_are_exact(folder: Path, tmp_path: Path) -> None:
    store, _, _ = open_store(folder, table(folder), spec(folder), tmp_path / "cache")
    values = pixels().astype(np.float64) / 65_535
    np.testing.assert_allclose(store.mean, values.mean(axis=(0, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(store.std, values.std(axis=(0, 2, 3)), rtol=1e-6)


def test_another_scale_is_another_store_and_the_usual_one_keeps_its_name(folder: Path, tmp_path: Path) -> None:
    def path(**changes: Any) -> Path:
        return open_store(folder, table(folder), spec(folder, **changes), tmp_path / "cache")[0].path

    assert len({path(), path(depth="8"), path(white=4095.0), path(black=10.0, white=4095.0), path()}) == 4
    gray = {"channels": "gray", "depth": "8"}
    family = path(**gray).name.split("-")[0]
    assert family == path(**gray, planes=5).name.split("-")[0], "planes are nothing to images of one channel"
    from workbench.data.fit import DECODING
    from workbench.data.store import _digest

    assert family == _digest(str(folder), SIZE, "crop", "gray", DECODING), "as stores had it before there were scales"


def test_prepare_counts_the_planes_and_leaves_others_out(folder: Path, tmp_path: Path) -> None:
    prepared = prepare(Experiment(data=spec(folder)), cache=tmp_path / "cache")
    assert prepared.store.pixels.shape == (10, 5, SIZE, SIZE)
    assert any(one.path == "two.tif" for one in prepared.broken)
    asked = prepare(Experiment(data=spec(folder, planes=2)), cache=tmp_path / "cache")
    assert asked.table.paths == ("two.tif",)
    with pytest.raises(CheckError, match="not known how many planes"):
        channels_of(spec(folder))
    assert channels_of(replace(spec(folder), planes=5)) == 5
