"""A ready experiment that goes on with the encoder of another: the newest finished run of it on the same images."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from workbench.catalog.registry import load_registry
from workbench.data.scan import scan_folder
from workbench.runs.folder import RunFolder
from workbench.spec import toml
from workbench.spec.errors import CheckError
from workbench.training.ready import suggest_ready
from workbench.training.suggest import Length, suggest

REGISTRY = load_registry()


def test_the_second_round_starts_from_the_first(run: RunFolder) -> None:
    experiment = run.experiment()
    scan = scan_folder(Path(experiment.data.folder))
    runs = run.path.parent
    with pytest.raises(CheckError, match="Two rounds: first rotation"):
        suggest_ready(scan, "two-rounds-2", runs=runs, registry=REGISTRY)
    title = f"two-rounds-1 on {Path(scan.folder).name}"
    run.experiment_file.write_text(toml.dumps(replace(experiment, name=title)), encoding="utf-8")
    ready, reasons = suggest_ready(scan, "two-rounds-2", runs=runs, backbone="resnet18", registry=REGISTRY)
    assert ready.method.name == "simclr"
    assert ready.backbone.weights == str(run.path)
    assert ready.backbone.name == experiment.backbone.name
    assert any(run.name in reason for reason in reasons)


def test_a_run_on_other_images_is_not_taken(run: RunFolder, tmp_path: Path) -> None:
    experiment = run.experiment()
    scan = scan_folder(Path(experiment.data.folder))
    elsewhere = replace(experiment.data, folder=str(tmp_path / Path(scan.folder).name))
    title = f"two-rounds-1 on {Path(scan.folder).name}"
    run.experiment_file.write_text(toml.dumps(replace(experiment, name=title, data=elsewhere)), encoding="utf-8")
    with pytest.raises(CheckError, match="no finished run"):
        suggest_ready(scan, "two-rounds-2", runs=run.path.parent, registry=REGISTRY)


def test_three_tasks_bring_their_weights(run: RunFolder) -> None:
    scan = scan_folder(Path(run.experiment().data.folder))
    ready, _ = suggest_ready(scan, "three-tasks", registry=REGISTRY)
    assert [(task.name, task.weight) for task in ready.method.tasks] == [
        ("rotation", 1.0), ("jigsaw", 0.5), ("consistency", 0.5),
    ]  # fmt: skip
    assert sum(view.count for view in ready.views if view.role == "global") >= 2


def test_a_value_in_place_of_the_suggested_one_is_told(run: RunFolder) -> None:
    scan = scan_folder(Path(run.experiment().data.folder))
    ready, reasons = suggest_ready(scan, "moco-with-momentum", registry=REGISTRY)
    suggested, _ = suggest(scan, method="moco_v2", length=Length(batch_size=64), registry=REGISTRY)
    assert ready.train.batch_size == 64
    assert any(reason.startswith("A batch of 64, ") for reason in reasons), "steps are counted with its own batch"
    assert ready.train.learning_rate == 0.12 != suggested.train.learning_rate
    assert f"This experiment has a train.learning_rate of 0.12 in place of {suggested.train.learning_rate}." in reasons
    _, as_suggested = suggest_ready(scan, "swav-with-sinkhorn", registry=REGISTRY)
    assert not any("This experiment has" in reason for reason in as_suggested)
