"""A puzzle that something gives away: rotation of images with a bright upper edge, which any network sees at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from workbench.catalog.registry import Registry
from workbench.runs.events import Verdict, read_events
from workbench.runs.folder import RunFolder
from workbench.spec.errors import Cancelled
from workbench.spec.experiment import DataSpec, Experiment, MethodSpec, TrainSpec
from workbench.training import watcher
from workbench.training.trainer import train

TITLE = "Solved, perhaps by a shortcut"
MakeRun = Callable[..., RunFolder]
SetKnn = Callable[[float], None]


@pytest.fixture(scope="module")
def edged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 images of two classes that cannot be told."""
    folder, draw = tmp_path_factory.mktemp("edged"), np.random.default_rng(0)
    for number in range(400):
        pixels = draw.integers(0, 200, (4, 4, 3), dtype=np.uint8).repeat(4, axis=0).repeat(4, axis=1)
        pixels[:2] = 255
        place = folder / ("one" if number % 2 else "other")
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number:03d}.png")
    return folder


@pytest.fixture
def experiment(experiment: Experiment, edged: Path) -> Experiment:
    return replace(
        experiment,
        data=DataSpec(folder=str(edged), labels="folders", size=16, test_fraction=0.5),
        method=MethodSpec(name="rotation"),
        train=TrainSpec(epochs=4, batch_size=20, optimizer="adamw", learning_rate=0.02, device="cpu"),
        watch=replace(experiment.watch, probe_every=1, images=400),
    )


@pytest.fixture
def knn(monkeypatch: pytest.MonkeyPatch) -> SetKnn:
    """Sets by how much kNN is better at every look than at the one before, beginning at a half."""
    better, looks = 0.0, 0

    def predict(train: Any, labels: Any, test: NDArray[np.float32], **given: Any) -> NDArray[np.int64]:
        nonlocal looks
        share = 0.5 + better * max(0, looks - 1)
        looks += 1
        predicted = np.zeros(len(test), np.int64)
        predicted[round(share * len(test)) :] = -1
        return predicted

    def rising(by: float) -> None:
        nonlocal better, looks
        better, looks = by, 0

    # Whatever is predicted is compared with the labels: here every test image is of class 0.
    choose = watcher.choose_watched

    def all_alike(*args: Any, **given: Any) -> watcher.Watched:
        found = choose(*args, **given)
        labels = found.labels.copy()
        labels[found.test_rows] = 0
        return watcher.Watched(train_rows=found.train_rows, test_rows=found.test_rows, labels=labels)

    monkeypatch.setattr(watcher, "choose_watched", all_alike)
    monkeypatch.setattr(watcher, "knn_predict", predict)
    return rising


def _verdicts(run: RunFolder) -> list[str]:
    return [event.title for event in read_events(run.events_file) if isinstance(event, Verdict)]


def test_a_puzzle_that_its_images_give_away_is_told(make_run: MakeRun, registry: Registry, knn: SetKnn) -> None:
    run = make_run()
    knn(0.0)
    state = train(run, registry=registry)
    assert state.last_exams()[0].accuracy > 0.98
    assert _verdicts(run)[0] != TITLE
    assert _verdicts(run)[-1] == TITLE
    assert state.verdict is not None
    assert "rotation: 100 % right" in state.verdict.text


def test_the_same_puzzle_is_not_accused_while_knn_rises(make_run: MakeRun, registry: Registry, knn: SetKnn) -> None:
    run = make_run()
    knn(0.05)
    state = train(run, registry=registry)
    assert state.last_exams()[0].accuracy > 0.98
    assert TITLE not in _verdicts(run)


def test_a_run_that_goes_on_remembers_its_looks(make_run: MakeRun, registry: Registry, knn: SetKnn) -> None:
    """It takes two looks, and after the resume there is one."""
    run = make_run(train={"epochs": 5})
    knn(0.0)

    def report(what: str, done: int, total: int) -> None:
        if "epoch 4 " in what:
            raise Cancelled

    assert train(run, registry=registry, report=report).phase == "stopped"
    assert len(_verdicts(run)) < 5
    train(run, registry=registry)
    assert _verdicts(run)[-1] == TITLE
