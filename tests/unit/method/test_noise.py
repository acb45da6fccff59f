import pytest
import torch

from workbench.method.masking import Draw
from workbench.method.noise import EXTREME, NoiseKind, corrupted

IMAGES = torch.rand(40, 3, 24, 20) - 0.5
DRAW = Draw(torch.arange(40), epoch=3)


def test_specks_of_masking_are_the_mean_color() -> None:
    spoiled = corrupted(IMAGES, DRAW, kind="masking", amount=0.3, grain=1)
    hidden = (spoiled == 0).all(dim=1)
    assert hidden.float().mean().item() == pytest.approx(0.3, abs=0.01)
    kept = ~hidden[:, None].expand_as(IMAGES)
    assert torch.equal(spoiled[kept], IMAGES[kept])


def test_salt_is_as_frequent_as_pepper() -> None:
    spoiled = corrupted(IMAGES, DRAW, kind="salt and pepper", amount=0.4, grain=1)
    for extreme in (-EXTREME, EXTREME):
        assert (spoiled == extreme).all(dim=1).float().mean().item() == pytest.approx(0.2, abs=0.01)


def test_gaussian_noise_has_the_deviation_that_was_asked_for_in_every_channel() -> None:
    noise = corrupted(IMAGES, DRAW, kind="gaussian", amount=0.5, grain=1) - IMAGES
    assert noise.std(dim=(0, 2, 3)).tolist() == pytest.approx([0.5] * 3, rel=0.03)
    assert abs(torch.corrcoef(noise.transpose(0, 1).flatten(1))[0, 1]) < 0.02


@pytest.mark.parametrize("kind", ["masking", "gaussian", "salt and pepper"])
def test_grains_are_squares_and_an_image_gets_the_same_in_any_batch(kind: NoiseKind) -> None:
    spoiled = corrupted(IMAGES, DRAW, kind=kind, amount=0.3, grain=7) - IMAGES
    changed = corrupted(torch.zeros_like(IMAGES), DRAW, kind=kind, amount=0.3, grain=7)
    square = changed[:, :, 7:14, 14:20]
    assert torch.equal(square, square[..., :1, :1].expand_as(square))
    few = corrupted(IMAGES[5:8], Draw(torch.arange(5, 8), epoch=3), kind=kind, amount=0.3, grain=7)
    assert torch.equal(few - IMAGES[5:8], spoiled[5:8])
    later = corrupted(IMAGES, Draw(torch.arange(40), epoch=4), kind=kind, amount=0.3, grain=7)
    assert not torch.equal(later - IMAGES, spoiled)
