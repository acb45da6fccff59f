"""What is in a folder: images, classes, parts, label tables, and what is wrong with it."""

import os
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from workbench.data.classes import classes_and_parts
from workbench.data.scan import scan_folder
from workbench.spec.dataset import ScanReport
from workbench.spec.errors import Cancelled, NotFoundError


def paint(path: Path, color: str = "red", size: tuple[int, int] = (12, 10), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


def test_columns_agree_and_are_sorted(tmp_path: Path) -> None:
    paint(tmp_path / "b" / "2.png", size=(20, 10))
    paint(tmp_path / "a" / "1.jpg")
    paint(tmp_path / "top.bmp", mode="L", color="white")
    report = scan_folder(tmp_path)
    assert report.paths == ("a/1.jpg", "b/2.png", "top.bmp")
    assert report.widths == (12, 20, 12)
    assert report.heights == (10, 10, 10)
    assert report.modes == ("RGB", "RGB", "L")
    assert report.classes == ("a", "b", "")
    assert report.sizes == tuple((tmp_path / path).stat().st_size for path in report.paths)
    assert report.class_counts() == {"": 1, "a": 1, "b": 1}
    assert any("2 sizes" in note for note in report.notes)
    assert any("1 image is gray, 2 in color" in note for note in report.notes)


def test_broken_files_are_listed_and_never_fatal(tmp_path: Path) -> None:
    paint(tmp_path / "fine.png")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "slice.dcm").write_bytes(bytes(200))
    (tmp_path / "slice").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "notes.txt").write_text("not meant as an image")
    report = scan_folder(tmp_path)
    assert report.paths == ("fine.png",)
    assert [file.path for file in report.broken] == ["empty.jpg", "slice", "slice.dcm", "text.png"]
    assert all(file.reason for file in report.broken)


def test_a_file_without_suffix_is_known_by_its_start(tmp_path: Path) -> None:
    paint(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a")
    assert scan_folder(tmp_path).paths == ("a",)


def test_hidden_files_and_our_own_runs_are_passed_over(tmp_path: Path) -> None:
    paint(tmp_path / "a.png")
    paint(tmp_path / "._a.png")
    paint(tmp_path / ".cache" / "a.png")
    paint(tmp_path / "__MACOSX" / "a.png")
    paint(tmp_path / "runs" / "2026-run" / "exports" / "a.png")
    for name in ("experiment.toml", "events.jsonl"):
        (tmp_path / "runs" / "2026-run" / name).touch()
    (tmp_path / "film.mp4").touch()
    report = scan_folder(tmp_path)
    assert report.paths == ("a.png",)
    assert any("folder of a run" in note for note in report.notes)
    assert any("1 video" in note for note in report.notes)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_are_followed_once(tmp_path: Path) -> None:
    paint(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "circle").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "gone.png")
    report = scan_folder(tmp_path)
    assert report.paths == ("in/a.png",)
    assert [file.path for file in report.broken] == ["nowhere.png"]
    assert any("read already" in note for note in report.notes)


@pytest.mark.skipif(sys.platform != "linux", reason="names are always text elsewhere")
def test_a_name_that_is_not_text_is_broken_and_can_be_sent(tmp_path: Path) -> None:
    paint(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / os.fsdecode(b"\xff.png"))
    report = scan_folder(tmp_path)
    assert report.count == 0
    assert "name" in report.broken[0].reason
    assert msgspec.json.decode(msgspec.json.encode(report), type=ScanReport) == report


def test_empty_and_missing_folders(tmp_path: Path) -> None:
    report = scan_folder(tmp_path)
    assert report.count == 0
    assert "no readable images" in report.notes[0]
    with pytest.raises(NotFoundError, match="no folder"):
        scan_folder(tmp_path / "gone")
    (tmp_path / "file").touch()
    with pytest.raises(NotFoundError, match="is a file"):
        scan_folder(tmp_path / "file")


def test_duplicates_are_noted_also_across_the_split(tmp_path: Path) -> None:
    for part in ("train", "test"):
        paint(tmp_path / part / "cat" / "a.png", "blue")
    paint(tmp_path / "train" / "cat" / "b.png", "red")
    notes = scan_folder(tmp_path).notes
    assert any("1 image is an exact copy of another (test/cat/a.png, train/cat/a.png)" in note for note in notes)
    assert any("both in the training and in the test" in note for note in notes)


