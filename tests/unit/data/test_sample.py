"""The painted sample: the same every time, every factor in balance, and careful with a user's folder."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.data.sample import FACTORS, _combinations, is_sample, paint_sample
from workbench.data.scan import scan_folder
from workbench.spec.errors import Cancelled, DataError, UsageError


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_it_scans_as_what_it_is(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    paint_sample(tmp_path / "s", count=70, size=32, report=lambda *what: told.append(what))
    report = scan_folder(tmp_path / "s")
    assert report.count == 70
    assert report.broken == ()
    assert set(report.widths) == set(report.heights) == {32}
    assert report.tables[0].columns == tuple(FACTORS)
    assert report.tables[0].matched == 70
    assert not any("copy" in note for note in report.notes)
    assert told[-1] == ("Painting", 70, 70)


def test_it_is_the_same_every_time_and_the_start_of_a_larger_one(tmp_path: Path) -> None:
    paint_sample(tmp_path / "a", count=10, size=24)
    paint_sample(tmp_path / "b", count=80, size=24)
    paint_sample(tmp_path / "c", count=10, size=24, seed=1)
    assert rows_of(tmp_path / "a") == rows_of(tmp_path / "b")[:10]
    for row in rows_of(tmp_path / "a"):
        picture = (tmp_path / "a" / row["path"]).read_bytes()
        assert picture == (tmp_path / "b" / row["path"]).read_bytes()
        assert picture != (tmp_path / "c" / row["path"]).read_bytes()


def test_painting_again_touches_nothing_and_removes_the_rest(tmp_path: Path) -> None:
    paint_sample(tmp_path, count=20, size=16)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "images").iterdir()}
    paint_sample(tmp_path, count=12, size=16)
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "images").iterdir()}
    assert len(after) == 12
    assert after == {path: before[path] for path in after}


def test_factors_are_balanced_and_independent() -> None:
    rows = _combinations(2 * 2304, seed=0)
    for column, values in enumerate(FACTORS.values()):
        assert np.bincount(rows[:, column]).tolist() == [2 * 2304 // len(values)] * len(values)
    for half in (rows[:2304], rows[2304:]):
        assert len({tuple(row) for row in half.tolist()}) == 2304


def test_color_is_seen(tmp_path: Path) -> None:
    """The most saturated pixels of a picture have the hue that its row names."""
    paint_sample(tmp_path, count=60, size=48)
    hues = {"red": 0, "yellow": 47, "green": 125, "cyan": 182, "blue": 222, "magenta": 305}
    for row in rows_of(tmp_path):
        hsv = np.asarray(Image.open(tmp_path / row["path"]).convert("HSV")).reshape(-1, 3).astype(float)
        vivid = hsv[np.argsort(-hsv[:, 1] * hsv[:, 2])[:60], 0] * 360 / 255
        away = np.abs((vivid - hues[row["color"]] + 180) % 360 - 180)
        assert np.median(away) < 25


def test_masks_say_where_the_body_is(tmp_path: Path) -> None:
    paint_sample(tmp_path / "s", count=70, size=32, masks=tmp_path / "m")
    assert scan_folder(tmp_path / "s").count == 70
    table = [row["path"] for row in rows_of(tmp_path / "s")]
    assert sorted(path.relative_to(tmp_path / "m").as_posix() for path in (tmp_path / "m").rglob("*.png")) == table
    colorful = []
    for path in table:
        mask = np.asarray(Image.open(tmp_path / "m" / path))
        assert set(np.unique(mask)) == {0, 255}
        saturation = np.asarray(Image.open(tmp_path / "s" / path).convert("HSV"))[..., 1].astype(float)
        colorful.append(np.median(saturation[mask > 0]) > 1.5 * np.median(saturation[mask == 0]))
    assert np.mean(colorful) > 0.95, "bodies are vivid, grounds are muted"
    paint_sample(tmp_path / "s", count=12, size=32, masks=tmp_path / "m")
    assert len(list((tmp_path / "m" / "images").iterdir())) == 12


def test_masks_are_never_put_among_images_nor_over_something_else(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would be taken for images"):
        paint_sample(tmp_path / "s", count=5, masks=tmp_path / "s" / "masks")
    (tmp_path / "other" / "images").mkdir(parents=True)
    (tmp_path / "other" / "images" / "holiday.png").write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"something else than masks \(holiday.png\)"):
        paint_sample(tmp_path / "s", count=5, masks=tmp_path / "other")
    assert not (tmp_path / "s").exists()


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(UsageError, match="not empty"):
        paint_sample(tmp_path, count=5)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(UsageError, match="is a file"):
        paint_sample(tmp_path / "thesis.txt", count=5)


@pytest.mark.parametrize(("count", "size"), [(0, 64), (10**9, 64), (5, 4), (5, 10_000)])
def test_odd_numbers_are_refused(tmp_path: Path, count: int, size: int) -> None:
    with pytest.raises(UsageError):
        paint_sample(tmp_path / "s", count=count, size=size)
    assert not (tmp_path / "s").exists()


def test_what_was_cut_short_can_be_finished(tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        paint_sample(tmp_path, count=80, size=16, report=stop)
    assert is_sample(tmp_path)
    paint_sample(tmp_path, count=80, size=16)
    assert scan_folder(tmp_path).count == 80


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises((UsageError, DataError)):
        paint_sample(tmp_path / "file" / "sample", count=5)
