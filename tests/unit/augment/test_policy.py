"""RandAugment and TrivialAugment: every sub-op against torchvision, and the draws."""

import pytest
import torch
import torchvision.transforms.v2 as tv
from torch import Tensor
from torchvision.transforms import InterpolationMode

from workbench.augment.draws import Draws, sample_keys
from workbench.augment.policy import NAMES, OPS, SIGNED, changed, magnitudes_at, words
from workbench.catalog.registry import load_registry

BILINEAR = InterpolationMode.BILINEAR


def images(n: int = 4, size: int = 32) -> Tensor:
    coarse = torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(5))
    smooth = torch.nn.functional.interpolate(coarse, size=size, mode="bicubic").clamp(0, 1)
    return (smooth * 255).round() / 255  # Equalizing there goes through bytes, rounded down.


def theirs(name: str, image: Tensor, magnitude: float) -> Tensor:
    """torchvision's own dispatch, with bilinear resampling; translations in whole pixels there."""
    kind = {"shear x": "ShearX", "shear y": "ShearY", "translate x": "TranslateX", "translate y": "TranslateY"}
    if "translate" in name:
        magnitude *= image.shape[-1]
    if name == "posterize":
        magnitude = int(magnitude)
    policy = tv.RandAugment(interpolation=BILINEAR)
    return policy._apply_image_or_video_transform(  # type: ignore[no-any-return]
        image, kind.get(name, name.replace("autocontrast", "autoContrast").capitalize().replace("Autoc", "AutoC")),
        magnitude, interpolation=BILINEAR, fill={torch.Tensor: None},
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sign", [-1, 1])
def test_each_is_torchvisions(name: str, sign: int) -> None:
    batch = images()
    magnitudes = magnitudes_at(name, torch.tensor([0.25, 0.5, 0.75, 1.0]), wide=False)
    if "translate" in name:
        magnitudes = torch.tensor([2, 5, 9, 14]) / 32
    if name in SIGNED:
        magnitudes = magnitudes * sign
    made = OPS[name](batch.clone(), magnitudes)
    expected = torch.stack([theirs(name, one, float(at)) for one, at in zip(batch, magnitudes, strict=True)])
    assert float((made - expected).abs().max()) * 255 < 0.1


def test_magnitudes_are_torchvisions() -> None:
    strength = torch.linspace(0, 1, 31)
    for wide, policy in ((False, tv.RandAugment()), (True, tv.TrivialAugmentWide())):
        space = policy._AUGMENTATION_SPACE
        for name, kind in (("shear x", "ShearX"), ("rotate", "Rotate"), ("contrast", "Contrast"),
                           ("posterize", "Posterize"), ("solarize", "Solarize")):  # fmt: skip
            expected = space[kind][0](31, 224, 224)
            expected = expected / 255 if name == "solarize" and float(expected.max()) > 1 else expected
            assert torch.allclose(magnitudes_at(name, strength, wide=wide), expected.float(), atol=1e-5), name
        expected = space["TranslateX"][0](31, 224, 224) / 224
        assert torch.allclose(magnitudes_at("translate x", strength, wide=wide), expected, atol=1e-5)


def test_each_image_has_its_own_op() -> None:
    batch = images(len(NAMES))
    kinds, magnitudes = torch.arange(len(NAMES)), torch.full((len(NAMES),), 0.5)
    made = changed(batch, kinds, magnitudes)
    for kind, name in enumerate(NAMES):
        assert torch.equal(made[kind], OPS[name](batch[kind : kind + 1].clone(), magnitudes[:1])[0]), name


def test_draws_cover_all_ops_and_both_signs() -> None:
    registry = load_registry()
    draws = Draws(sample_keys(0, 0, torch.arange(2000), 0))
    rand = registry.ops["rand_augment"]
    drawn = rand.build(rand.params(ops=3, magnitude=15.0)).draw(draws, (3, 32, 32))
    assert drawn["kinds"].shape == (2000, 3)
    counts = torch.bincount(drawn["kinds"].flatten(), minlength=len(NAMES))
    assert counts.min() > 6000 / len(NAMES) * 0.8
    turned = drawn["magnitudes"][drawn["kinds"] == NAMES.index("rotate")]
    assert set(turned.tolist()) == {-15.0, 15.0}
    assert abs(float((turned > 0).float().mean()) - 0.5) < 0.1
    trivial = registry.ops["trivial_augment"]
    one = trivial.build(trivial.params()).draw(draws, (3, 32, 32))
    turned = one["magnitudes"][one["kinds"] == NAMES.index("rotate")].abs()
    assert len(torch.unique(turned)) > 20
    assert float(turned.max()) == pytest.approx(135.0)


def test_words() -> None:
    assert words("rotate", -12.2) == "rotate -12°"
    assert words("posterize", 4.0) == "posterize 4 bits"
    assert words("contrast", 0.5) == "contrast ×1.50"


@pytest.mark.parametrize("magnitude", [0.0, 9.0, 30.0])
def test_a_deviation_in_torchvisions_words_is_as_wide_as_ours(magnitude: float) -> None:
    info = load_registry().ops["rand_augment"]
    assert info.torchvision is not None
    params = info.params(ops=3, magnitude=magnitude, deviation=2.0)
    form = eval(info.torchvision(params, 32), {"v2": tv})
    assert len(form.transforms) == 3
    choice = form.transforms[0]
    numbers = torch.tensor([kind.magnitude for kind in choice.transforms], dtype=torch.float64)
    chances = torch.tensor(choice.p, dtype=torch.float64)
    drawn = Draws(sample_keys(0, 0, torch.arange(20_000), 0)).normal("level", magnitude, 2.0).clamp(0, 30)
    assert float((numbers * chances).sum()) == pytest.approx(float(drawn.mean()), abs=0.1)
    assert form(images(1)[0]).shape == (3, 32, 32)
