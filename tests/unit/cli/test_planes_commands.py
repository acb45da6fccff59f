"""A folder of five-plane images of 12 bits, as a person takes it from the scan to the export."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import tifffile

from workbench.cli import main
from workbench.data.prepare import read_images
from workbench.inspect.encoder import load_encoder
from workbench.runs.events import Warned, read_events
from workbench.runs.folder import RunFolder
from workbench.spec import toml

SETTINGS = ("train.epochs=1", "train.batch_size=8", "train.device=cpu", "data.size=16", "watch.probe_every=1")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory, places: Path) -> Path:
    """Twenty-four images of two classes, and one of two planes."""
    root = tmp_path_factory.mktemp("planes") / "cells"
    rng = np.random.default_rng(0)
    for number in range(24):
        folder = root / ("round", "long")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        values = rng.integers(0, 2100 + 80 * number, (5, 20, 24)).astype(np.uint16)
        how = {"imagej": True} if number % 3 else {"ome": True, "photometric": "minisblack"}
        tifffile.imwrite(folder / f"{number:02d}.tif", values, metadata={"axes": "CYX"}, **how)
    tifffile.imwrite(root / "round" / "two.tif", np.zeros((2, 20, 24), np.uint16), photometric="minisblack")
    return root


@pytest.fixture(scope="module")
def trained(cells: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """An experiment that `new` wrote, trained by `train`."""
    folder = tmp_path_factory.mktemp("runs")
    file = folder / "cells.toml"
    settings = [part for assignment in SETTINGS for part in ("--set", assignment)]
    assert main(["new", str(cells), "--backbone", "tinyconv", "-o", str(file), *settings]) == 0
    data = toml.load(file).data
    assert (data.channels, data.planes, data.depth) == ("planes", 5, "16")
    assert (data.black, data.white) == (0, 4095)
    assert main(["train", str(file), "--runs", str(folder / "runs"), "--set", "data.planes=0"]) == 0
    (run,) = (folder / "runs").iterdir()
    return RunFolder.open(run)


def test_scan_tells_planes_and_bits(cells: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(cells)]) == 0
    out = capsys.readouterr().out
    assert "pixels    5 planes of 16 bits 24, 2 planes of 16 bits 1" in out
    assert "data.channels = 'planes'" in out


def test_training_counts_the_planes_and_leaves_others_out(trained: RunFolder) -> None:
    assert trained.experiment().data.planes == 5, "an encoder is for so many"
    warnings = [event.message for event in read_events(trained.events_file) if isinstance(event, Warned)]
    assert any("two.tif: It has 2 planes, the others 5" in message for message in warnings)
    loaded = load_encoder(trained)
    assert loaded.channels == 5
    assert loaded.normalization.channels == 5


def test_views_evaluate_audit_and_report(
    trained: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "views.png"
    assert main(["evaluate", str(trained.path)]) == 0
    assert main(["audit", str(trained.path), "--images", "8"]) == 0
    out = capsys.readouterr().out
    assert "nothing on these images: saturation, hue, grayscale" in out
    assert "Channel drop" in out
    assert main(["report", str(trained.path), "-o", str(tmp_path / "report.html")]) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "5 planes of 16 bits" in page
    assert "The value 0 becomes black and 4095 white, in all images." in page
    assert "of 5 planes the first three are shown as red, green and blue" in page
    capsys.readouterr()
    asked = str(trained.path / "experiment.toml")
    assert main(["views", asked, "--images", "40", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 24, "the image of two planes is passed over"
    assert main(["views", asked, "--images", "8", "-o", str(sheet)]) == 0
    assert sheet.is_file()


def test_the_exported_script_reads_files_as_the_store_does(trained: RunFolder, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["export", str(trained.path), "--format", "onnx", "--format", "safetensors", "-o", str(out)]) == 0
    about = json.loads((out / "encoder.json").read_text(encoding="utf-8"))["preprocessing"]
    assert (about["channels"], about["reads"], about["depth"], about["white"]) == (5, "planes", "16", 4095)
    script = runpy.run_path(str(out / "load_onnx.py"))
    data = trained.experiment().data
    folder = Path(data.folder)
    for path in ("round/00.tif", "long/01.tif"):
        stored = read_images(folder, [path], data)[0] / np.float32(65_535)
        np.testing.assert_allclose(script["read_image"](folder / path), stored, atol=1e-6)
    tifffile.imwrite(tmp_path / "two.tif", np.zeros((2, 9, 9), np.uint16), photometric="minisblack")
    with pytest.raises(ValueError, match="has 2 planes, and the encoder takes 5"):
        script["read_image"](tmp_path / "two.tif")


def test_embedding_another_folder_refuses_other_planes(
    trained: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for number, count in enumerate((5, 3, 3, 3)):
        values = np.full((count, 9, 9), 500 * number, np.uint16)
        tifffile.imwrite(other / f"{number}.tif", values, photometric="minisblack")
    assert main(["embed", str(trained.path), str(other), "-o", str(tmp_path / "e.csv")]) == 0
    assert "It has 3 planes, the others 5." in capsys.readouterr().err
    assert len((tmp_path / "e.csv").read_text(encoding="utf-8").splitlines()) == 2


def test_imagenets_numbers_are_refused_in_words(
    cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.toml"
    assert main(["new", str(cells), "--backbone", "tinyconv", "-o", str(file), "--set", "data.normalize=imagenet"]) == 0
    assert main(["train", str(file), "--runs", str(tmp_path / "runs")]) != 0
    assert "red, green and blue, and these images have 5 planes" in capsys.readouterr().err
