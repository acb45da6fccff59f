"""The task of an untrained method, as the engine answers: what it gives and asks is what training would keep."""

from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from workbench.data.prepare import prepare
from workbench.data.sample import paint_sample
from workbench.engine.handlers import handle, tasks
from workbench.engine.messages import LANES, Arrays, LookInside, Preview, ShowTask, ShowTaskReply
from workbench.runs.exhibit import read_exhibit
from workbench.runs.folder import RunFolder
from workbench.spec import places as where
from workbench.spec.errors import SpecError, UsageError
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
from workbench.spec.progress import ignore
from workbench.training.trainer import train


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory, places: Path) -> Experiment:
    folder = tmp_path_factory.mktemp("painted")
    paint_sample(folder, count=40, size=32)
    chain = (OpSpec(op="random_resized_crop"), OpSpec(op="horizontal_flip"))
    return Experiment(
        name="turned",
        data=DataSpec(folder=str(folder), labels="none", size=32, test_fraction=0.4),
        views=(ViewSpec(size=24, count=1, chain=chain),),
        method=MethodSpec(name="rotation"),
        backbone=BackboneSpec(name="tinyconv"),
        train=TrainSpec(epochs=1, batch_size=8, device="cpu"),
        watch=WatchSpec(probe_every=0, snapshot_every=1, images=50),
    )


def ask(experiment: Experiment, paths: tuple[str, ...], *, epoch: int = 0) -> tuple[ShowTaskReply, Arrays]:
    reply, arrays = handle(ShowTask(experiment=experiment, images=40, paths=paths, epoch=epoch), ignore)
    assert isinstance(reply, ShowTaskReply)
    return reply, arrays


PATHS = tuple(f"images/{number:05d}.png" for number in range(5))


def test_it_is_what_a_run_keeps_of_the_same_images(experiment: Experiment, tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, experiment)
    train(run)
    for epoch in (0, 1):
        kept = read_exhibit(run.exhibit_file(epoch))
        assert {"input", "answer"} == {panel.part for panel in kept.panels}
        reply, arrays = ask(experiment, kept.paths)
        assert [(panel.part, panel.title) for panel in reply.panels] == [("input", "Turned")], "never the answers"
        given = next(panel for panel in kept.panels if panel.part == "input")
        assert reply.panels[0].captions == given.captions
        difference = arrays["panel-0"].astype(int) - given.pictures.astype(int)
        assert np.abs(difference).max() <= 1, "normalized by other numbers, and back"
    data = prepare(experiment, cache=where.cache_folder())
    rows = [data.table.paths.index(path) for path in kept.paths]
    np.testing.assert_array_equal(arrays["originals"], np.moveaxis(data.store.pixels[rows], 1, -1))


def test_it_follows_the_draw_the_chain_and_the_method(experiment: Experiment) -> None:
    _, arrays = ask(experiment, PATHS)
    _, again = ask(experiment, PATHS)
    np.testing.assert_array_equal(arrays["panel-0"], again["panel-0"])
    _, later = ask(experiment, PATHS, epoch=1)
    assert not np.array_equal(arrays["panel-0"], later["panel-0"])
    plain = replace(experiment, views=(ViewSpec(size=32, count=1, chain=()),))
    _, whole = ask(plain, PATHS)
    np.testing.assert_array_equal(whole["panel-0"][0], whole["originals"][0])
    np.testing.assert_array_equal(whole["panel-0"][1], np.rot90(whole["originals"][1]))


@pytest.mark.parametrize("channels", ["gray", "planes"])
def test_it_shows_what_a_person_sees_of_other_images(experiment: Experiment, channels: str) -> None:
    data = replace(experiment.data, channels=channels)
    reply, arrays = ask(replace(experiment, data=data, views=(ViewSpec(size=32, count=1, chain=()),)), PATHS)
    assert reply.panels[0].title == "Turned"
    assert arrays["panel-0"].shape == (5, 32, 32, 3)
    difference = arrays["panel-0"][0].astype(int) - arrays["originals"][0].astype(int)
    assert np.abs(difference).max() <= 1


def test_the_encoder_is_drawn_once_and_never_touched(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(experiment, PATHS)
    kept = tasks._kept_encoder(experiment.backbone, 3, 24)
    before = {name: value.clone() for name, value in kept.state_dict().items()}
    monkeypatch.setattr("workbench.catalog.build.build_encoder", lambda *told, **more: pytest.fail("built again"))
    random = torch.get_rng_state()
    ask(replace(experiment, seed=5), PATHS)
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in kept.state_dict().items())


def test_what_cannot_be_shown_is_told_in_words(experiment: Experiment) -> None:
    with pytest.raises(UsageError, match="SimCLR has no pictures of its task"):
        ask(replace(experiment, method=MethodSpec(name="simclr")), PATHS)
    with pytest.raises(SpecError, match="nonsense"):
        ask(replace(experiment, method=MethodSpec(name="rotation", params={"nonsense": 1})), PATHS)
    with pytest.raises(UsageError, match="none were given"):
        ask(experiment, ())


def test_previews_do_not_wait_for_it_nor_it_for_a_look_inside() -> None:
    assert LANES[ShowTask] not in (LANES.get(Preview, "quick"), LANES[LookInside])


def test_other_images_that_are_shown_stand_in_for_partners(experiment: Experiment) -> None:
    params = {"drop": 0.0, "replace": 0.5}
    asked = replace(
        experiment,
        method=MethodSpec(name="sit", params=params),
        backbone=BackboneSpec(name="vit_nano", stem="small"),
        views=(ViewSpec(size=32, count=2, chain=()),),
    )
    reply, arrays = ask(asked, PATHS)
    spoiled = arrays[f"panel-{[panel.part for panel in reply.panels].index('input')}"].astype(int)
    originals = arrays["originals"].astype(int)
    own, other = (
        (np.abs(spoiled - images).max(axis=3) <= 1).mean(axis=(1, 2))
        for images in (originals, np.roll(originals, 1, axis=0))
    )
    assert (own > 0.2).all()
    assert (other > 0.2).all()
    assert (own + other >= 0.99).all(), "each pixel is of the image or of the one beside it"


def test_a_task_about_films_may_stand_beside_one_that_has_pictures(experiment: Experiment) -> None:
    alone, pictures = ask(experiment, PATHS)
    beside = replace(experiment, method=MethodSpec(name="rotation", also=(TaskSpec(name="shuffle_and_learn"),)))
    reply, arrays = ask(beside, PATHS)
    assert [panel.title for panel in reply.panels] == [f"Rotation prediction: {panel.title}" for panel in alone.panels]
    np.testing.assert_array_equal(arrays["panel-0"], pictures["panel-0"])
