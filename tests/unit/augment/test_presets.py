"""The bundled presets, and what becomes of them on small and on gray images."""

from pathlib import Path

import pytest
import torch

from workbench.augment.plan import ViewPlan
from workbench.augment.presets import fit_to, load_presets
from workbench.catalog.registry import load_registry
from workbench.spec import places
from workbench.spec.catalog import PresetCard
from workbench.spec.errors import PluginError
from workbench.spec.experiment import ViewSpec

PRESETS = {preset.name: preset for preset in load_presets(places.bundled("resources") / "presets")}
OPS = load_registry().ops


def op_names(views: tuple[ViewSpec, ...]) -> set[str]:
    return {op.op for view in views for op in view.chain}


def test_the_bundled_ones() -> None:
    assert list(PRESETS) == ["simclr", "moco-v2", "byol", "barlow", "gentle", "chest-xray", "rotation"]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("channels", ["rgb", "gray"])
@pytest.mark.parametrize("size", [32, 96])
def test_every_preset_makes_views(name: str, channels: str, size: int) -> None:
    preset = PRESETS[name]
    assert preset.title
    assert preset.help.endswith(".")
    views = fit_to(preset, size=size, channels=channels)
    pixels = torch.randint(0, 256, (3, 3 if channels == "rgb" else 1, size, size)).byte()
    made = ViewPlan(views, OPS).make(pixels, seed=0, epoch=0, ids=torch.arange(3))
    assert len(made) == sum(view.count for view in preset.views)
    assert all(view.shape == pixels.shape for view in made)


def test_small_images_are_not_blurred_and_are_treated_gently() -> None:
    large, small = (
        fit_to(PRESETS["simclr"], size=224, channels="rgb"),
        fit_to(PRESETS["simclr"], size=64, channels="rgb"),
    )
    assert "gaussian_blur" in op_names(large)
    assert "gaussian_blur" not in op_names(small)
    crop, _, jitter, _ = small[0].chain
    assert crop.params["scale"] == [0.2, 1.0]
    assert [jitter.params[part] for part in ("brightness", "hue")] == [0.4, 0.1]
    assert large[0].chain[2].params["brightness"] == 0.8
    weak = fit_to(PRESETS["moco-v2"], size=32, channels="rgb")[0].chain
    assert next(op for op in weak if op.op == "color_jitter").params["brightness"] == 0.4


def test_gray_images_keep_brightness_and_contrast_alone() -> None:
    views = fit_to(PRESETS["simclr"], size=224, channels="gray")
    assert "grayscale" not in op_names(views)
    jitter = next(op for op in views[0].chain if op.op == "color_jitter")
    assert (jitter.params["saturation"], jitter.params["hue"], jitter.params["contrast"]) == (0.0, 0.0, 0.8)


def test_byol_is_lopsided() -> None:
    first, second = fit_to(PRESETS["byol"], size=224, channels="rgb")
    chances = [{op.op: op.params.get("p") for op in view.chain} for view in (first, second)]
    assert [chance["gaussian_blur"] for chance in chances] == [1.0, 0.1]
    assert [chance["solarize"] for chance in chances] == [0.0, 0.2]


def test_chest_xray_leaves_the_diagnosis_in_the_picture() -> None:
    assert op_names(PRESETS["chest-xray"].views) == {"rotation", "horizontal_flip", "perspective"}


def test_local_views_are_smaller() -> None:
    views = (ViewSpec(), ViewSpec(name="local", role="local", count=6))
    preset = PresetCard(name="x", title="X", help="X.", views=views)
    assert [view.size for view in fit_to(preset, size=224, channels="rgb")] == [224, 96]
    assert [view.size for view in fit_to(preset, size=32, channels="rgb")] == [32, 14]


def test_a_bad_preset_says_which_and_why(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('title = "Mine"\nhelp = "Mine."\n', encoding="utf-8")
    with pytest.raises(PluginError, match=r"mine\.toml.*'views' is missing"):
        load_presets(tmp_path)
    (tmp_path / "mine.toml").write_text("title = ", encoding="utf-8")
    with pytest.raises(PluginError, match=r"mine\.toml"):
        load_presets(tmp_path)
    assert load_presets(tmp_path / "nowhere") == ()
