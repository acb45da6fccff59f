"""Frame order as the trainer runs it: tuples within clips and sides, one draw for a tuple, resume, ranks, refusals."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from tests.films import paint_films
from workbench.catalog.registry import Registry, load_registry
from workbench.data.prepare import read_images
from workbench.inspect.encoder import read_checkpoint
from workbench.method.contract import Batch, Progress
from workbench.runs.events import Exam, read_events
from workbench.runs.folder import RunFolder
from workbench.runs.split import read_split
from workbench.spec.errors import CheckError
from workbench.spec.experiment import (
    BackboneSpec,
    DataSpec,
    Experiment,
    MethodSpec,
    OpSpec,
    TaskSpec,
    TrainSpec,
    ViewSpec,
    WatchSpec,
)
from workbench.training.check import check
from workbench.training.checkpoint import LAST
from workbench.training.feed import Feed
from workbench.training.frames import frames_of
from workbench.training.measure import measure
from workbench.training.trainer import train

CLIPS, FRAMES, SIZE = 5, 16, 16
METHODS = ("shuffle_and_learn", "order_prediction")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, places: Path) -> Path:
    folder = tmp_path_factory.mktemp("films")
    paint_films(folder, clips=CLIPS, frames=FRAMES, size=SIZE)
    return folder


@pytest.fixture(scope="module")
def catalog(places: Path) -> Registry:
    return load_registry()


def asked(films: Path, method: str) -> Experiment:
    return Experiment(
        name=method,
        data=DataSpec(folder=str(films), split="clips", size=SIZE, test_fraction=0.2),
        views=(ViewSpec(count=1, size=SIZE, chain=(OpSpec(op="random_resized_crop"),)),),
        method=MethodSpec(name=method, params={"distance": 2, "hidden": 32}),
        backbone=BackboneSpec(name="tinyconv"),
        train=TrainSpec(epochs=2, batch_size=16, device="cpu", optimizer="adamw", learning_rate=0.002),
        watch=WatchSpec(probe_every=1, snapshot_every=2, checkpoint_every=1, images=64, neighbors=5),
    )


@pytest.mark.parametrize("name", METHODS)
def test_every_tuple_is_of_one_clip_and_one_side_and_a_resumed_run_goes_on_alike(
    films: Path, catalog: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    whole, parted = (RunFolder.create(tmp_path / "runs", asked(films, name)) for _ in range(2))
    shown: dict[str, list[tuple[Batch, Any]]] = {"loss": [], "exam": []}
    kind: Any = catalog.method(name).build

    def spied(what: str) -> Any:
        plain = getattr(kind, what)

        def spy(method: Any, batch: Batch, progress: Progress) -> Any:
            shown[what].append((batch, progress))
            return plain(method, batch, progress)

        return spy

    monkeypatch.setattr(kind, "loss", spied("loss"))
    monkeypatch.setattr(kind, "exam", spied("exam"))
    assert train(whole, registry=catalog).phase == "finished"
    told = [event for event in read_events(whole.events_file) if isinstance(event, Exam)]
    assert [(one.epoch, one.task) for one in told] == [(epoch, "frame order") for epoch in range(3)]
    table = read_split(whole.split_file)
    held_out = {table.paths[row].split("/")[0] for row in table.rows("test")}
    assert len(held_out) == 1
    frames = {"shuffle_and_learn": 5, "order_prediction": 4}[name]
    for what, batches in shown.items():
        assert batches, what
        for batch, _ in batches:
            assert len(batch.partner_views) == frames - 1
    assert sum(len(batch.indices) for batch, _ in shown["exam"]) == 3 * told[0].images

    def stop(method: Any, progress: Progress) -> None:
        if progress.step == 5:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(kind, "before_step", stop)
    assert train(parted, registry=catalog).phase == "stopped"
    monkeypatch.undo()
    assert train(parted, registry=catalog).phase == "finished"
    one, other = (read_checkpoint(run.checkpoints / LAST)["method"] for run in (whole, parted))
    assert [key for key in one if not torch.equal(one[key], other[key])] == []


@pytest.mark.parametrize("first", ["shuffle_and_learn", "rotation"])
def test_a_film_task_and_another_train_beside_each_other_as_each_would_alone(
    films: Path, catalog: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    names = ("shuffle_and_learn", "rotation") if first == "shuffle_and_learn" else ("rotation", "shuffle_and_learn")
    params: dict[str, dict[str, Any]] = {"shuffle_and_learn": {"distance": 2, "hidden": 32}, "rotation": {}}
    experiment = replace(
        asked(films, first),
        method=MethodSpec(
            name=names[0], params=params[names[0]], also=(TaskSpec(name=names[1], params=params[names[1]]),)
        ),
        views=(ViewSpec(count=1, size=SIZE),),
    )
    assert [one.message for one in check(experiment, CLIPS * FRAMES, catalog) if one.level == "error"] == []
    shown: dict[str, list[Batch]] = {name: [] for name in names}

    def spied(name: str, plain: Any) -> Any:
        def spy(method: Any, batch: Batch, progress: Progress) -> Any:
            shown[name].append(batch)
            return plain(method, batch, progress)

        return spy

    for name in names:
        kind: Any = catalog.method(name).build
        monkeypatch.setattr(kind, "loss", spied(name, kind.loss))
    run = RunFolder.create(tmp_path / "runs", experiment)
    assert train(run, registry=catalog).phase == "finished"
    table = read_split(run.split_file)
    trained, held_out = table.rows("train"), table.rows("test")
    steps = len(trained) // 16
    stored = read_images(films, table.paths, experiment.data)
    normalization = torch.load(run.checkpoints / LAST, weights_only=True)["normalization"]
    mean, std = (torch.tensor(normalization[key])[:, None, None] for key in ("mean", "std"))
    for batch in shown["rotation"]:
        assert batch.partner_views == ()
        pixels = torch.from_numpy(stored[np.asarray(trained)[batch.indices.numpy()]]) / 255
        torch.testing.assert_close(batch.views[0], (pixels - mean) / std)
    epoch = torch.cat([batch.indices for batch in shown["rotation"][:steps]])
    assert len(epoch.unique()) == len(epoch), "an image comes once in an epoch"
    for batch in shown["shuffle_and_learn"]:
        assert len(batch.partner_views) == 4
        assert not all(torch.equal(view, batch.views[0]) for (view,) in batch.partner_views)
    told = {event.task: event for event in read_events(run.events_file) if isinstance(event, Exam)}
    assert set(told) == {"frame order", "rotation"}
    assert told["rotation"].images == len(held_out), "asked about every held-out image, not only about windows"
    assert 0 < told["frame order"].images < len(held_out)


def test_all_frames_of_a_tuple_are_cropped_alike(films: Path, catalog: Registry, tmp_path: Path) -> None:
    """With one picture in place of every frame, all views of a tuple are the same, and another tuple's are not."""
    from workbench.catalog.build import build_method
    from workbench.training.frames import pretended_frames
    from workbench.training.step import make_stepper

    experiment = asked(films, "shuffle_and_learn")
    method = build_method(experiment, train_images=32, classes=0, registry=catalog, frames=pretended_frames(32))
    stepper = make_stepper(experiment, method, device=torch.device("cpu"), registry=catalog)
    picture = np.random.default_rng(0).integers(0, 255, (1, 3, SIZE, SIZE), dtype=np.uint8).repeat(32, axis=0)
    rows = np.arange(32)
    feed = Feed(picture, rows=rows, ids=rows, labels=rows, batch_size=16, seed=1, device=torch.device("cpu"))
    now = Progress(step=0, total_steps=4, epoch=0, total_epochs=2)
    for drawn in feed.epoch(0, tuples=lambda indices: method.tuples(indices, now)):
        batch = stepper.views(drawn, 0)
        for (view,) in batch.partner_views:
            assert torch.equal(view, batch.views[0])
        assert not torch.equal(batch.views[0][0], batch.views[0][1])


