from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from msgspec.structs import replace

from workbench.augment.normalize import Normalization
from workbench.catalog.build import backbone_request, build_encoder, build_method, configure, image_size_of
from workbench.catalog.registry import load_registry
from workbench.method.backbone import BackboneRequest
from workbench.runs.folder import RunFolder
from workbench.spec.errors import CheckError, NotFoundError, RunError, SpecError, UnknownKeyError, WorkbenchError
from workbench.spec.experiment import BackboneSpec, DataSpec, Experiment, MethodSpec, TrainSpec, ViewSpec
from workbench.spec.pixels import channels_of

REGISTRY = load_registry()


def experiment(
    *,
    method: MethodSpec | None = None,
    backbone: BackboneSpec | None = None,
    size: int = 32,
    count: int = 2,
    batch: int = 4,
    seed: int = 1,
) -> Experiment:
    return Experiment(
        seed=seed,
        data=DataSpec(folder="somewhere"),
        views=(ViewSpec(size=size, count=count),),
        method=method or MethodSpec(),
        backbone=backbone or BackboneSpec(name="tinyconv"),
        train=TrainSpec(batch_size=batch),
    )


def build(asked: Experiment, *, classes: int = 0, fetch: bool = True) -> torch.nn.Module:
    return build_method(asked, train_images=100, classes=classes, registry=REGISTRY, fetch=fetch)


def test_the_stem_follows_the_images() -> None:
    def stem(size: int, asked: str = "auto", weights: str = "none") -> str:
        spec = BackboneSpec(name="resnet18", stem=asked, weights=weights)  # type: ignore[arg-type]
        return backbone_request(spec, channels=3, image_size=size).stem

    assert (stem(32), stem(64), stem(65)) == ("small", "small", "standard")
    assert (stem(32, "standard"), stem(224, "small")) == ("standard", "small")
    assert stem(32, weights="pretrained") == "standard"


def test_a_method_knows_what_was_taken_out_of_its_views() -> None:
    *_, usual = configure(experiment(), train_images=100, classes=0, registry=REGISTRY)
    assert (usual.mean, usual.std) == ((0.0,), (1.0,)), "nothing"
    normalization = Normalization([0.5, 0.25, 0.0], [0.5, 0.125, 0.0])
    *_, setting = configure(experiment(), train_images=100, classes=0, registry=REGISTRY, normalization=normalization)
    assert (setting.mean, setting.std) == ((0.5, 0.25, 0.0), (0.5, 0.125, 1.0)), "as it is applied"


@pytest.mark.parametrize(("channels", "words"), [("gray", "in gray"), ("planes", "as planes")])
def test_a_method_of_colors_refuses_images_without(channels: Any, words: str) -> None:
    asked = experiment(method=MethodSpec(name="colorization"), count=1)
    build(asked)
    with pytest.raises(CheckError, match=f"Colorization learns from colors, and the images are taken {words}"):
        build(replace(asked, data=replace(asked.data, channels=channels, planes=3)))


def test_channels_and_size_come_from_the_experiment() -> None:
    assert channels_of(DataSpec(folder="x", channels="gray")) == 1
    small = ViewSpec(name="small", role="local", size=16)
    assert image_size_of(Experiment(data=DataSpec(folder="x"), views=(small, ViewSpec(size=48)))) == 48
    with pytest.raises(CheckError, match="no global view"):
        image_size_of(Experiment(data=DataSpec(folder="x"), views=(small,)))


def test_the_same_seed_gives_the_same_weights_and_leaves_the_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, other, third = build(experiment()), build(experiment()), build(experiment(seed=2))
    assert torch.equal(torch.get_rng_state(), before)
    for (name, mine), theirs in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs), name
    key = "encoder.net.stem.0.weight"
    assert not torch.equal(one.state_dict()[key], third.state_dict()[key])
    torch.manual_seed(1)
    encoder = build_encoder(BackboneSpec(name="tinyconv"), channels=3, image_size=32, registry=REGISTRY)
    assert torch.equal(encoder.state_dict()["net.stem.0.weight"], one.state_dict()[key])


