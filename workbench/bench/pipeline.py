"""Training throughput: the real pipeline against the same step on ready tensors, and against lightly's stock one."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from workbench.augment.normalize import normalization_for
from workbench.bench.harness import Result, rate, take_turns
from workbench.catalog.build import build_method
from workbench.catalog.registry import load_registry
from workbench.data.prepare import prepare
from workbench.data.sample import paint_sample
from workbench.method.contract import Batch, Progress
from workbench.spec.experiment import BackboneSpec, DataSpec, Experiment, OpSpec, TrainSpec, ViewSpec
from workbench.spec.progress import Report
from workbench.training.devices import resolve_device
from workbench.training.feed import Drawn, Feed
from workbench.training.heap import keep_freed_memory
from workbench.training.step import Stepper, make_stepper

_SIZE = 32
_BATCH = 128
_PROGRESS = Progress(step=0, total_steps=1000, epoch=0, total_epochs=10)


def run(*, quick: bool, report: Report) -> list[Result]:
    """SimCLR with resnet10t at 32 px, on painted images, on the best device of this machine."""
    seconds = 3.0 if quick else 10.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "images"
        paint_sample(folder, count=1000, size=_SIZE)
        stepper, feed = _trainer(folder, Path(name) / "cache")
        batches = _endless(feed)
        ready = stepper.views(next(batches)[0], 0)
        contenders: dict[str, Callable[[], float]] = {
            "ready tensors": lambda: rate(lambda: _train(stepper, ready), seconds=seconds),
            "real pipeline": lambda: rate(lambda: _train_next(stepper, batches), seconds=seconds),
        }
        notes: tuple[str, ...] = (f"{stepper.device}, {stepper.precision}, batch {_BATCH}, two views",)
        try:
            stock = _lightly(folder, stepper)
        except ImportError:
            notes += ("lightly is not installed, so its pipeline was not measured",)
        else:
            contenders["the same step fed by lightly"] = lambda: rate(stock, seconds=seconds)
        rows = take_turns(contenders, rounds=3 if quick else 5, report=report)
    return [
        Result(
            name="pipeline",
            title=f"SimCLR, resnet10t with the standard stem at {_SIZE} px",
            unit="images/s",
            rows=rows,
            target="real pipeline at least 0.90 of ready tensors on a CPU, 0.95 on a GPU; 1.6 times lightly",
            notes=notes,
        )
    ]


def _trainer(folder: Path, cache: Path) -> tuple[Stepper, Feed]:
    chain = (
        OpSpec(op="random_resized_crop", params={"scale": (0.08, 1.0)}),
        OpSpec(op="horizontal_flip", params={"p": 0.5}),
        OpSpec(op="color_jitter", params={"brightness": 0.8, "contrast": 0.8, "saturation": 0.8, "hue": 0.2, "p": 0.8}),
        OpSpec(op="grayscale", params={"p": 0.2}),
    )
    experiment = Experiment(
        data=DataSpec(folder=str(folder), size=_SIZE),
        views=(ViewSpec(count=2, size=_SIZE, chain=chain),),
        backbone=BackboneSpec(name="resnet10t", stem="standard"),
        train=TrainSpec(batch_size=_BATCH, learning_rate=0.02),
    )
    registry = load_registry()
    device = resolve_device("auto")
    if device.type == "cpu":
        keep_freed_memory()
    data = prepare(experiment, cache=cache)
    normalization = normalization_for(experiment.data, data.store.mean, data.store.std).to(device)
    method = build_method(
        experiment, train_images=len(data.train_rows), classes=0, registry=registry, normalization=normalization
    )
    stepper = make_stepper(experiment, method, device=device, registry=registry, normalization=normalization)
    feed = Feed(
        data.store.pixels,
        rows=data.train_rows,
        ids=data.ids[data.train_rows],
        labels=data.labels[data.train_rows],
        batch_size=_BATCH,
        seed=0,
        device=device,
    )
    return stepper, feed


def _endless(feed: Feed) -> Iterator[tuple[Drawn, int]]:
    epoch = 0
    while True:
        for drawn in feed.epoch(epoch):
            yield drawn, epoch
        epoch += 1


def _train(stepper: Stepper, batch: Batch) -> int:
    _, finite = stepper.gradients([batch], _PROGRESS)
    stepper.update(_PROGRESS)
    if stepper.device.type == "cuda":
        torch.cuda.synchronize(stepper.device)
    return len(batch.indices) if bool(finite) else 0


def _train_next(stepper: Stepper, batches: Iterator[tuple[Drawn, int]]) -> int:
    drawn, epoch = next(batches)
    return _train(stepper, stepper.views(drawn, epoch))


def _lightly(folder: Path, stepper: Stepper) -> Callable[[], int]:
    from lightly.data import LightlyDataset
    from lightly.transforms.simclr_transform import SimCLRTransform
    from torch.utils.data import DataLoader

    transform = SimCLRTransform(input_size=_SIZE, gaussian_blur=0.0)
    dataset = LightlyDataset(str(folder), transform=transform)
    loader = DataLoader(
        dataset, batch_size=_BATCH, shuffle=True, drop_last=True, num_workers=2, persistent_workers=True
    )

    def endless() -> Iterator[list[torch.Tensor]]:
        while True:
            for views, _, _ in loader:
                yield views

    batches = endless()

    def work() -> int:
        views = tuple(view.to(stepper.device) for view in next(batches))
        return _train(stepper, Batch(views=views, indices=torch.arange(len(views[0]), device=stepper.device)))

    return work
