"""`new`, `train`, `resume`, `stop`, `pause`, `status` as a person or a script uses them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import main
from workbench.runs import control
from workbench.runs.events import Clusters, EventLog, Exam, Phase, read_events
from workbench.runs.folder import RunFolder
from workbench.runs.state import RunState, fold, status
from workbench.spec import toml

SMALL = (
    "train.epochs=2",
    "train.batch_size=16",
    "train.device=cpu",
    "data.size=16",
    "views.0.size=16",
    "watch.probe_every=1",
)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, places: Path) -> Path:
    """60 painted images."""
    from workbench.data.sample import paint_sample

    folder = tmp_path_factory.mktemp("cli") / "leaves"
    paint_sample(folder, count=60, size=32)
    return folder


@pytest.fixture
def file(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """An experiment file that `new` wrote."""
    path = tmp_path / "leaves.toml"
    settings = [part for assignment in SMALL for part in ("--set", assignment)]
    assert main(["new", str(images), "--method", "simclr", "--backbone", "tinyconv", "-o", str(path), *settings]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(path)
    assert "sub-folders" in captured.err or "column" in captured.err
    return path


def _run(tmp_path: Path) -> RunFolder:
    (folder,) = (tmp_path / "runs").iterdir()
    return RunFolder.open(folder)


def test_new_takes_a_preset_from_a_file_scaled_or_as_published(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["presets", "vicreg"]) == 0
    preset = tmp_path / "mine.toml"
    preset.write_text(capsys.readouterr().out, encoding="utf-8")
    lengths = []
    for extra in ([], ["--as-published"]):
        output = tmp_path / "leaves.toml"
        assert main(["new", str(images), "--preset", str(preset), "-o", str(output), *extra]) == 0
        view = toml.load(output).views[0]
        assert view.size == 32
        lengths.append(len(view.chain))
    assert lengths == [5, 6]
    assert main(["new", str(images), "--preset", str(tmp_path / "none.toml"), "-o", str(output)]) == 2
    assert "There is no file" in capsys.readouterr().err


def test_new_takes_a_ready_experiment_and_says_what_to_expect(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "ready.toml"
    words = ["new", str(images), "--backbone", "tinyconv", "-o", str(output)]
    assert main([*words, "--experiment", "moco-with-momentum-0", "--set", "train.epochs=3"]) == 0
    told = capsys.readouterr().err
    assert "What to expect: " in told
    assert "workbench new --experiment moco-with-momentum" in told
    experiment = toml.load(output)
    assert (experiment.method.name, experiment.train.epochs) == ("moco_v2", 3)
    assert experiment.method.params == {"momentum": 0.0, "final_momentum": 0.0}
    assert main([*words, "--experiment", "moco-with-momentum-1"]) == 2
    assert "did you mean 'moco-with-momentum-0'?" in capsys.readouterr().err
    assert main([*words, "--experiment", "moco-with-momentum", "--preset", "dino"]) == 2
    assert "brings its own views" in capsys.readouterr().err


def test_new_writes_a_complete_experiment(file: Path, images: Path) -> None:
    experiment = toml.load(file)
    assert experiment.name == "simclr on leaves"
    assert experiment.data.folder == str(images.resolve())
    assert (experiment.train.epochs, experiment.backbone.name) == (2, "tinyconv")


def test_half_a_run_is_no_success(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.training.trainer.train", lambda run, report: RunState(phase="stopped"))
    assert main(["train", str(file), "--runs", str(tmp_path / "runs")]) == 1
    captured = capsys.readouterr()
    run = _run(tmp_path)
    assert captured.out.strip().splitlines()[-1] == str(run.path)
    assert f"workbench resume {run.name}" in captured.err


def test_train_ends_with_the_path_and_status_tells_of_it(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ["--runs", str(tmp_path / "runs")]
    assert main(["train", str(file), *runs, "--set", "train.epochs=1"]) == 0
    captured = capsys.readouterr()
    run = _run(tmp_path)
    assert captured.out.strip().splitlines()[-1] == str(run.path)
    assert "finished" in captured.err
    assert "kNN" in captured.err

    assert main(["status", "latest", *runs, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["epoch"], document["progress"]) == ("finished", 1, 1)
    assert {probe["subject"] for probe in document["probes"]} == {"pixels", "untrained", "encoder"}

    assert main(["status", "latest", *runs]) == 0
    text = capsys.readouterr().out
    assert "finished" in text
    assert "raw pixels" in text
    assert main(["status", *runs]) == 0
    assert run.name in capsys.readouterr().out
    assert main(["status", str(tmp_path / "runs"), "--json"]) == 0
    assert [entry["run"] for entry in json.loads(capsys.readouterr().out)] == [str(run.path)]

    assert main(["resume", run.name, *runs]) == 2
    assert "has finished" in capsys.readouterr().err
    assert main(["stop", run.name, *runs]) == 2
    assert "it is finished" in capsys.readouterr().err


def test_train_as_json_prints_one_document(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(file), "--runs", str(tmp_path / "runs"), "--set", "train.epochs=1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["run"] == str(_run(tmp_path).path)
    assert document["best_knn"] is not None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["--set", "train.epoch=3"], "did you mean 'epochs'"),
        (["--set", "train.batch_size=1"], "batch norm needs two"),
        (["--set", "train.batch_size=4096"], "larger than the training set"),
        (["--set", "train.device=cuda:63"], "no device 'cuda:63'"),
        (["--set", "method.name=simcrl"], "did you mean 'simclr'"),
        (["--set", "data.folder=/nowhere"], "no folder"),
        (["--set", "data.labels=csv", "--set", "data.column=spcies"], "did you mean 'shape'"),
        (["--set", "epochs"], "KEY=VALUE"),
    ],
)
def test_wrong_use_is_told_before_a_run_is_made(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[str], words: str
) -> None:
    assert main(["train", str(file), "--runs", str(tmp_path / "runs"), *changes]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""
    assert not (tmp_path / "runs").exists()


def test_files_that_cannot_be_used(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(tmp_path / "none.toml")]) == 2
    assert "no experiment file" in capsys.readouterr().err
    (tmp_path / "blocked").write_text("", encoding="utf-8")
    assert main(["train", str(file), "--runs", str(tmp_path / "blocked" / "runs")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["new", str(tmp_path / "empty"), "-o", str(tmp_path / "x.toml")]) == 2
    assert "no readable images" in capsys.readouterr().err
    assert not (tmp_path / "x.toml").exists()
    assert main(["status", "nothing", "--runs", str(tmp_path / "runs")]) == 2
    assert main(["status", "--runs", str(tmp_path / "runs")]) == 0


def test_a_relative_folder_is_meant_from_the_file(
    file: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = images.parent / "beside.toml"
    text = file.read_text(encoding="utf-8").replace(json.dumps(str(images)), '"leaves"')
    assert 'folder = "leaves"' in text
    beside.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    launched: list[RunFolder] = []
    monkeypatch.setattr("workbench.cli.train.launch_trainer", launched.append)
    assert main(["train", str(beside), "--runs", str(tmp_path / "runs"), "--detach"]) == 0
    assert launched[0].experiment().data.folder == str(images.resolve())


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_detached_run_is_paused_resumed_and_stopped(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ["--runs", str(tmp_path / "runs")]
    assert main(["train", str(file), *runs, "--set", "train.epochs=100000", "--detach"]) == 0
    run = RunFolder.open(Path(capsys.readouterr().out.strip()))

    def last() -> Any:
        phases = [event for event in read_events(run.events_file) if isinstance(event, Phase)]
        return phases[-1].phase

    try:
        _until(lambda: last() == "training")
        assert main(["resume", run.name, *runs]) == 2
        assert "at work already" in capsys.readouterr().err
        assert main(["pause", run.name, *runs]) == 0
        _until(lambda: last() == "paused")
        assert main(["resume", run.name, *runs]) == 0
        _until(lambda: last() == "training")
    finally:
        assert main(["stop", run.name, *runs]) == 0
    assert status(run)[0] == "stopped"
    state = fold(read_events(run.events_file))
    assert state.checkpoint is not None
    assert not control.is_alive(run)


def test_a_failure_in_the_background_leaves_its_traceback_in_the_log(file: Path, tmp_path: Path) -> None:
    experiment = toml.set_value(toml.load(file), "train.batch_size=4096")
    run = RunFolder.create(tmp_path / "runs", experiment)
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "resume", str(run.path), "--quiet"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 2
    text = done.stderr.decode()
    assert "Traceback" in text
    assert text.strip().splitlines()[-1].startswith("workbench: The batch of 4096 is larger")


def test_new_puts_tasks_beside_a_method(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "both.toml"
    asked = ["new", str(images), "--method", "rotation", "--backbone", "tinyconv", "-o", str(path)]
    assert main([*asked, "--also", "consistency=0.5", "--also", "jigsaw"]) == 0
    experiment = toml.load(path)
    assert [(task.name, task.weight) for task in experiment.method.also] == [("consistency", 0.5), ("jigsaw", 1.0)]
    assert experiment.name == "rotation + consistency + jigsaw on leaves"
    assert sum(view.count for view in experiment.views) >= 2, "consistency needs two views"
    for wrong in ("consistency=much", "consistence", "rotation"):
        assert main([*asked, "--also", wrong]) == 2
    assert "there twice" in capsys.readouterr().err


def test_new_suggests_for_the_images_as_they_were_set(images: Path, tmp_path: Path) -> None:
    path = tmp_path / "gray.toml"
    settings = ["--set", "data.size=16", "--set", "data.limit=20", "--set", "data.channels=gray"]
    assert main(["new", str(images), "--backbone", "tinyconv", "-o", str(path), *settings]) == 0
    experiment = toml.load(path)
    assert {view.size for view in experiment.views} == {16}
    assert experiment.train.batch_size == 4
    assert experiment.data.limit == 20


def test_a_run_is_found_by_its_name_beside_a_folder_that_has_the_same(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder.create(tmp_path / "runs", toml.load(file))
    (tmp_path / run.name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["status", run.name, "--runs", str(tmp_path / "runs")]) == 0
    assert run.name in capsys.readouterr().out
    assert main(["status", "runs"]) == 0
    assert run.name in capsys.readouterr().out


def test_a_run_can_be_stopped_from_the_moment_it_was_launched(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ["--runs", str(tmp_path / "runs")]
    assert main(["train", str(file), *runs, "--set", "train.epochs=100000", "--detach"]) == 0
    assert main(["stop", "latest", *runs]) == 0
    assert status(_run(tmp_path))[0] == "stopped"
    capsys.readouterr()


def test_asking_a_run_that_nobody_trains_is_wrong_use(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder.create(tmp_path / "runs", toml.load(file))
    assert main(["pause", str(run.path)]) == 2
    assert f"`workbench resume {run.name}`" in capsys.readouterr().err


def test_weights_come_from_a_run_that_is_named(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    from workbench.catalog.build import build_method
    from workbench.catalog.registry import load_registry

    runs = tmp_path / "runs"
    first = RunFolder.create(runs, toml.load(file))
    method = build_method(first.experiment(), train_images=48, classes=0, registry=load_registry())
    torch.save({"method": method.state_dict()}, first.checkpoints / "last.pt")
    train = ["train", str(file), "--runs", str(runs), "--set", "train.epochs=1", "--set", "name=second"]
    assert main([*train, "--set", "backbone.weights=nobody"]) == 2
    assert "There is no run 'nobody'" in capsys.readouterr().err
    assert main([*train, "--set", "backbone.weights=latest"]) == 0
    (second,) = (path for path in runs.iterdir() if path != first.path)
    assert RunFolder.open(second).experiment().backbone.weights == str(first.path)
    assert "is not finished" in capsys.readouterr().err


def test_status_tells_how_clusters_match_the_labels(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder.create(tmp_path / "runs", toml.load(file))
    with EventLog(run.events_file) as log:
        log.append(Clusters(epoch=3, accuracy=0.75, nmi=0.5, ari=0.25, used=9, images=1200))
        for epoch, share in ((0, 0.2), (3, 0.8)):
            log.append(Exam(epoch=epoch, task="rotation", accuracy=share, low=0.7, high=0.9, chance=0.25, images=50))
    capsys.readouterr()
    assert main(["status", str(run.path)]) == 0
    told = capsys.readouterr().out
    assert "75.0% of 1,200 images in the right one of 9 clusters, NMI 0.500, ARI 0.250" in told
    assert "rotation 80.0% right on 50 held-out images, 95 % interval 70.0% to 90.0%, by chance 25.0%" in told
    assert "20.0%" not in told
    assert main(["status", str(run.path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["clusters"]["ari"] == 0.25
    assert [(exam["epoch"], exam["accuracy"]) for exam in document["exams"]] == [(3, 0.8)]


def test_new_suggests_a_recipe_for_the_epochs_and_the_batch_that_were_set(images: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    asked = ["new", str(images), "--method", "swav", "--backbone", "tinyconv", "-o", str(path)]
    optimizers = {}
    for epochs, batch in ((20, 16), (5000, 16), (5000, 32)):
        settings = ["--set", f"train.epochs={epochs}", "--set", f"train.batch_size={batch}"]
        assert main([*asked, *settings]) == 0
        train = toml.load(path).train
        assert (train.epochs, train.batch_size) == (epochs, batch)
        optimizers[epochs, batch] = train.optimizer
    assert optimizers == {(20, 16): "adamw", (5000, 16): "lars", (5000, 32): "lars"}