def test_what_does_not_fit_is_a_sentence() -> None:
    with pytest.raises(CheckError, match="at least 16 px, and the views have 8 px"):
        build(experiment(size=8))
    with pytest.raises(CheckError, match="needs 2 global views of each image, not 1"):
        build(experiment(count=1))
    with pytest.raises(CheckError, match="batch of at least 2"):
        build(experiment(batch=1))
    with pytest.raises(CheckError, match="learns from labels, and the data has no classes"):
        build(experiment(method=MethodSpec(name="supervised")))
    with pytest.raises(UnknownKeyError, match=r"'tempreature' in method.params; did you mean 'temperature'"):
        build(experiment(method=MethodSpec(params={"tempreature": 1})))
    with pytest.raises(SpecError, match=r"method.params.temperature: 99 is above 5"):
        build(experiment(method=MethodSpec(params={"temperature": 99.0})))
    with pytest.raises(CheckError, match="no pretrained weights"):
        build(experiment(backbone=BackboneSpec(name="tinyconv", weights="pretrained")))
    with pytest.raises(CheckError, match="belong to the standard stem"):
        build(experiment(backbone=BackboneSpec(name="resnet18", stem="small", weights="pretrained")))


def test_a_hub_out_of_reach_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*arguments: object, **options: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    asked = experiment(backbone=BackboneSpec(name="resnet18", weights="pretrained"))
    with pytest.raises(WorkbenchError, match=r"cannot be had from torchvision.*no route to host"):
        build(asked)
    build(asked, fetch=False)


@pytest.mark.parametrize("channels", [1, 2, 5, 7])
def test_pretrained_filters_of_color_are_shared_out_to_other_channels(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As timm does, and so that images whose channels are all alike give what gray images gave."""
    from timm.models import adapt_input_conv

    source: Any = REGISTRY.backbone("resnet18").build(BackboneRequest(channels=3, image_size=64, stem="standard"))
    state = {key: value.clone() for key, value in source.net.state_dict().items() if not key.startswith("fc.")}
    state |= {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: state)
    request = BackboneRequest(channels=channels, image_size=64, stem="standard", pretrained=True)
    net: Any = REGISTRY.backbone("resnet18").build(request).net
    expected = adapt_input_conv(channels, state["conv1.weight"].clone())
    torch.testing.assert_close(net.conv1.weight.detach(), expected)


def finished_run(folder: Path, asked: Experiment) -> tuple[RunFolder, torch.nn.Module]:
    run = RunFolder.create(folder, asked)
    method = build(asked)
    means = {"mean": [0.5] * channels_of(asked.data), "std": [0.2] * channels_of(asked.data)}
    torch.save({"method": method.state_dict(), "normalization": means}, run.checkpoints / "last.pt")
    return run, method


def test_weights_of_a_run_are_taken(tmp_path: Path) -> None:
    run, trained = finished_run(tmp_path, experiment(seed=7))
    taken = build(experiment(backbone=BackboneSpec(name="tinyconv", weights=str(run.path))))
    for name, value in trained.state_dict().items():
        if name.startswith("encoder."):
            assert torch.equal(taken.state_dict()[name], value), name
    fresh = build(experiment(backbone=BackboneSpec(name="tinyconv", weights=str(run.path))), fetch=False)
    assert not torch.equal(fresh.state_dict()["encoder.net.stem.0.weight"], value_of(trained))


def value_of(method: torch.nn.Module) -> torch.Tensor:
    value: torch.Tensor = method.state_dict()["encoder.net.stem.0.weight"]
    return value


def test_a_run_that_does_not_fit_is_a_sentence(tmp_path: Path) -> None:
    run, _ = finished_run(tmp_path, experiment())
    with pytest.raises(CheckError, match="trained tinyconv, and the backbone here is resnet18"):
        build(experiment(backbone=BackboneSpec(name="resnet18", weights=str(run.path))))
    with pytest.raises(CheckError, match="the small stem, and here it has 3 channels and the standard stem"):
        build(experiment(size=96, backbone=BackboneSpec(name="tinyconv", weights=str(run.path))))
    with pytest.raises(NotFoundError, match="not a run folder"):
        build(experiment(backbone=BackboneSpec(name="tinyconv", weights=str(tmp_path / "nothing"))))
    (run.checkpoints / "last.pt").write_bytes(b"torn")
    with pytest.raises(RunError, match="cannot be read"):
        build(experiment(backbone=BackboneSpec(name="tinyconv", weights=str(run.path))))
    (run.checkpoints / "last.pt").unlink()
    with pytest.raises(NotFoundError, match="no checkpoint yet"):
        build(experiment(backbone=BackboneSpec(name="tinyconv", weights=str(run.path))))


def test_views_that_nobody_would_use_are_refused() -> None:
    small = ViewSpec(name="small", role="local", size=32)
    with pytest.raises(CheckError, match="cannot use local views"):
        build(replace(experiment(), views=(*experiment().views, small)))
