"""Every op of the catalog, whatever it is: a new plugin is tested by existing."""

from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from workbench.augment.chain import Chain, Link
from workbench.augment.draws import Draws, sample_keys
from workbench.augment.op import GeometricOp, OpInfo
from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import load_registry
from workbench.spec.errors import SpecError, UnknownKeyError
from workbench.spec.experiment import OpSpec, ViewSpec
from workbench.spec.toml import views_from_tree, views_to_tree

REGISTRY = load_registry()
OPS = list(REGISTRY.ops.values())
REQUIRED = {
    "random_resized_crop", "center_crop", "horizontal_flip", "vertical_flip", "rotation", "perspective", "color_jitter",
    "grayscale", "gaussian_blur", "solarize", "erasing", "gaussian_noise",
}  # fmt: skip


def _params(info: OpInfo[Any], **values: Any) -> Any:
    """The op's defaults, with those of `values` that it has."""
    return info.params(**{name: value for name, value in values.items() if name in info.params.__struct_fields__})


def _images(n: int, channels: int, size: int) -> Tensor:
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(n))


def _chain(info: OpInfo[Any], params: Any, size: int) -> Chain:
    return Chain([Link(name=info.name, title=info.title, op=info.build(params))], size)


def test_nothing_is_missing_or_broken() -> None:
    assert set(REGISTRY.ops) >= REQUIRED
    assert not [broken for broken in REGISTRY.broken if "ops" in broken.file or "presets" in broken.file]


@pytest.mark.parametrize("info", OPS, ids=lambda info: info.name)
class TestEveryOp:
    def test_card_explains_itself(self, info: OpInfo[Any]) -> None:
        card = info.card()
        assert card.help.endswith(".")
        assert "\n" not in card.help
        assert card.title[0].isupper()
        assert all(param.help and param.kind != "text" for param in card.params)
        assert len(card.params) == len(info.params.__struct_fields__)

    def test_params_survive_a_file(self, info: OpInfo[Any]) -> None:
        view = ViewSpec(chain=(OpSpec(op=info.name, params=msgspec.to_builtins(info.params())),))
        assert views_from_tree(views_to_tree([view])) == (view,)
        ViewPlan([view], REGISTRY.ops)

    def test_refuses_what_it_does_not_know(self, info: OpInfo[Any]) -> None:
        with pytest.raises(UnknownKeyError, match=r"views\[0\]\.chain\[0\]"):
            ViewPlan([ViewSpec(chain=(OpSpec(op=info.name, params={"no_such": 1}),))], REGISTRY.ops)

    def test_bounds_are_kept(self, info: OpInfo[Any]) -> None:
        for param in info.card().params:
            if param.high is None or param.kind == "bool":
                continue
            bad = [param.low, param.high + 1] if param.kind == "range" else param.high + 1
            view = ViewSpec(chain=(OpSpec(op=info.name, params={param.name: bad}),))
            with pytest.raises(SpecError, match=rf"views\[0\]\.chain\[0\]\.{param.name}"):
                ViewPlan([view], REGISTRY.ops)

    @pytest.mark.parametrize("channels", [1, 3])
    @pytest.mark.parametrize("size", [8, 33])
    def test_shape_range_and_words(self, info: OpInfo[Any], channels: int, size: int) -> None:
        images = _images(5, channels, size)
        before = images.clone()
        chain = _chain(info, _params(info, p=1.0), size)
        drawing = chain.draw(sample_keys(0, 0, torch.arange(5), 0), (channels, size, size))
        made = chain.apply(images, drawing)
        assert made.shape == images.shape
        assert made.dtype == torch.float32
        assert bool(torch.isfinite(made).all())
        assert made.min() >= 0
        assert made.max() <= 1
        assert torch.equal(images, before), "the caller's images were written to"
        assert all(text.text for item in range(5) for text in chain.texts(drawing, item))

    def test_never_touches_with_p_zero(self, info: OpInfo[Any]) -> None:
        if "p" not in info.params.__struct_fields__:
            pytest.skip("no probability")
        images = _images(4, 3, 16)
        chain = _chain(info, _params(info, p=0.0), 16)
        drawing = chain.draw(sample_keys(0, 0, torch.arange(4), 0), (3, 16, 16))
        assert torch.equal(chain.apply(images, drawing), images)
        assert [chain.texts(drawing, item)[0].text for item in range(4)] == ["no"] * 4

    def test_alone_is_as_in_a_chain(self, info: OpInfo[Any]) -> None:
        images = _images(6, 3, 24)
        op = info.build(_params(info, p=0.5))
        keys = sample_keys(3, 0, torch.arange(6), 0)
        drawn = op.draw(Draws(keys).for_op(info.name), (3, 24, 24))
        chain = Chain([Link(name=info.name, title=info.title, op=op)], 24)
        expected = chain.apply(images, chain.draw(keys, (3, 24, 24)))
        assert torch.equal(op.apply(images.clone(), drawn), expected)

    def test_draws_are_on_the_cpu_one_per_image(self, info: OpInfo[Any]) -> None:
        drawn = info.build(info.params()).draw(Draws(sample_keys(0, 0, torch.arange(7), 0)), (3, 16, 16))
        assert all(len(value) == 7 and value.device.type == "cpu" for value in drawn.values())

    def test_an_empty_batch(self, info: OpInfo[Any]) -> None:
        chain = _chain(info, _params(info, p=1.0), 16)
        drawing = chain.draw(sample_keys(0, 0, torch.arange(0), 0), (3, 16, 16))
        assert chain.apply(torch.rand(0, 3, 16, 16), drawing).shape == (0, 3, 16, 16)

    def test_geometry_is_a_matrix(self, info: OpInfo[Any]) -> None:
        op = info.build(_params(info, p=1.0))
        assert isinstance(op, GeometricOp) == (info.group == "geometry")
        if isinstance(op, GeometricOp):
            matrices = op.matrices(op.draw(Draws(sample_keys(0, 0, torch.arange(9), 0)), (3, 16, 16)), (3, 16, 16))
            assert matrices.shape == (9, 3, 3)
            assert torch.allclose(matrices[:, 2, 2], torch.ones(9, dtype=torch.float64))
            assert bool((torch.linalg.det(matrices) != 0).all())
