"""Images that come beside those of a batch, and SCAN, which asks for them, as the trainer runs it."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor

from workbench.catalog.registry import Registry
from workbench.evaluate.clusters import match
from workbench.inspect.encoder import read_checkpoint
from workbench.method.contract import Progress
from workbench.runs.events import Clusters, Scalars, read_events
from workbench.runs.folder import RunFolder
from workbench.runs.snapshot import read_snapshot
from workbench.runs.split import read_split
from workbench.runs.state import fold
from workbench.spec.experiment import Experiment, MethodSpec, OpSpec, ViewSpec
from workbench.training.check import check
from workbench.training.checkpoint import LAST
from workbench.training.feed import Feed
from workbench.training.step import make_stepper
from workbench.training.trainer import train

MakeRun = Callable[..., RunFolder]
CPU = torch.device("cpu")
EPOCHS, STEPS = 4, 6


def feed_of(count: int = 20) -> Feed:
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(16, axis=2).repeat(16, axis=3)
    rows = np.arange(count)
    return Feed(pixels.repeat(3, axis=1), rows=rows, ids=rows + 100, labels=rows % 3, batch_size=8, seed=1, device=CPU)


def test_tuples_come_in_the_order_of_the_batch() -> None:
    for drawn in feed_of().epoch(0, tuples=lambda indices: torch.stack([(indices + n) % 20 for n in range(3)], dim=1)):
        assert len(drawn.partners) == 2
        for number, beside in enumerate(drawn.partners, start=1):
            assert torch.equal(beside.indices, (drawn.indices + number) % 20)
            assert torch.equal(beside.ids, beside.indices + 100)
            assert torch.equal(beside.labels, beside.indices % 3)
            assert torch.equal(beside.pixels[:, 0, 0, 0].long(), beside.indices)
        parts = drawn.split(2)
        assert all([len(one.ids) for one in part.partners] == [4, 4] for part in parts)
    assert all(drawn.partners == () for drawn in feed_of().epoch(0, tuples=lambda _: None))


def test_another_image_may_stand_in_for_one_of_the_batch() -> None:
    plain, instead = (
        [drawn.indices for drawn in feed_of().epoch(0, tuples=tuples)]
        for tuples in (None, lambda indices: torch.stack([(indices + 7) % 20, indices], dim=1))
    )
    assert all(torch.equal(other, (one + 7) % 20) for one, other in zip(plain, instead, strict=True))


def test_views_of_partners_are_those_that_they_have_in_their_own_batch(
    experiment: Experiment, registry: Registry
) -> None:
    from tests.unit.training.test_steps import Mean

    stepper = make_stepper(experiment, Mean(), device=CPU, registry=registry)
    (drawn, _) = feed_of().epoch(3, tuples=lambda indices: torch.stack([indices, indices.flip(0)], dim=1))
    batch = stepper.views(drawn, 3)
    assert len(batch.views) == 2
    (beside,) = batch.partner_views
    for theirs, own in zip(beside, batch.views, strict=True):
        assert torch.equal(theirs, own.flip(0))


@pytest.fixture
def experiment_of_scan(experiment: Experiment, make_run: MakeRun, registry: Registry) -> Experiment:
    """It starts from a run of one epoch; in the last quarter of its steps images label themselves."""
    first = make_run(train={"epochs": 1})
    train(first, registry=registry)
    flipped = ViewSpec(name="strong", count=1, size=16, chain=(OpSpec(op="horizontal_flip"),))
    return replace(
        experiment,
        name="scan",
        views=(ViewSpec(name="weak", count=1, size=16), flipped),
        method=MethodSpec(
            name="scan", params={"clusters": 3, "neighbors": 4, "self_labeling": 0.25, "confidence": 0.3}
        ),
        backbone=replace(experiment.backbone, weights=str(first.path)),
    )


def weights_of(run: RunFolder) -> dict[str, Tensor]:
    state: dict[str, Tensor] = read_checkpoint(run.checkpoints / LAST)["method"]
    return state


def test_scan_goes_on_from_a_run_and_tells_how_its_clusters_match(
    experiment_of_scan: Experiment, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [one for one in check(experiment_of_scan, 60, registry) if one.level == "error"] == []
    whole, parted = (RunFolder.create(tmp_path / "runs", experiment_of_scan) for _ in range(2))
    seen: list[tuple[int, int]] = []
    scan: Any = registry.method("scan").build

    def before_step(method: Any, progress: Progress) -> None:
        seen.append((progress.step, len(method._fresh_partners)))

    plain = scan.loss

    def loss(method: Any, batch: Any, progress: Progress) -> Any:
        method._fresh_partners = sum(batch.partner_views, ())
        return plain(method, batch, progress)

    monkeypatch.setattr(scan, "loss", loss)
    monkeypatch.setattr(scan, "before_step", before_step)
    state = train(whole, registry=registry)
    assert state.phase == "finished"
    assert seen == [(step, 2 if step < 3 * STEPS else 0) for step in range(EPOCHS * STEPS)]

    def stop(method: Any, progress: Progress) -> None:
        if progress.step == STEPS + 2:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(scan, "before_step", stop)
    assert train(parted, registry=registry).phase == "stopped"
    assert train(parted, registry=registry).phase == "finished"
    one, other = weights_of(whole), weights_of(parted)
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    found = [
        [(e.epoch, e.accuracy, e.nmi) for e in read_events(run.events_file) if isinstance(e, Clusters)]
        for run in (whole, parted)
    ]
    assert [epoch for epoch, *_ in found[0]] == [0, 2, 4]
    assert found[0] == found[1]


def test_what_is_told_of_clusters_is_what_the_checkpoint_gives(
    experiment_of_scan: Experiment, registry: Registry, tmp_path: Path
) -> None:
    run = RunFolder.create(tmp_path / "runs", experiment_of_scan)
    state = train(run, registry=registry)
    told, weights = state.clusters, weights_of(run)
    assert told is not None
    snapshot, table = read_snapshot(run.snapshot_file(EPOCHS)), read_split(run.split_file)
    logits = torch.from_numpy(snapshot.embeddings) @ weights["head.weight"].T + weights["head.bias"]
    labels = np.unique([table.labels[row] for row in snapshot.indices], return_inverse=True)[1]
    expected = match(logits.argmax(dim=1).numpy(), labels)
    assert (told.accuracy, told.nmi, told.ari, told.used) == pytest.approx(
        (expected.accuracy, expected.nmi, expected.ari, expected.used)
    )
    assert (told.epoch, told.images) == (EPOCHS, 60)
    assert fold(read_events(run.events_file)).clusters == told
    curves = [event for event in read_events(run.events_file) if isinstance(event, Scalars)]
    assert any("loss/sure" in event.values for event in curves)


def test_neighbors_are_those_of_the_encoder_that_it_starts_from(
    experiment_of_scan: Experiment, registry: Registry, tmp_path: Path
) -> None:
    from workbench.catalog.build import build_method

    run = RunFolder.create(tmp_path / "runs", experiment_of_scan)
    train(run, registry=registry)
    method: Any = build_method(experiment_of_scan, train_images=48, classes=0, registry=registry)
    method.neighbors.copy_(weights_of(run)["neighbors"])
    indices = torch.arange(48)
    assert (method.neighbors != indices[:, None]).all()
    drawn = [
        method.tuples(indices, Progress(step=STEPS * epoch, total_steps=24, epoch=epoch, total_epochs=EPOCHS))
        for epoch in range(EPOCHS)
    ]
    assert drawn[3] is None
    assert not torch.equal(drawn[0], drawn[1])
    for one in drawn[:3]:
        assert torch.equal(one[:, 0], indices)
        assert (one[:, 1:] == method.neighbors).any(dim=1).all()
    few = method.tuples(indices[5:9], Progress(step=1, total_steps=24, epoch=0, total_epochs=EPOCHS))
    assert torch.equal(few, drawn[0][5:9])


def test_without_a_run_to_start_from_the_check_says_where_to_name_it(
    experiment_of_scan: Experiment, registry: Registry, tmp_path: Path
) -> None:
    def found(weights: str) -> list[tuple[str, str]]:
        asked = replace(experiment_of_scan, backbone=replace(experiment_of_scan.backbone, weights=weights))
        findings = check(asked, 60, registry)
        return [(one.level, one.message) for one in findings if one.field == "backbone.weights"]

    ((level, message),) = found("none")
    assert level == "error"
    assert "'weights' in the recipe" in message
    assert found(str(tmp_path / "gone")) == [("error", f"There is no run in {tmp_path / 'gone'} to take weights from.")]
    begun = RunFolder.create(tmp_path / "runs", replace(experiment_of_scan, name="begun"))
    ((level, message),) = found(str(begun.path))
    assert level == "error"
    assert "has no checkpoint yet" in message
    (begun.checkpoints / LAST).write_bytes(b"some")
    ((level, message),) = found(str(begun.path))
    assert level == "warning"
    assert "is not finished" in message
    other = replace(experiment_of_scan, backbone=replace(experiment_of_scan.backbone, name="resnet18"))
    assert "trained tinyconv" in next(one.message for one in check(other, 60, registry) if "trained" in one.message)
