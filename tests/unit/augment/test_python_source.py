"""A plan as torchvision code: it runs by itself, and gives what ours gives where nothing is random."""

import ast
from typing import Any

import pytest
import torch
from torch import Tensor

from workbench.augment.plan import ViewPlan
from workbench.augment.python import as_python
from workbench.catalog.registry import load_registry
from workbench.spec.experiment import OpSpec, ViewSpec

REGISTRY = load_registry()


def run(text: str) -> Any:
    names: dict[str, Any] = {}
    exec(compile(text, "views.py", "exec"), names)  # it is our own
    return names["views"]


@pytest.mark.parametrize("preset", REGISTRY.presets, ids=lambda preset: preset.name)
def test_every_preset_runs(preset: Any) -> None:
    source = as_python(preset.views, REGISTRY.ops, normalization=((0.5,) * 3, (0.25,) * 3))
    nodes = list(ast.walk(ast.parse(source.text)))
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    assert imported == {"torch", "torchvision.transforms"}
    made = run(source.text)(torch.randint(0, 256, (3, 80, 80), dtype=torch.uint8))
    plan = ViewPlan(preset.views, REGISTRY.ops)
    assert [tuple(view.shape) for view in made] == [(3, size, size) for size in plan.sizes]
    assert all(view.dtype == torch.float32 and float(view.abs().max()) <= 2.001 for view in made)


def test_what_is_fixed_is_equal() -> None:
    chain = (
        OpSpec(op="horizontal_flip", params={"p": 1.0}),
        OpSpec(op="gaussian_blur", params={"p": 1.0, "sigma": (1.5, 1.5)}),
        OpSpec(op="vertical_flip", enabled=False),
        OpSpec(op="grayscale", params={"p": 1.0}),
        OpSpec(op="posterize", params={"p": 1.0, "bits": (3, 3)}),
    )
    views = (ViewSpec(count=1, size=64, chain=chain[:-1]),)
    image = torch.randint(0, 256, (3, 96, 96), dtype=torch.uint8)
    ours: Tensor = ViewPlan(views, REGISTRY.ops).make(image[None], seed=0, epoch=0, ids=torch.arange(1))[0][0]
    theirs = run(as_python(views, REGISTRY.ops).text)(image)[0]
    assert float((ours - theirs).abs().max()) * 255 < 0.6
    assert "RandomPosterize(3, p=1.0)" in as_python((ViewSpec(chain=chain),), REGISTRY.ops).text


def test_what_torchvision_lacks_is_said() -> None:
    views = (ViewSpec(chain=(OpSpec(op="block_mask"), OpSpec(op="patch_drop"), OpSpec(op="block_mask"))),)
    source = as_python(views, REGISTRY.ops)
    assert source.missing == ("Block mask", "Patch drop")
    assert "# Missing, because torchvision has nothing like it: Block mask." in source.text
    assert len(run(source.text)(torch.randint(0, 256, (3, 70, 70), dtype=torch.uint8))) == 2