def test_large_duplicates_are_found_too(tmp_path: Path) -> None:
    for name in ("a.bmp", "b.bmp"):
        paint(tmp_path / name, size=(200, 200))
    paint(tmp_path / "c.bmp", "blue", size=(200, 200))
    assert any("1 image is an exact copy" in note for note in scan_folder(tmp_path).notes)


def test_progress_and_cancel(tmp_path: Path) -> None:
    for number in range(5):
        paint(tmp_path / f"{number}.png")
    told: list[tuple[str, int, int]] = []
    scan_folder(tmp_path, lambda *what: told.append(what))
    assert told[-1] == ("Reading headers", 5, 5)

    def stop(what: str, done: int, total: int) -> None:
        if total:
            raise Cancelled

    with pytest.raises(Cancelled):
        scan_folder(tmp_path, stop)


@pytest.mark.parametrize(
    ("paths", "classes", "parts"),
    [
        (["a.png", "b.png"], ["", ""], ["", ""]),
        (["cat/1.png", "dog/1.png"], ["cat", "dog"], ["", ""]),
        (["images/cat/1.png", "images/dog/1.png"], ["cat", "dog"], ["", ""]),
        (["images/1.png", "images/2.png"], ["images", "images"], ["", ""]),
        (["train/cat/1.png", "test/cat/1.png"], ["cat", "cat"], ["train", "test"]),
        (["Train/cat/1.png", "valid/dog/1.png", "extra/1.png"], ["cat", "dog", "extra"], ["train", "test", ""]),
        (["set/train/cat/1.png", "set/val/dog/1.png"], ["cat", "dog"], ["train", "test"]),
        (["cat/train/1.png", "cat/test/1.png", "dog/train/1.png"], ["cat", "cat", "dog/train"], ["train", "test", ""]),
        (["train/1.png", "plane/1.png"], ["train", "plane"], ["", ""]),
        (["train/cat/1.png", "train/dog/1.png"], ["cat", "dog"], ["", ""]),
        (["leaf/rust/1.png", "leaf/mold/1.png", "stem/rust/1.png"], ["leaf/rust", "leaf/mold", "stem/rust"], [""] * 3),
    ],
)
def test_classes_and_parts(paths: list[str], classes: list[str], parts: list[str]) -> None:
    assert classes_and_parts(paths) == (tuple(classes), tuple(parts))


_NAMES = st.sampled_from(["train", "test", "val", "cat", "dog", "images"])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(_NAMES, max_size=3), max_size=12))
def test_classes_and_parts_take_any_folders(folders: list[list[str]]) -> None:
    classes, parts = classes_and_parts(["/".join([*folder, "1.png"]) for folder in folders])
    assert len(classes) == len(parts) == len(folders)
    for folder, name, part in zip(folders, classes, parts):
        assert set(name.split("/")) <= {*folder, ""}
        assert part in ("", "train", "test")
        assert part or not folder or name


def test_label_tables_are_found_by_path_name_or_stem(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/3.png"):
        paint(tmp_path / name)
    tables = {
        "by_path.csv": "label,file\nx,a/1.png\ny,./a/2.png\nx,b\\3.png\n",
        "by_name.tsv": "id\tlabel\n1.png\tx\n2.png\ty\n",
        "by_stem.csv": "\ufeffid;label;site\n1;x;p\n3;x;q\n",
        "other.csv": "name,value\nfoo,0.1\nbar,0.2\n",
        "empty.csv": "",
    }
    for name, text in tables.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = {table.file: table for table in scan_folder(tmp_path).tables}
    assert set(found) == {"by_path.csv", "by_name.tsv", "by_stem.csv"}
    assert (found["by_path.csv"].path_column, found["by_path.csv"].matched) == ("file", 3)
    assert found["by_path.csv"].distinct == (2,)
    assert found["by_name.tsv"].matched == 2
    assert found["by_stem.csv"].columns == ("label", "site")


def test_a_name_that_two_images_have_names_neither(tmp_path: Path) -> None:
    paint(tmp_path / "a" / "1.png")
    paint(tmp_path / "b" / "1.png")
    (tmp_path / "labels.csv").write_text("file,label\n1.png,x\n", encoding="utf-8")
    assert scan_folder(tmp_path).tables == ()
