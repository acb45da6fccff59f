"""Every op of the catalog, whatever it is: a new plugin is tested by existing."""

from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

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
    "grayscale", "gaussian_blur", "solarize", "erasing", "gaussian_noise", "quarter_turn", "affine", "elastic",
    "channel_drop", "sharpness", "median", "posterize", "equalize", "autocontrast", "gamma", "window_level",
    "poisson_noise", "salt_and_pepper", "patch_shuffle", "patch_drop", "patch_replace", "random_mask", "block_mask",
    "rand_augment", "trivial_augment",
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

    @pytest.mark.parametrize("channels", [1, 3, 5])
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

    @pytest.mark.parametrize(("channels", "size"), [(1, 9), (3, 80), (5, 64)])
    def test_nothing_depends_on_the_batch(self, info: OpInfo[Any], channels: int, size: int) -> None:
        """Alone, in fives and backwards, to the bit, of small images and of ones that are changed one by one."""
        images, ids = _pictures(5, size, channels), torch.arange(20, 25)
        chain = _chain(info, _params(info, p=0.7), size)

        def made(rows: list[int]) -> Tensor:
            return chain.apply(images[rows], chain.draw(sample_keys(1, 2, ids[rows], 0), (channels, size, size)))

        whole = made([0, 1, 2, 3, 4])
        assert torch.equal(made([4, 3, 2, 1, 0]).flip(0), whole)
        assert all(torch.equal(made([row])[0], whole[row]) for row in range(5))

    def test_an_empty_batch(self, info: OpInfo[Any]) -> None:
        chain = _chain(info, _params(info, p=1.0), 16)
        drawing = chain.draw(sample_keys(0, 0, torch.arange(0), 0), (3, 16, 16))
        assert chain.apply(torch.rand(0, 3, 16, 16), drawing).shape == (0, 3, 16, 16)

    def test_geometry_is_a_matrix(self, info: OpInfo[Any]) -> None:
        op = info.build(_params(info, p=1.0))
        assert not isinstance(op, GeometricOp) or info.group == "geometry"
        if isinstance(op, GeometricOp):
            matrices = op.matrices(op.draw(Draws(sample_keys(0, 0, torch.arange(9), 0)), (3, 16, 16)), (3, 16, 16))
            assert matrices.shape == (9, 3, 3)
            assert torch.allclose(matrices[:, 2, 2], torch.ones(9, dtype=torch.float64))
            assert bool((torch.linalg.det(matrices) != 0).all())

    def test_ladders_turn_it_up(self, info: OpInfo[Any]) -> None:
        """Every strength is allowed, its steps are told apart, and all channels or colors take the strongest."""
        for ladder in info.ladders:
            for tenths in range(1, 11):
                values = msgspec.to_builtins(ladder.params(tenths / 10))
                assert values.get("p", 1.0) == 1.0
                ViewPlan([ViewSpec(chain=(OpSpec(op=info.name, params=values),))], REGISTRY.ops)
                assert ladder.words(tenths / 10)
            steps = [(step + 1) / ladder.steps for step in range(ladder.steps)]
            assert len({ladder.words(strength) for strength in steps}) == ladder.steps
            for channels in (1, 3, 5):
                images = _pictures(8, 48, channels)
                chain = _chain(info, ladder.params(1.0), 48)
                made = chain.apply(images, chain.draw(sample_keys(0, 0, torch.arange(8), 0), (channels, 48, 48)))
                vain = channels == 1 if ladder.name == "channel_drop" else ladder.name in _OF_RGB and channels != 3
                assert (float((made - images).abs().max()) > 0.1) != vain, (ladder.name, channels)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_torchvisions_form_runs(self, info: OpInfo[Any], channels: int) -> None:
        for params in (info.params(), _params(info, p=1.0)):
            expression = info.torchvision(params, 40) if info.torchvision else ""
            if not expression:
                continue
            transform = v2.Compose(list(eval(f"({expression},)", {"v2": v2, "torch": torch})))
            made = transform(_pictures(1, 40)[0, :channels])
            assert made.shape[-2:] == (40, 40)
            assert made.dtype == torch.float32


_OF_RGB = {"saturation", "hue", "grayscale"}
"""Ladders that leave images of other channels as they are."""


def _pictures(n: int, size: int, channels: int = 3) -> Tensor:
    """As photographs are: smooth spots that channels have mostly in common, an edge, and fine texture."""
    generator = torch.Generator().manual_seed(n)
    coarse = (
        torch.rand(n, 1, 6, 6, generator=generator) * 0.6 + torch.rand(n, channels, 6, 6, generator=generator) * 0.4
    )
    images = torch.nn.functional.interpolate(coarse, size=size, mode="bicubic") * 0.6 + 0.1
    images[..., size // 3 : size // 2] += 0.2
    return (images + torch.rand(n, 1, size, size, generator=generator) * 0.1).clamp(0, 1)
