"""One small run, really trained, that tests of what comes after training share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Caches and settings of this session alone."""
    folder = tmp_path_factory.mktemp("places")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("cache", "settings", "runs"):
            patch.setenv(f"WORKBENCH_{name.upper()}", str(folder / name))
        yield folder


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory, places: Path) -> RunFolder:
    """SimCLR with TinyConv on 60 painted images, two epochs, probes and snapshots included. Do not write to it."""
    from workbench.data.sample import paint_sample
    from workbench.training.trainer import train

    folder = tmp_path_factory.mktemp("images")
    paint_sample(folder, count=60, size=32)
    chain = (OpSpec(op="random_resized_crop"), OpSpec(op="horizontal_flip"))
    experiment = Experiment(
        name="A small <b>test</b> & more",
        data=DataSpec(folder=str(folder), labels="csv", column="shape", size=32, test_fraction=0.4),
        views=(ViewSpec(size=32, chain=chain),),
        method=MethodSpec(name="simclr"),
        backbone=BackboneSpec(name="tinyconv"),
        train=TrainSpec(epochs=2, batch_size=16, device="cpu", precision="float32"),
        watch=WatchSpec(probe_every=1, snapshot_every=1, checkpoint_every=1, images=50),
    )
    run = RunFolder.create(tmp_path_factory.mktemp("runs"), experiment)
    train(run)
    return run


@pytest.fixture
def run(trained_run: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the trained run that a test may change."""
    return RunFolder(Path(shutil.copytree(trained_run.path, tmp_path / trained_run.name)))
