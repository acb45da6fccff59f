"""The pixel store and what is prepared for training: built once, whole or not at all, and found again."""

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from workbench.data import store as store_module
from workbench.data.prepare import Prepared, prepare, read_images, readable_images
from workbench.data.store import open_store
from workbench.runs.split import SplitTable
from workbench.spec.errors import Cancelled, DataError, NotFoundError
from workbench.spec.experiment import DataSpec, Experiment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in "ab":
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number:02d}.png")
    return tmp_path / "images"


def table_of(folder: Path) -> SplitTable:
    paths = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png")))
    parts = tuple("test" if row % 5 == 0 else "train" for row in range(len(paths)))
    return SplitTable(paths=paths, parts=parts, labels=tuple(path[0] for path in paths), factors={"name": tuple(paths)})


def prepared(folder: Path, cache: Path, **values: object) -> Prepared:
    data = DataSpec(folder=str(folder), labels="folders", size=8, **values)  # type: ignore[arg-type]
    return prepare(Experiment(data=data), cache=cache)


@pytest.mark.parametrize("channels", ["rgb", "gray"])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_rows_are_the_files_in_order(folder: Path, tmp_path: Path, channels: str, fit: str) -> None:
    spec = DataSpec(folder=str(folder), size=8, channels=channels, fit=fit)  # type: ignore[arg-type]
    table = table_of(folder)
    store, kept, broken = open_store(folder, table, spec, tmp_path / "cache")
    assert kept == table
    assert broken == ()
    assert store.pixels.shape == (40, 3 if channels == "rgb" else 1, 8, 8)
    assert store.pixels.dtype == np.uint8
    assert not store.pixels.flags.writeable
    assert np.array_equal(store.pixels, read_images(folder, table.paths, spec))
    train = store.pixels[table.rows("train")].astype(np.float64) / 255
    assert store.mean == pytest.approx(tuple(train.mean(axis=(0, 2, 3))), abs=1e-6)
    assert store.std == pytest.approx(tuple(train.std(axis=(0, 2, 3))), abs=1e-6)


def test_it_is_plain_hdf5(folder: Path, tmp_path: Path) -> None:
    store, _, _ = open_store(folder, table_of(folder), DataSpec(folder=str(folder), size=8), tmp_path)
    with h5py.File(store.path) as file:
        assert file["pixels"].chunks is None
        assert np.array_equal(file["pixels"][()], store.pixels)
        assert file.attrs["count"] == 40


def test_an_image_that_fits_is_kept_to_the_bit(folder: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "square.png")
    read = read_images(folder, ["square.png"], DataSpec(folder=str(folder), size=16))
    assert np.array_equal(read[0].transpose(1, 2, 0), pixels)


def test_fits(tmp_path: Path) -> None:
    pixels = np.zeros((8, 16, 3), dtype=np.uint8)
    pixels[:, 4:12] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")

    def read(fit: str) -> NDArray[np.uint8]:
        spec = DataSpec(folder=str(tmp_path), size=8, fit=fit)  # type: ignore[arg-type]
        return np.asarray(read_images(tmp_path, ["a.png"], spec)[0, 0])

    assert (read("crop") == 255).all()
    assert (read("pad")[[0, 1, 6, 7]] == 0).all()
    assert read("pad")[3, 4] == 255
    assert read("stretch")[0, 0] == 0
    assert read("stretch")[0, 4] == 255


