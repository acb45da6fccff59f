"""A step: parts of a batch, rates per group, corners, and what is asked of the method on the way."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor, nn

from workbench.augment.normalize import normalization_for
from workbench.catalog.build import build_method
from workbench.catalog.registry import Registry
from workbench.data.prepare import prepare
from workbench.inspect.embed import embed
from workbench.method.contract import Batch, Loss, Method, Progress
from workbench.runs.folder import RunFolder
from workbench.spec import places
from workbench.spec.errors import CheckError
from workbench.spec.experiment import Experiment, MethodSpec, TrainSpec
from workbench.spec.progress import ignore
from workbench.training.check import check
from workbench.training.encode import AllImages
from workbench.training.feed import Drawn
from workbench.training.optimizer import build_optimizer, set_rates
from workbench.training.ranks import Ranks
from workbench.training.schedule import weight_decay
from workbench.training.step import Stepper, make_stepper
from workbench.training.trainer import train

MakeRun = Callable[..., RunFolder]
PROGRESS = Progress(step=0, total_steps=4, epoch=0, total_epochs=1)


class Mean(Method):
    """The loss is a mean over images of something that no batch norm mixes; corners and views are kept to look at."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((3,), 0.5))
        self.batches: list[Batch] = []
        self.steps: list[bool] = []

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        self.batches.append(batch)
        values = (batch.views[0].mean(dim=(2, 3)) * self.weight).square().sum(dim=1)
        return Loss(value=values.mean(), parts={"largest": values.max().detach()})

    def before_step(self, progress: Progress) -> None:
        self.steps.append(self.weight.grad is not None)


def stepper_of(experiment: Experiment, registry: Registry, *, parts: int) -> Stepper:
    asked = replace(experiment, train=replace(experiment.train, accumulate=parts))
    return make_stepper(asked, Mean(), device=torch.device("cpu"), registry=registry)