def test_two_processes_get_the_tuples_of_the_whole_batch() -> None:
    count = 24
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(3, axis=1)
    rows = np.arange(count)

    def batches(rank: int, world: int) -> Iterator[torch.Tensor]:
        feed = Feed(
            pixels, rows=rows, ids=rows, labels=rows, batch_size=8, seed=1, device=torch.device("cpu"), rank=rank,
            world=world,
        )  # fmt: skip
        for drawn in feed.epoch(0, tuples=lambda indices: torch.stack([indices, (indices + 5) % count, indices], 1)):
            assert torch.equal(drawn.partners[0].indices, (drawn.indices + 5) % count)
            yield torch.stack([drawn.indices, *(one.indices for one in drawn.partners)], 1)

    for whole, first, second in zip(batches(0, 1), batches(0, 2), batches(1, 2), strict=True):
        assert torch.equal(torch.stack([first, second], 1).flatten(0, 1), whole)


def test_motion_is_that_to_the_next_frame_of_the_clip() -> None:
    pixels = np.zeros((5, 1, 2, 2), np.uint8)
    pixels[:, 0, 0, 0] = (0, 255, 51, 0, 255)
    paths = ("a/10.png", "a/9.png", "b/1.png", "a/8.png", "b/2.png")
    frames = frames_of(pixels, paths, np.array([0, 1, 2, 3, 4]))
    assert frames.clip.tolist() == [0, 0, 1, 0, 1]
    assert frames.position.tolist() == [2, 1, 0, 0, 1]
    assert frames.motion.tolist() == pytest.approx([0, 0.25, 0.2, 0.25, 0])
    assert frames_of(pixels, paths, np.array([3, 0])).motion.tolist() == [0, 0]


def test_images_that_are_no_films_are_refused_with_a_way_out(
    films: Path, images: Path, catalog: Registry, tmp_path: Path
) -> None:
    good = asked(films, "order_prediction")
    assert [one.message for one in check(good, CLIPS * FRAMES, catalog) if one.level == "error"] == []
    astray = replace(good, data=replace(good.data, split="random"))
    ((message, field),) = [(one.message, one.field) for one in check(astray, 80, catalog) if one.level == "error"]
    assert "data.split = 'clips'" in message
    assert field == "data.split"
    with pytest.raises(CheckError, match=r"whole stretches"):
        train(RunFolder.create(tmp_path / "runs", astray), registry=catalog)
    photos = replace(good, data=DataSpec(folder=str(images), split="clips", size=SIZE))
    errors = [one for one in check(photos, 60, catalog) if one.level == "error"]
    assert "put the frames of each film into a folder of its own" in errors[0].message
    assert "choose another method" in errors[0].message


def test_clips_that_are_too_short_are_said(films: Path, catalog: Registry, tmp_path: Path) -> None:
    good = asked(films, "shuffle_and_learn")
    short = replace(good, data=replace(good.data, limit=CLIPS * 4), train=replace(good.train, batch_size=8))
    with pytest.raises(CheckError, match=r"No clip has 5 frames"):
        train(RunFolder.create(tmp_path / "runs", short), registry=catalog)


def test_its_cost_is_measured_before_there_are_images(films: Path, catalog: Registry) -> None:
    assert measure(asked(films, "order_prediction"), CLIPS * FRAMES, catalog).images_per_second > 0
