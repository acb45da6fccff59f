"""`workbench sample` and `workbench scan`, through the parser that adds them."""

import argparse
import json
from pathlib import Path

import pytest
from PIL import Image

from workbench.cli import data
from workbench.spec.errors import NotFoundError, UsageError


def run(*arguments: str) -> None:
    parser = argparse.ArgumentParser()
    data.add(parser.add_subparsers())
    chosen = parser.parse_args(arguments)
    chosen.run(chosen)


def test_sample_prints_the_folder_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("sample", str(tmp_path / "s"), "--count", "12", "--size", "16", "--masks", str(tmp_path / "m"))
    assert len(list((tmp_path / "m" / "images").iterdir())) == 12
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "s")
    assert len(list((tmp_path / "s" / "images").iterdir())) == 12
    with pytest.raises(UsageError):
        run("sample", str(tmp_path), "--count", "0")


def test_scan_tells_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("train/cat/1.png", "train/dog/2.png", "test/cat/3.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (10, 20), (int(name[-5]) * 40, 0, 0)).save(tmp_path / name)
    (tmp_path / "labels.csv").write_text("file,site\n1.png,x\n2.png,y\n", encoding="utf-8")
    (tmp_path / "broken.png").touch()
    run("scan", str(tmp_path))
    out = capsys.readouterr().out
    for part in (
        "3 (",
        "10 × 20 px",
        "train 2, test 1",
        "2: cat 2, dog 1",
        "names 2 images by 'file': site (2)",
        "broken.png: The file is empty.",
    ):
        assert part in out


def test_scan_as_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (10, 20)).save(tmp_path / "a.png")
    run("scan", str(tmp_path), "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["paths"] == ["a.png"]
    assert report["widths"] == [10]


def test_scan_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("scan", str(tmp_path))
    assert "no readable images" in capsys.readouterr().out
    with pytest.raises(NotFoundError):
        run("scan", str(tmp_path / "gone"))