def drawn(count: int = 8) -> Drawn:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, 16, 16), dtype=torch.uint8, generator=generator)
    rows = torch.arange(count)
    return Drawn(step=0, pixels=pixels, ids=rows + 100, indices=rows, labels=rows)


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_a_batch_in_parts_has_the_same_gradient(experiment: Experiment, registry: Registry, parts: int) -> None:
    whole, divided = (stepper_of(experiment, registry, parts=number) for number in (1, parts))
    losses = [one.gradients(one.batches(drawn(), 3), PROGRESS) for one in (whole, divided)]
    methods = [one.method for one in (whole, divided)]
    assert isinstance(methods[0], Mean)
    assert isinstance(methods[1], Mean)
    assert [len(batch.indices) for batch in methods[1].batches] == [8 // parts] * parts
    assert torch.equal(torch.cat([batch.views[0] for batch in methods[1].batches]), methods[0].batches[0].views[0])
    assert methods[0].weight.grad is not None
    torch.testing.assert_close(methods[1].weight.grad, methods[0].weight.grad)
    torch.testing.assert_close(losses[1][0].value, losses[0][0].value.detach())
    assert bool(losses[1][1])
    assert not losses[1][0].parts["largest"].requires_grad
    assert methods[1].steps == []
    divided.update(PROGRESS)
    assert methods[1].steps == [True]


def test_one_part_that_is_not_finite_is_seen(experiment: Experiment, registry: Registry) -> None:
    stepper = stepper_of(experiment, registry, parts=2)
    batches = list(stepper.batches(drawn(), 0))
    broken = Batch(views=(batches[0].views[0] * torch.nan,), indices=batches[0].indices)
    assert not stepper.gradients([broken, batches[1]], PROGRESS)[1]


def test_parts_that_are_not_equal_are_refused(experiment: Experiment, registry: Registry, make_run: MakeRun) -> None:
    asked = replace(experiment, train=replace(experiment.train, accumulate=3))
    assert ("error", "train.accumulate") in {(one.level, one.field) for one in check(asked, 60, registry)}
    with pytest.raises(CheckError, match="3 equal parts"):
        train(make_run(train={"accumulate": 3}), registry=registry)


def test_a_method_that_needs_the_whole_batch_says_why(experiment: Experiment, registry: Registry) -> None:
    asked = replace(experiment, method=MethodSpec(name="simclr"), train=replace(experiment.train, accumulate=2))
    found = [one.message for one in check(asked, 60, registry) if one.field == "train.accumulate"]
    assert found == ["SimCLR compares the images of a batch with each other: parts of it do not add up to the whole."]
    with pytest.raises(CheckError, match="compares the images"):
        build_method(asked, train_images=48, classes=0, registry=registry)


def test_a_run_in_parts(make_run: MakeRun, registry: Registry) -> None:
    state = train(make_run(train={"accumulate": 2, "epochs": 1}), registry=registry)
    assert state.phase == "finished"
    assert {"loss", "loss/spread"} <= set(state.scalars)


def test_corners_are_those_of_the_view(experiment: Experiment, registry: Registry) -> None:
    stepper = stepper_of(experiment, registry, parts=1)
    assert next(stepper.batches(drawn(), 2)).corners == ()
    placed = replace_stepper(stepper)
    batch = next(placed.batches(drawn(), 2))
    shown = stepper.plan.show(drawn().pixels, seed=stepper.seed, epoch=2, ids=drawn().ids)
    assert len(batch.corners) == len(batch.views) == 2
    for corners, view in zip(batch.corners, shown, strict=True):
        assert torch.equal(corners, view.corners)
    flipped = batch.corners[0][:, 0, 0] > batch.corners[0][:, 1, 0]
    assert flipped.any()
    assert not flipped.all()


def replace_stepper(stepper: Stepper) -> Stepper:
    import dataclasses

    return dataclasses.replace(stepper, uses_corners=True)


def test_weight_decay_follows_half_a_cosine() -> None:
    def decay(step: float, factor: float = 10.0) -> float:
        return weight_decay(step, total=100, base=0.04, factor=factor)

    assert decay(0) == pytest.approx(0.04)
    assert decay(50) == pytest.approx((0.04 + 0.4) / 2)
    assert decay(100) == pytest.approx(0.4)
    assert decay(25) == pytest.approx(0.4 - (0.4 - 0.04) * (1 + np.cos(np.pi / 4)) / 2)
    assert [decay(step, factor=1.0) for step in (0, 50, 100)] == [0.04] * 3


@pytest.mark.parametrize("name", ["sgd", "adamw", "lars"])
def test_steady_parameters_keep_their_rate_and_all_weights_get_the_decay(name: str) -> None:
    net = nn.ModuleList([nn.Linear(3, 4), nn.Linear(4, 2)])
    spec = TrainSpec(optimizer=name, weight_decay=0.1)  # type: ignore[arg-type]
    optimizer = build_optimizer(net, spec, learning_rate=0.5, steady=net[1].parameters())
    set_rates(optimizer, 0.25, 0.2)
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    first, second = net
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    assert found == {
        id(first.weight): (0.25, 0.2),
        id(first.bias): (0.25, 0.0),
        id(second.weight): (0.5, 0.2),
        id(second.bias): (0.5, 0.0),
    }


def test_the_trainer_uses_both_schedules(
    make_run: MakeRun, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def keep(optimizer: torch.optim.Optimizer, rate: float, decay: float) -> None:
        asked.append((rate, decay))
        set_rates(optimizer, rate, decay)

    monkeypatch.setattr("workbench.training.trainer.set_rates", keep)
    train(make_run(train={"epochs": 2, "weight_decay": 0.01, "weight_decay_factor": 4.0}), registry=registry)
    decays = [decay for _, decay in asked]
    assert decays[0] == pytest.approx(0.01)
    assert decays == sorted(decays)
    assert 0.035 < decays[-1] < 0.04


def test_before_every_epoch_the_method_sees_all_training_images(make_run: MakeRun, registry: Registry) -> None:
    run = make_run(train={"epochs": 2})
    train(run, registry=registry)
    state: dict[str, Any] = torch.load(run.checkpoints / "last.pt", weights_only=True)["method"]
    assert int(state["epochs"]) == 2
    assert state["seen"].abs().sum() > 0


@pytest.mark.parametrize("world", [1, 2, 3])
def test_all_images_come_in_the_order_of_their_rows(
    experiment: Experiment, registry: Registry, world: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = prepare(experiment, cache=places.cache_folder())
    method = build_method(
        replace(experiment, method=MethodSpec(name="simclr")), train_images=48, classes=0, registry=registry
    )
    normalization = normalization_for(experiment.data, data.store.mean, data.store.std)
    device = torch.device("cpu")

    def images(rank: int) -> AllImages:
        return AllImages(
            pixels=data.store.pixels,
            rows=data.train_rows[:47],
            normalization=normalization,
            image_size=16,
            device=device,
            ranks=Ranks(rank=rank, world=world),
            report=ignore,
        )

    parts = [images(rank)._encode(method.encoder.eval(), data.train_rows[:47][rank::world]) for rank in range(world)]

    def all_gather(found: list[Tensor], padded: Tensor) -> None:
        for place, part in zip(found, parts, strict=True):
            place[: len(part)] = part

    monkeypatch.setattr("torch.distributed.all_gather", all_gather)
    method.encoder.train()
    encoded = images(0)(method.encoder)
    assert method.encoder.training
    expected = embed(
        method.encoder, normalization, data.store.pixels, image_size=16, device=device, rows=data.train_rows[:47]
    )
    torch.testing.assert_close(encoded, torch.from_numpy(expected), rtol=1e-4, atol=1e-5)
