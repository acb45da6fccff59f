"""What is said before a run: suggestions, checks, measurements."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from msgspec.structs import replace

from workbench.catalog.registry import Registry
from workbench.data.scan import scan_folder
from workbench.spec import toml
from workbench.spec.dataset import LabelTable, ScanReport
from workbench.spec.errors import CheckError, NotFoundError, SpecError
from workbench.spec.experiment import BackboneSpec, DataSpec, Experiment
from workbench.spec.fitting import fit_to
from workbench.spec.machine import Device, Finding
from workbench.spec.presets import preset_text
from workbench.training.check import check
from workbench.training.measure import measure
from workbench.training.schedule import scaled_learning_rate
from workbench.training.suggest import Length, suggest, suggest_views
from workbench.training.suggest_data import suggest_data


def _scan(count: int = 1000, *, side: int = 64, mode: str = "RGB", **values: Any) -> ScanReport:
    columns: dict[str, Any] = {
        "folder": "leaves",
        "paths": tuple(f"{number}.png" for number in range(count)),
        "widths": (side,) * count,
        "heights": (side,) * count,
        "modes": (mode,) * count,
        "sizes": (1000,) * count,
        "classes": ("",) * count,
        "parts": ("",) * count,
        "planes": (3 if mode == "RGB" else 1,) * count,
        "bits": (8,) * count,
    }
    return ScanReport(**{**columns, **values})


def test_the_painted_images_get_an_experiment_that_passes_its_own_check(images: Path, registry: Registry) -> None:
    scan = scan_folder(images)
    experiment, reasons = suggest(scan, method="simclr", backbone="tinyconv", registry=registry)
    assert experiment.name.startswith("simclr on ")
    assert (experiment.data.labels, experiment.data.size) == ("csv", 32)
    assert experiment.train.batch_size == 8
    assert not [finding for finding in check(experiment, scan.count, registry) if finding.level == "error"]
    assert toml.loads(toml.dumps(experiment)).train == experiment.train
    assert all(reason.endswith(".") for reason in reasons)


@pytest.mark.parametrize(("side", "size"), [(16, 32), (32, 32), (63, 32), (64, 64), (100, 96)])
def test_the_size_follows_the_images(side: int, size: int, registry: Registry) -> None:
    experiment, _ = suggest(_scan(side=side), registry=registry)
    assert experiment.data.size == size
    assert experiment.views[0].size == size


def test_labels_and_groups_are_found(registry: Registry) -> None:
    table = LabelTable(
        file="meta/labels.csv",
        path_column="path",
        columns=("id", "patient", "age", "Diagnosis"),
        distinct=(1000, 300, 60, 3),
        matched=1000,
    )
    data = suggest(_scan(tables=(table,)), registry=registry)[0].data
    assert (data.labels, data.csv, data.column, data.group) == ("csv", "meta/labels.csv", "Diagnosis", "patient")
    folders = _scan(tables=(table,), classes=("a", "b") * 500)
    data = suggest(folders, registry=registry)[0].data
    assert (data.labels, data.column, data.group) == ("folders", "", "patient")
    data = suggest(_scan(), registry=registry)[0].data
    assert (data.labels, data.group) == ("none", "")


def test_gray_images_have_one_channel_and_xrays_their_views(registry: Registry) -> None:
    experiment, reasons = suggest(_scan(mode="L", folder="chest-xray"), registry=registry)
    assert experiment.data.channels == "gray"
    assert any("X-ray" in reason for reason in reasons)
    assert all(op.op != "grayscale" for view in experiment.views for op in view.chain)


@pytest.mark.parametrize(("folder", "preset"), [("HeLa cells", "microscopy"), ("eurosat", "satellite"), ("cats", "")])
def test_the_views_follow_what_the_folder_is_called(folder: str, preset: str, registry: Registry) -> None:
    views, reasons = suggest_views(
        _scan(folder=folder), DataSpec(folder=folder, size=224), method="byol", registry=registry
    )
    card = registry.preset(preset or "byol")
    assert views == fit_to(card, size=224, channels="rgb")
    assert preset in reasons[0].lower()
    alone, _ = suggest_views(_scan(folder=folder), DataSpec(folder=folder), method="rotation", registry=registry)
    assert len(alone) == 1, "a method of one view keeps its own"


def test_the_painted_sample_gets_views_that_leave_it_its_shapes(images: Path, registry: Registry) -> None:
    scan = scan_folder(images)
    data, _ = suggest_data(scan)
    views, reasons = suggest_views(scan, data, method="simclr", registry=registry)
    assert views == fit_to(registry.preset("shapes"), size=data.size, channels="rgb")
    assert views[0].chain == registry.preset("shapes").views[0].chain, "nothing of it is tamed"
    assert "painted sample" in reasons[0]
    alone, _ = suggest_views(scan, data, method="rotation", registry=registry)
    assert len(alone) == 1, "a method of one view keeps its own"


def test_a_preset_comes_from_a_file_as_published_or_scaled(tmp_path: Path, registry: Registry) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(preset_text(registry.preset("dino")), encoding="utf-8")
    data = DataSpec(folder="x", size=32)
    named = suggest_views(_scan(), data, method="simclr", preset="dino", registry=registry)
    assert suggest_views(_scan(), data, method="simclr", preset=str(file), registry=registry)[0] == named[0]
    assert "blur" in " ".join(named[1])
    assert named[1][-1].startswith("SimCLR cannot use local views.")
    published, reasons = suggest_views(_scan(), data, method="byol", preset=str(file), scaled=False, registry=registry)
    assert [view.size for view in published] == [32, 32, 16]
    assert [len(view.chain) for view in published] == [6, 6, 5]
    assert "as published" in reasons[0]
    with pytest.raises(NotFoundError, match="did you mean 'dino'"):
        suggest_views(_scan(), data, method="byol", preset="dimo", registry=registry)
    with pytest.raises(NotFoundError, match="There is no file"):
        suggest_views(_scan(), data, method="byol", preset="dimo.toml", registry=registry)
    file.write_text('[[views]]\nchain = [{op = "horizontal_flip", p = 2}]\n', encoding="utf-8")
    with pytest.raises(SpecError, match=r"views\[0\]\.chain\[0\]\.p: 2 is above 1"):
        suggest_views(_scan(), data, method="byol", preset=str(file), registry=registry)


@pytest.mark.parametrize(("count", "batch"), [(4, 2), (12, 2), (100, 16), (1000, 64), (100_000, 256)])
def test_the_batch_fits_the_data(count: int, batch: int, registry: Registry) -> None:
    train = suggest(_scan(count), registry=registry)[0].train
    assert train.batch_size == batch
    assert 10 <= train.epochs <= 400


def test_a_short_run_gets_a_recipe_that_learns_in_few_steps(registry: Registry) -> None:
    published = registry.method("swav").recipe
    short, reasons = suggest(
        _scan(side=32), method="swav", backbone="tinyconv", length=Length(epochs=20, batch_size=256), registry=registry
    )
    assert (short.train.optimizer, short.train.learning_rate) == ("adamw", published.short_rate)
    assert any("AdamW at 0.002" in reason and "lars at 0.6" in reason for reason in reasons)
    small, _ = suggest(
        _scan(side=32), method="swav", backbone="tinyconv", length=Length(epochs=20, batch_size=64), registry=registry
    )
    rates = [scaled_learning_rate(one.train.learning_rate, one.train.batch_size) for one in (small, short)]
    assert rates[0] == pytest.approx(rates[1] / 2), "Adam's goes with the square root of the batch"
    for long in (
        suggest(_scan(100_000, side=32), method="swav", backbone="tinyconv", registry=registry)[0],
        suggest(
            _scan(side=32), method="swav", backbone="tinyconv", length=Length(images=10_000_000), registry=registry
        )[0],
    ):
        assert (long.train.optimizer, long.train.learning_rate) == ("lars", published.learning_rate)


def test_a_short_run_gets_the_batch_with_which_it_has_enough_steps(registry: Registry) -> None:
    batches = {
        images: suggest(_scan(10_000, side=32), length=Length(images=images), registry=registry)[0].train.batch_size
        for images in (48_000, 200_000, 400_000)
    }
    assert batches == {48_000: 64, 200_000: 128, 400_000: 256}
    whitening, _ = suggest(_scan(1000, side=32), method="w_mse", registry=registry)
    assert whitening.train.batch_size == registry.method("w_mse").min_batch


@pytest.mark.parametrize("backbone", ["vit_nano", "swin_nano"])
def test_a_transformer_gets_adamw_where_the_method_was_published_with_sgd(backbone: str, registry: Registry) -> None:
    suggested, reasons = suggest(_scan(side=32), method="supervised", backbone=backbone, registry=registry)
    assert (suggested.train.optimizer, suggested.train.weight_decay) == ("adamw", 0.05)
    assert any("transformers learn badly with SGD" in reason for reason in reasons)
    own, _ = suggest(_scan(side=32), method="dino", backbone=backbone, registry=registry)
    assert own.train.learning_rate == registry.method("dino").recipe.learning_rate


def test_a_budget_says_how_many_epochs(registry: Registry) -> None:
    suggested, reasons = suggest(_scan(1250, side=32), length=Length(images=5000), registry=registry)
    assert suggested.train.epochs == 5
    assert any("5 epochs, which come nearest to 5,000 images seen." in reason for reason in reasons)


@pytest.mark.parametrize(
    ("method", "published"), [("mae", 0.95), ("simmim", 0.999), ("ijepa", 0.999), ("colorization", 0.99)]
)
def test_the_second_beta_of_adamw_is_the_published_one(method: str, published: float, registry: Registry) -> None:
    assert registry.method(method).recipe.beta2 == published
    assert suggest(_scan(), method=method, registry=registry)[0].train.beta2 == published


def test_what_was_chosen_is_kept(images: Path, experiment: Experiment, registry: Registry) -> None:
    suggested, _ = suggest(scan_folder(images), data=experiment.data, method="byol", registry=registry)
    assert suggested.data == experiment.data
    assert suggested.method.name == "byol"
    assert {view.size for view in suggested.views} == {experiment.data.size}


def test_on_a_cpu_a_resnet_keeps_the_stem_that_ends_in_time(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for device, stem in (("cpu", "standard"), ("cuda:0", "auto")):
        there = (Device(name=device, title=device, memory=2**33),)
        monkeypatch.setattr("workbench.training.suggest.list_devices", lambda there=there: there)
        experiment, reasons = suggest(_scan(50_000, side=32), backbone="resnet10t", registry=registry)
        assert experiment.backbone.stem == stem
        assert any("train.max_minutes" in reason for reason in reasons) == (device == "cpu")
        assert suggest(_scan(side=32), backbone="tinyconv", registry=registry)[0].backbone.stem == "auto"


def test_a_method_of_patches_gets_a_transformer_that_the_machine_can_train(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = (("cpu", 1000, "vit_nano"), ("cuda:0", 1000, "vit_tiny"), ("cuda:0", 200_000, "vit_small"))
    for device, count, backbone in cases:
        there = (Device(name=device, title=device, memory=2**33),)
        monkeypatch.setattr("workbench.training.suggest.list_devices", lambda there=there: there)
        experiment, reasons = suggest(_scan(count, side=32), method="mae", registry=registry)
        assert experiment.backbone.name == backbone
        assert any("MAE works on patches of the image" in reason for reason in reasons)
        assert len(experiment.views) == 1
        experiment, reasons = suggest(_scan(count, side=32), method="mae", backbone="tinyconv", registry=registry)
        assert experiment.backbone.name == "tinyconv", "what was asked for"
        assert any("MAE needs a network that can be run on some patches" in reason for reason in reasons)


def test_what_cannot_be_suggested(registry: Registry) -> None:
    with pytest.raises(CheckError, match="no readable images"):
        suggest(_scan(0), registry=registry)
    with pytest.raises(NotFoundError, match="did you mean 'simclr'"):
        suggest(_scan(), method="simcrl", registry=registry)
    with pytest.raises(NotFoundError, match="did you mean 'resnet18'"):
        suggest(_scan(), backbone="resnet81", registry=registry)


def test_a_good_experiment_has_no_errors(experiment: Experiment, registry: Registry) -> None:
    assert [finding for finding in check(experiment, 60, registry) if finding.level == "error"] == []


@pytest.mark.parametrize(
    ("assignments", "level", "field", "words"),
    [
        (["train.batch_size=1"], "error", "train.batch_size", "batch norm needs two"),
        (["train.batch_size=64"], "error", "train.batch_size", "larger than the training set of about 48"),
        (["train.batch_size=32"], "warning", "train.batch_size", "only 1 step"),
        (["method.name=simcrl"], "error", "method.name", "did you mean 'simclr'"),
        (["method.name=simclr", "method.params.tempreature=0.2"], "error", "method.params", "'temperature'"),
        (["method.name=supervised", "data.labels=none"], "error", "data.labels", "learns from labels"),
        (["method.name=colorization", "data.channels=gray"], "error", "data.channels", "learns from colors"),
        (["method.name=simclr", "views.0.count=1"], "error", "views", "needs 2 global views"),
        (["views=[{size=16}, {name='small', role='local', size=16}]"], "error", "views", "cannot use local views"),
        (["views.0.chain.0.op=horizontl_flip"], "error", "views", "did you mean 'horizontal_flip'"),
        (["views.0.chain.0.p=3"], "error", "views[0].chain[0].p", "above 1"),
        (["views.0.chain=[]"], "warning", "views[0].chain", "no augmentation"),
        (["views.0.size=64"], "warning", "views[0].size", "enlarged"),
        (["views.0.size=8"], "error", "backbone.name", "at least 16 px"),
        (["backbone.name=tinyconf"], "error", "backbone.name", "did you mean 'tinyconv'"),
        (["method.name=mae"], "error", "backbone.name", "TinyConv cannot. Choose ViT-Nano, ViT-Small or ViT-Tiny."),
        (["backbone.weights=/nowhere"], "error", "backbone.weights", "no run"),
        (["train.device=cuda:63"], "error", "train.device", "no device"),
        (["train.precision=float16"], "error", "train.precision", "needs a GPU"),
        (["train.optimizer=adamw", "train.learning_rate=5"], "warning", "train.learning_rate", "very high"),
        (["train.warmup=4"], "warning", "train.warmup", "never reached"),
        (["train.max_minutes=1"], "note", "train.max_minutes", "not exactly"),
        (["data.folder=/nowhere/at/all"], "error", "data.folder", "no folder"),
        (["data.column="], "error", "data.column", "no column"),
        (["data.labels=none"], "note", "data.labels", "kNN is not measured"),
        (["watch.probe_every=0"], "note", "watch.probe_every", "unseen"),
        (["watch.neighbors=50"], "warning", "watch.neighbors", "too many"),
    ],
)
def test_findings(
    experiment: Experiment, registry: Registry, assignments: list[str], level: str, field: str, words: str
) -> None:
    for assignment in assignments:
        experiment = toml.set_value(experiment, assignment)
    findings = check(experiment, 60, registry)
    assert [finding for finding in findings if _fits(finding, level, field, words)], findings
    levels = [finding.level for finding in findings]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)


def _fits(finding: Finding, level: str, field: str, words: str) -> bool:
    return finding.level == level and finding.field.startswith(field) and words in finding.message


def test_no_images_are_an_error(experiment: Experiment, registry: Registry) -> None:
    assert any("no readable images" in finding.message for finding in check(experiment, 0, registry))


def test_a_few_steps_are_measured(experiment: Experiment, registry: Registry) -> None:
    told: list[str] = []
    measured = measure(experiment, 1000, registry, report=lambda what, done, total: told.append(what))
    assert measured.device == "cpu"
    assert measured.images_per_second > 0
    assert measured.seconds_per_epoch == pytest.approx(800 / measured.images_per_second)
    assert 0 < measured.making_views < 1
    assert measured.memory_total > 0
    assert "measuring" in told


def test_measuring_a_method_with_labels(
    experiment: Experiment, registry: Registry, make_run: Callable[..., object]
) -> None:
    supervised = replace(experiment, method=replace(experiment.method, name="supervised"))
    assert measure(supervised, 1000, registry).images_per_second > 0


def test_deep_planes_are_suggested_as_they_are(tmp_path: Path, registry: Registry) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (5, 40, 40)).astype(np.uint16)
    for number in range(12):
        tifffile.imwrite(tmp_path / f"{number}.tif", values, photometric="minisblack")
    experiment, reasons = suggest(scan_folder(tmp_path), registry=registry)
    data = experiment.data
    assert (data.channels, data.planes, data.depth, data.black, data.white) == ("planes", 5, "16", 0, 4095)
    assert any(reason.startswith("5 planes, each a channel") for reason in reasons)
    assert any("the most of 12 bits" in reason for reason in reasons)
    assert all(op.op != "grayscale" for view in experiment.views for op in view.chain)
    findings = check(replace(experiment, data=replace(data, normalize="imagenet")), 12, registry)
    assert any("these images have 5 planes" in finding.message for finding in findings)
    findings = check(replace(experiment, data=replace(data, black=5000.0)), 12, registry)
    assert any(finding.field == "data.white" and finding.level == "error" for finding in findings)
    assert measure(replace(experiment, backbone=BackboneSpec(name="tinyconv")), 12, registry).images_per_second > 0
