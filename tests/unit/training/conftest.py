"""A few painted images, a small network, and a method whose steps a test can look into."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import pytest
import torch
from msgspec.structs import replace
from torch import Tensor, nn

from workbench.catalog.registry import Registry, load_registry
from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, EncodeAll, Loss, Method, MethodInfo, Progress, Setting
from workbench.runs.folder import RunFolder
from workbench.spec.experiment import (
    BackboneSpec,
    DataSpec,
    Experiment,
    MethodSpec,
    OpSpec,
    TrainSpec,
    ViewSpec,
    WatchSpec,
)
from workbench.spec.params import Params, param

IMAGES = 60
TRAIN_IMAGES = 48
STEPS = 6

Hook = Callable[[Batch, Progress], None]


class ProbedParams(Params, frozen=True):
    """None that matters."""

    drop: Annotated[float, param("Dropout.", ge=0, le=1)] = 0.2


class Probed(Method):
    """Attracts two views, with dropout, counters of steps and epochs, and a look at all images before each epoch.

    Calls `hook` before each loss.
    """

    hook: Hook | None = None
    count: Tensor
    epochs: Tensor
    seen: Tensor

    def __init__(self, encoder: Encoder, params: ProbedParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(params.drop), nn.Linear(encoder.dim, 8))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("epochs", torch.zeros((), dtype=torch.int64))
        self.register_buffer("seen", torch.zeros(encoder.dim))

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        if Probed.hook is not None:
            Probed.hook(batch, progress)
        one, other = (self.head(self.encoder(view)) for view in batch.views[:2])
        value = (one - other).square().mean() - 0.1 * one.std(dim=0).mean()
        return Loss(value=value, parts={"spread": one.std(dim=0).mean().detach()})

    def before_epoch(self, encode: EncodeAll, progress: Progress) -> None:
        self.epochs += 1
        self.seen = encode(self.encoder).mean(dim=0)

    def after_step(self, progress: Progress) -> None:
        self.count += 1


PROBED: MethodInfo[Any] = MethodInfo(
    name="probed",
    title="Probed",
    family="baseline",
    paper="",
    year=2026,
    summary="",
    explanation="",
    when="",
    collapse="",
    params=ProbedParams,
    build=Probed,
)


@pytest.fixture(scope="session")
def registry(places: Path) -> Registry:
    """The catalog, and the method of these tests."""
    known = load_registry()
    methods = MappingProxyType({**known.methods, "probed": PROBED})
    return Registry(methods=methods, backbones=known.backbones, ops=known.ops, presets=known.presets)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory, places: Path) -> Path:
    """60 painted images of 32 px. Do not write there."""
    from workbench.data.sample import paint_sample

    folder = tmp_path_factory.mktemp("painted")
    paint_sample(folder, count=IMAGES, size=32)
    return folder


@pytest.fixture
def experiment(images: Path) -> Experiment:
    """Four epochs of six steps, watched at every second."""
    return Experiment(
        name="probed",
        data=DataSpec(folder=str(images), labels="csv", column="color", size=16, test_fraction=0.2),
        views=(ViewSpec(size=16, chain=(OpSpec(op="horizontal_flip"),)),),
        method=MethodSpec(name="probed"),
        backbone=BackboneSpec(name="tinyconv"),
        train=TrainSpec(epochs=4, batch_size=8, device="cpu", learning_rate=1.0, momentum=0.9, warmup=1.0),
        watch=WatchSpec(probe_every=2, snapshot_every=2, checkpoint_every=2, images=60, neighbors=5),
    )


@pytest.fixture
def make_run(tmp_path: Path, experiment: Experiment) -> Callable[..., RunFolder]:
    """Makes a run of the experiment, with some of `data`, `train` or `watch` changed."""

    def make(
        *,
        data: dict[str, Any] | None = None,
        train: dict[str, Any] | None = None,
        watch: dict[str, Any] | None = None,
    ) -> RunFolder:
        changed = replace(
            experiment,
            data=replace(experiment.data, **data or {}),
            train=replace(experiment.train, **train or {}),
            watch=replace(experiment.watch, **watch or {}),
        )
        return RunFolder.create(tmp_path / "runs", changed)

    return make


@pytest.fixture
def hook() -> Iterator[Callable[[Hook | None], None]]:
    """Sets what happens before each loss; taken away after the test."""

    def set_hook(function: Hook | None) -> None:
        Probed.hook = staticmethod(function) if function else None

    yield set_hook
    Probed.hook = None
