import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from workbench.data.prepare import read_images
from workbench.export import encoder as encoder_module
from workbench.export.encoder import Original
from workbench.export.formats import FORMATS, formats_named
from workbench.export.run import export_run
from workbench.inspect.embed import embed
from workbench.inspect.encoder import load_encoder
from workbench.runs.folder import RunFolder
from workbench.runs.results import load_exports
from workbench.spec.errors import Cancelled, ExportError, NotFoundError, UsageError
from workbench.spec.experiment import DataSpec

ENCODERS = [one.name for one in FORMATS if one.kind == "encoder"]


@pytest.fixture(scope="module")
def exported(trained_run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "here"
    run = RunFolder(Path(shutil.copytree(trained_run.path, folder.parent / trained_run.name)))
    told: list[str] = []
    records = export_run(
        run, formats=[one.name for one in FORMATS], folder=folder, report=lambda *words: told.append(words[0])
    )
    assert [(one.format, one.problem) for one in records] == [(one.name, "") for one in FORMATS]
    for record in records:
        assert record.verified
        assert record.difference is not None
        assert record.difference <= record.tolerance
        assert record.size == Path(record.file).stat().st_size
        assert record.images == (32 if record.format in ENCODERS else 60)
    assert load_exports(run) == records
    assert "comparing ONNX with the original" in told
    return folder


def test_the_folder_holds_whole_files_and_says_what_they_are(exported: Path) -> None:
    names = {path.name for path in exported.iterdir()}
    scripts = {"load_safetensors.py", "load_torch_export.py", "load_onnx.py"}
    assert names == {one.file for one in FORMATS} | scripts | {"encoder.json", "README.txt", "embeddings-images.csv"}
    readme = (exported / "README.txt").read_text(encoding="utf-8")
    assert all(one.file in readme for one in FORMATS)


def test_what_the_encoder_needs_is_inside_each_file(exported: Path) -> None:
    beside = json.loads((exported / "encoder.json").read_text(encoding="utf-8"))
    assert beside["preprocessing"]["size"] == 32
    assert beside["experiment"] == "A small <b>test</b> & more"
    with safe_open(exported / "encoder.safetensors", "pt") as file:
        assert json.loads(file.metadata()["about"]) == beside
    extra = {"about.json": ""}
    torch.export.load(exported / "encoder.pt2", extra_files=extra)
    assert json.loads(extra["about.json"]) == beside
    model = onnx.load(exported / "encoder.onnx")
    onnx.checker.check_model(model)
    assert json.loads({one.key: one.value for one in model.metadata_props}["about"]) == beside


def test_no_name_that_a_person_typed_is_in_the_code(exported: Path) -> None:
    for file in exported.glob("*.py"):
        assert "A small" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ENCODERS)
def test_the_script_gives_the_runs_features_for_a_file(name: str, exported: Path, trained_run: RunFolder) -> None:
    loaded = load_encoder(trained_run)
    folder = Path(loaded.experiment.data.folder)
    path = folder / "images" / "00003.png"
    script = exported / f"load_{name.replace('-', '_')}.py"
    told = subprocess.run([sys.executable, str(script), str(path)], capture_output=True, text=True, check=True)
    features = np.array(told.stdout.removeprefix(str(path)).split(), dtype=np.float32)
    pixels = read_images(folder, ["images/00003.png"], loaded.experiment.data)
    ours = embed(loaded.encoder, loaded.normalization, pixels, image_size=loaded.image_size, device=torch.device("cpu"))
    np.testing.assert_allclose(features, ours[0], atol=1e-4)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize(("mode", "suffix"), [("RGB", ".png"), ("RGB", ".jpg"), ("RGBA", ".png"), ("P", ".png")])
@pytest.mark.parametrize("channels", ["rgb", "gray"])
def test_the_script_reads_images_as_the_store_does(
    fit: str, mode: str, suffix: str, channels: str, exported: Path, tmp_path: Path
) -> None:
    import runpy

    values = np.random.default_rng(0).integers(0, 256, (90, 150, len(mode) if mode != "P" else 3), dtype=np.uint8)
    image = Image.fromarray(values).resize((150, 90))
    (image if mode == image.mode else image.convert(mode)).save(tmp_path / f"image{suffix}")
    spec = DataSpec(folder=str(tmp_path), size=32, fit=fit, channels=channels)  # type: ignore[arg-type]
    text = (exported / "load_onnx.py").read_text(encoding="utf-8")
    script = tmp_path / "script.py"
    count = 3 if channels == "rgb" else 1
    text = text.replace("CHANNELS = 3\n", f"CHANNELS = {count}\n").replace("FIT = 'crop'\n", f"FIT = '{fit}'\n")
    script.write_text(text, encoding="utf-8")
    read_image = runpy.run_path(str(script))["read_image"]
    ours = read_images(tmp_path, [f"image{suffix}"], spec)[0] / 255
    np.testing.assert_allclose(read_image(tmp_path / f"image{suffix}"), ours, atol=1.01 / 255)


def test_a_file_that_differs_is_not_left_under_its_name(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = encoder_module._WRITERS["safetensors"]

    def write_another(original: Original, file: Path) -> None:
        with torch.no_grad():
            next(original.loaded.encoder.net.parameters()).mul_(1.5)
        honest(original, file)

    monkeypatch.setitem(encoder_module._WRITERS, "safetensors", write_another)
    (record, table) = export_run(run, formats=["safetensors", "csv"], folder=tmp_path / "out")
    assert not record.verified
    assert "differ by" in record.problem
    assert record.difference is not None
    assert record.difference > record.tolerance
    assert table.verified
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {"README.txt", "embeddings.csv"}


def test_an_exporter_that_fails_is_a_problem_in_words(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(original: Original, file: Path) -> None:
        raise RuntimeError("operator not supported\nand more")

    def no_space(original: Original, file: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(encoder_module._WRITERS, "onnx", fail)
    monkeypatch.setitem(encoder_module._WRITERS, "torch-export", no_space)
    records = export_run(run, formats=["onnx", "torch-export"], folder=tmp_path)
    assert records[0].problem == "ONNX could not be made of tinyconv: operator not supported"
    assert "No space left on device" in records[1].problem
    assert not list(tmp_path.glob(".export-*"))


def test_what_cannot_be_done_is_refused_first(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'safetensors'"):
        export_run(run, formats=["safetensor"], folder=tmp_path)
    with pytest.raises(UsageError, match="without a format"):
        export_run(run, formats=[], folder=tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="Nothing can be written"):
        export_run(run, formats=["csv"], folder=tmp_path / "file" / "below")
    assert [one.name for one in formats_named(["h5", "HDF5", "onnx"])] == ["h5", "onnx"]


def test_an_export_can_be_stopped(run: RunFolder, tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what.startswith("comparing"):
            raise Cancelled

    with pytest.raises(Cancelled):
        export_run(run, formats=["safetensors"], folder=tmp_path / "out", report=stop)
    assert not list((tmp_path / "out").iterdir())


def test_without_the_images_the_pixel_store_is_compared(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "workbench.export.run.readable_images", lambda folder, paths, spec: (np.zeros((0, 3, 32, 32), np.uint8), (), ())
    )
    (record,) = export_run(run, formats=["safetensors"], folder=tmp_path)
    assert record.verified
