"""The bundled presets: what is in them, and what becomes of them on small and on colorless images."""

import pytest
import torch

from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import load_registry
from workbench.spec import places
from workbench.spec.catalog import PresetCard
from workbench.spec.experiment import OpSpec, ViewSpec
from workbench.spec.fitting import fit_reasons, fit_to
from workbench.spec.presets import load_presets

PRESETS = {preset.name: preset for preset in load_presets(places.bundled("resources") / "presets")[0]}
OPS = load_registry().ops
CHANNELS = {"rgb": 3, "gray": 1, "planes": 5}


def op_names(views: tuple[ViewSpec, ...]) -> set[str]:
    return {op.op for view in views for op in view.chain}


def chances(view: ViewSpec) -> dict[str, float]:
    """How often each op acts."""
    return {op.op: op.params.get("p", 1.0) if op.enabled else 0.0 for op in view.chain}


def test_the_bundled_ones() -> None:
    assert list(PRESETS) == [
        "simclr", "moco-v1", "moco-v2", "byol", "barlow", "vicreg", "swav", "dino", "gentle", "shapes",
        "chest-xray", "microscopy", "satellite", "masked", "rotation", "scan", "frames", "rebuilding",
    ]  # fmt: skip
    assert load_presets(places.bundled("resources") / "presets")[1] == ()


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize(("size", "scaled"), [(32, True), (32, False), (96, True)])
def test_every_preset_makes_views(name: str, channels: str, size: int, scaled: bool) -> None:
    preset = PRESETS[name]
    assert preset.title
    assert preset.source
    assert preset.help.endswith(".")
    views = fit_to(preset, size=size, channels=channels, scaled=scaled)
    pixels = torch.randint(0, 256, (3, CHANNELS[channels], size, size)).byte()
    plan = ViewPlan(views, OPS)
    made = plan.make(pixels, seed=0, epoch=0, ids=torch.arange(3))
    assert len(made) == sum(view.count for view in preset.views)
    for view, role in zip(made, plan.roles, strict=True):
        assert view.shape[-1] == (size if role == "global" else max(16, round(size * 96 / 224 / 2) * 2))
    assert all(reason.endswith(".") for reason in fit_reasons(preset, size=size, channels=channels))


@pytest.mark.parametrize("name", PRESETS)
def test_at_its_own_size_a_preset_is_as_published(name: str) -> None:
    preset = PRESETS[name]
    assert fit_to(preset, size=224, channels="rgb") == preset.views
    assert fit_reasons(preset, size=224, channels="rgb") == ()
    small = fit_to(preset, size=32, channels="gray", scaled=False)
    assert [view.chain for view in small] == [view.chain for view in preset.views]


def test_small_images_are_not_blurred_and_are_treated_gently() -> None:
    assert "gaussian_blur" in op_names(PRESETS["simclr"].views)
    small = fit_to(PRESETS["simclr"], size=64, channels="rgb")
    assert "gaussian_blur" not in op_names(small)
    crop, _, jitter, _ = small[0].chain
    assert crop.params["scale"] == [0.2, 1.0]
    assert [jitter.params[part] for part in ("brightness", "hue")] == [0.4, 0.1]
    assert len(fit_reasons(PRESETS["simclr"], size=64, channels="rgb")) == 3
    weak = fit_to(PRESETS["moco-v2"], size=32, channels="rgb")[0].chain
    assert next(op for op in weak if op.op == "color_jitter").params["brightness"] == 0.4
    local = fit_to(PRESETS["swav"], size=32, channels="rgb")[1].chain
    assert local[0].params["scale"] == [0.08, 0.5]


@pytest.mark.parametrize("channels", ["gray", "planes"])
def test_images_without_color_keep_brightness_and_contrast_alone(channels: str) -> None:
    views = fit_to(PRESETS["simclr"], size=224, channels=channels)
    assert "grayscale" not in op_names(views)
    jitter = next(op for op in views[0].chain if op.op == "color_jitter")
    assert (jitter.params["saturation"], jitter.params["hue"], jitter.params["contrast"]) == (0.0, 0.0, 0.8)
    assert len(fit_reasons(PRESETS["simclr"], size=224, channels=channels)) == 1


@pytest.mark.parametrize("name", ["byol", "barlow", "dino"])
def test_lopsided_ones(name: str) -> None:
    first, second = (chances(view) for view in PRESETS[name].views[:2])
    assert (first["gaussian_blur"], second["gaussian_blur"]) == (1.0, 0.1)
    assert (first["solarize"], second["solarize"]) == (0.0, 0.2)


def test_multi_crop() -> None:
    swav, dino = PRESETS["swav"].views, PRESETS["dino"].views
    assert [(view.role, view.count, view.size, view.chain[0].params["scale"]) for view in swav] == [
        ("global", 2, 224, [0.14, 1.0]), ("local", 6, 96, [0.05, 0.14])
    ]  # fmt: skip
    assert [(view.role, view.count, view.size, view.chain[0].params["scale"]) for view in dino] == [
        ("global", 1, 224, [0.4, 1.0]), ("global", 1, 224, [0.4, 1.0]), ("local", 8, 96, [0.05, 0.4])
    ]  # fmt: skip
    assert chances(dino[2])["gaussian_blur"] == 0.5
    assert "solarize" not in chances(dino[2])


def test_presets_for_kinds_of_images_spare_what_counts() -> None:
    assert op_names(PRESETS["chest-xray"].views) == {"rotation", "horizontal_flip", "perspective"}
    microscopy = PRESETS["microscopy"].views[0]
    jitter = next(op for op in microscopy.chain if op.op == "color_jitter")
    assert (jitter.params["saturation"], jitter.params["hue"]) == (0.0, 0.0)
    for name in ("microscopy", "satellite"):
        assert {"quarter_turn", "horizontal_flip", "vertical_flip"} <= op_names(PRESETS[name].views)


def test_a_preset_made_for_a_size_keeps_its_proportions_and_its_mind() -> None:
    chain = (OpSpec(op="gaussian_blur"), OpSpec(op="random_resized_crop", params={"scale": [0.05, 0.5]}))
    views = (ViewSpec(size=48, chain=chain), ViewSpec(name="local", role="local", count=6, size=21, chain=chain))
    mine = PresetCard(name="x", title="X", help="X.", views=views, made_for=64)
    assert fit_to(mine, size=64, channels="rgb") == views
    assert fit_reasons(mine, size=32, channels="rgb") == (), "it was made for small images already"
    assert [view.size for view in fit_to(mine, size=128, channels="rgb")] == [96, 42]
    assert [view.size for view in fit_to(mine, size=32, channels="rgb")] == [24, 16]


def test_values_that_no_op_takes_are_left_for_the_op_to_refuse() -> None:
    chain = (
        OpSpec(op="random_resized_crop", params={"scale": 3}),
        OpSpec(op="color_jitter", params={"brightness": "much", "hue": None}),
    )
    preset = PresetCard(name="x", title="X", help="X.", views=(ViewSpec(chain=chain),))
    assert fit_to(preset, size=32, channels="rgb")[0].chain == chain
