"""evaluate, embed, export and report through the program's front door."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.cli import main
from workbench.export.embeddings import read_embeddings
from workbench.runs.folder import RunFolder
from workbench.runs.results import load_evaluations, load_exports


def test_evaluate_prints_every_probe_and_one_json_document(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run.path), "--probe", "knn", "--device", "cpu", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [result["subject"] for result in document["results"]] == ["encoder", "untrained", "pixels"]
    assert document["frozen"] is True
    assert main(["evaluate", run.name, "--runs", str(run.path.parent), "--probe", "knn", "--column", "color"]) == 0
    out = capsys.readouterr().out
    assert "'color'" in out
    assert out.count("95 %") == 3
    assert [one.column for one in load_evaluations(run)] == ["label", "color"]
    title = run.experiment().data.column
    assert main(["evaluate", str(run.path), "--probe", "knn", "--column", title]) == 0
    assert capsys.readouterr().out.startswith(f"'{title}', "), "the label by the name that its table gives it"
    assert {one.column for one in load_evaluations(run)} == {"label", "color"}


def test_evaluate_takes_labels_from_a_table(run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "mine.csv"
    rows = [f"{number:05d}.png,{'left' if number % 2 else 'right'}" for number in range(60)]
    table.write_text("\n".join(["file,side", *rows]), encoding="utf-8")
    assert main(["evaluate", str(run.path), "--probe", "knn", "--labels", f"{table}:side", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["column"] == "mine.csv:side"
    assert document["classes"] == ["left", "right"]
    for wrong, words in (
        (str(table), "is not CSV:COLUMN"),
        (f"{table}:sides", "did you mean 'side'"),
        (f"{tmp_path / 'none.csv'}:side", "no label file"),
    ):
        assert main(["evaluate", str(run.path), "--labels", wrong]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".h5", ".parquet", ".csv", ".npy"])
def test_embed_writes_the_runs_own_images(
    suffix: str, run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"features{suffix}"
    assert main(["embed", str(run.path), "-o", str(file), "--device", "cpu"]) == 0
    assert capsys.readouterr().out.strip() == str(file)
    table = read_embeddings(file)
    assert table.features.shape == (60, 128)
    assert list(table.columns)[:3] == ["path", "part", "label"]
    assert "color" in table.columns


def test_embed_another_folder_leaves_out_what_is_broken(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "more"
    (folder / "cats").mkdir(parents=True)
    values = np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8)
    Image.fromarray(values).save(folder / "cats" / "one.png")
    Image.fromarray(values[::-1].copy()).save(folder / "two.png")
    (folder / "torn.png").write_bytes((folder / "two.png").read_bytes()[:2000])
    assert main(["embed", str(run.path), str(folder), "-o", str(tmp_path / "out.csv")]) == 0
    told = capsys.readouterr()
    assert "left out torn.png" in told.err
    table = read_embeddings(tmp_path / "out.csv")
    assert table.columns["path"] == ("cats/one.png", "two.png")
    assert table.columns["label"] == ("cats", "")
    (tmp_path / "empty").mkdir()
    assert main(["embed", str(run.path), str(tmp_path / "empty"), "-o", str(tmp_path / "out.csv")]) in (1, 2)
    assert "empty" in capsys.readouterr().err
    assert main(["embed", str(run.path), "-o", str(tmp_path / "out.xlsx")]) == 2
    assert "no known ending" in capsys.readouterr().err


def test_export_prints_paths_and_differences(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["export", str(run.path), "--format", "safetensors", "--format", "npy", "-o", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == [str(out / "encoder.safetensors"), str(out / "embeddings.npy")]
    assert all("differs by" in line for line in lines)
    assert main(["export", str(run.path), "--format", "csv", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["verified"] is True
    assert Path(record["file"]).parent == run.exports
    assert {one.format for one in load_exports(run)} == {"safetensors", "npy", "csv"}
    assert main(["export", str(run.path), "--format", "onx"]) == 2
    assert "did you mean 'onnx'" in capsys.readouterr().err


def test_report_prints_its_path(run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run.path)]) == 0
    assert capsys.readouterr().out.strip() == str(run.report_file)
    assert main(["report", str(run.path), "-o", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("command", [["evaluate"], ["export", "--format", "csv"], ["report"], ["embed", "-o", "x.csv"]])
def test_a_run_that_does_not_exist_is_wrong_use(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *rest = command
    assert main([name, "nothing", "--runs", str(tmp_path), *rest]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("workbench: There is no run 'nothing'")
    assert told.err.count("\n") == 1


def test_wrong_values_are_refused(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run.path), "--neighbors", "0"]) == 2
    assert main(["evaluate", str(run.path), "--limit", "-5"]) == 2
    assert main(["evaluate", str(run.path), "--labels", "none.csv:shape"]) == 2
    assert "no label file none.csv. Give it as CSV:COLUMN" in capsys.readouterr().err
    assert main(["evaluate", str(run.path), "--device", "gpu9"]) == 2
    assert main(["evaluate", str(run.path), "--column", "colour", "--json"]) == 2
    assert "did you mean 'color'" in capsys.readouterr().err