def test_it_is_built_once_and_again_when_a_file_changes(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = prepared(folder, cache).store
    assert prepared(folder, cache).store.path == first.path
    assert prepared(folder, cache, fit="pad").store.path != first.path
    Image.new("RGB", (20, 20), "red").save(folder / "a" / "00.png")
    again = prepared(folder, cache).store
    assert again.path != first.path
    assert again.pixels[0, 0].min() > 200


def test_broken_files_are_left_out_and_the_kept_find_the_store_again(folder: Path, tmp_path: Path) -> None:
    content = (folder / "a" / "03.png").read_bytes()
    (folder / "a" / "03.png").write_bytes(content[: len(content) // 2])
    (folder / "b" / "00.png").write_bytes(b"")
    first = prepared(folder, tmp_path / "cache")
    assert [file.path for file in first.broken] == ["b/00.png", "a/03.png"]
    assert "a/03.png" not in first.table.paths
    assert len(first.table) == len(first.store) == len(first.labels) == 38
    assert sorted([*first.train_rows, *first.test_rows]) == list(range(38))
    again = prepare(
        Experiment(data=DataSpec(folder=str(folder), labels="folders", size=8)),
        cache=tmp_path / "cache",
        table=first.table,
    )
    assert again.store.path == first.store.path
    assert again.table == first.table
    assert again.broken == ()
    assert (again.store.mean, again.store.std) == (first.store.mean, first.store.std)
    assert np.array_equal(again.store.pixels, first.store.pixels)


def test_labels_are_numbered_by_sorted_class(folder: Path, tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(folder / "nothing.png")
    ready = prepared(folder, tmp_path / "cache")
    assert ready.classes == ("a", "b")
    assert ready.labels.tolist() == [0] * 20 + [1] * 20 + [-1]
    assert ready.labels.dtype == ready.train_rows.dtype == np.int64


def test_a_run_goes_on_when_its_images_are_gone(folder: Path, tmp_path: Path) -> None:
    experiment = Experiment(data=DataSpec(folder=str(folder), labels="folders", size=8))
    first = prepare(experiment, cache=tmp_path / "cache")
    (folder / "a" / "05.png").unlink()
    assert prepare(experiment, cache=tmp_path / "cache", table=first.table).store.path == first.store.path
    shutil.rmtree(folder)
    again = prepare(experiment, cache=tmp_path / "cache", table=first.table)
    assert np.array_equal(again.store.pixels, first.store.pixels)
    with pytest.raises(NotFoundError, match="no folder"):
        prepare(experiment, cache=tmp_path / "cache")
    with pytest.raises(NotFoundError, match="not in the cache"):
        prepare(experiment, cache=tmp_path / "other", table=first.table)


def test_nothing_readable(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"None of the 2 images .* a\.png: It is not an image"):
        prepared(tmp_path, tmp_path / "cache")
    image = Image.effect_noise((64, 64), 50)
    for name in ("a.png", "b.png"):
        image.save(tmp_path / name)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:500])
    with pytest.raises(DataError, match=r"None of the 2 images .* could be read: a\.png: It is cut off"):
        prepare(Experiment(data=DataSpec(folder=str(tmp_path))), cache=tmp_path / "cache")
    assert list((tmp_path / "cache" / "pixels").iterdir()) == []


def test_cancel_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what == "Decoding images" and done:
            raise Cancelled

    with pytest.raises(Cancelled):
        open_store(folder, table_of(folder), DataSpec(folder=str(folder), size=8), tmp_path / "cache", stop)
    assert list((tmp_path / "cache" / "pixels").iterdir()) == []


def test_progress_is_told(folder: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    open_store(
        folder, table_of(folder), DataSpec(folder=str(folder), size=8), tmp_path, lambda *what: told.append(what)
    )
    assert told == [("Decoding images", done, 40) for done in (0, 32, 40)]


def test_a_full_disk_is_said(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, cache = DataSpec(folder=str(folder), size=8), tmp_path / "cache"

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "_finish", full)
        with pytest.raises(DataError, match="No space left on device"):
            open_store(folder, table_of(folder), spec, cache)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(DataError, match="need"):
        open_store(folder, table_of(folder), spec, cache)
    assert list((cache / "pixels").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="a file stands for an unwritable folder only there")
def test_a_cache_that_cannot_be_written_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(DataError, match="cannot be written"):
        open_store(folder, table_of(folder), DataSpec(folder=str(folder), size=8), tmp_path / "cache")


def test_a_damaged_store_is_made_again(folder: Path, tmp_path: Path) -> None:
    first = prepared(folder, tmp_path / "cache").store
    path, expected = first.path, np.array(first.pixels)
    del first
    path.write_bytes(b"damaged")
    assert np.array_equal(prepared(folder, tmp_path / "cache").store.pixels, expected)


def test_images_of_one_color_have_a_deviation(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "gray").save(tmp_path / "a.png")
    store, _, _ = open_store(
        tmp_path,
        SplitTable(paths=("a.png",), parts=("train",), labels=("",)),
        DataSpec(folder=str(tmp_path), size=8),
        tmp_path / "cache",
    )
    assert store.std == pytest.approx((1 / 255,) * 3)


def test_readable_images_leave_the_broken_out(folder: Path) -> None:
    (folder / "bad.png").write_bytes(b"")
    spec = DataSpec(folder=str(folder), size=8)
    pixels, positions, broken = readable_images(folder, ["a/00.png", "bad.png", "b/00.png"], spec)
    assert pixels.shape == (2, 3, 8, 8)
    assert positions == (0, 2)
    assert [file.path for file in broken] == ["bad.png"]
    with pytest.raises(DataError, match=r"bad\.png cannot be read: The file is empty"):
        read_images(folder, ["bad.png"], spec)
    assert read_images(folder, [], spec).shape == (0, 3, 8, 8)
