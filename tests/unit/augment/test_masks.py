"""Masks, patches and elastic fields: counts by brute force, and torchvision where it has the op."""

import math

import numpy as np
import pytest
import torch
import torchvision.transforms.v2.functional as tvf

from workbench.augment.draws import Draws, sample_keys
from workbench.augment.masks import block_mask, on_pixels, random_mask, rectangle_mask
from workbench.catalog.registry import load_registry

OPS = load_registry().ops


def draws(n: int) -> Draws:
    return Draws(sample_keys(1, 0, torch.arange(n), 0))


@pytest.mark.parametrize("ratio", [0.0, 0.25, 0.6, 0.75, 1.0])
def test_random_masks_hide_an_exact_number(ratio: float) -> None:
    masks = random_mask(draws(400), 7, 5, ratio)
    assert masks.shape == (400, 7, 5)
    assert set(masks.flatten(1).sum(dim=1).tolist()) == {round(35 * ratio)}
    if 0 < ratio < 1:
        assert torch.allclose(masks.float().mean(dim=0), torch.full((7, 5), round(35 * ratio) / 35), atol=0.12)


def test_block_masks_are_those_of_beit() -> None:
    """BEiT's loop, written out again over the same random numbers."""
    slots = ("area", "side", "top", "left")
    numbers = torch.stack([draws(30).uniform(slot, count=640) for slot in slots], dim=2).numpy()
    masks = block_mask(draws(30), 14, 14, 0.4)
    for mask, own in zip(masks.numpy(), numbers, strict=True):
        expected, goal, number = np.zeros((14, 14), dtype=int), 78, 0
        while expected.sum() < goal:
            delta = 0
            for _ in range(10):
                most = goal - expected.sum()
                area, side, down, right = own[number]
                number += 1
                wanted = min(4, most) + area * (most - min(4, most))
                aspect = math.exp(math.log(0.3) + side * (math.log(1 / 0.3) - math.log(0.3)))
                height, width = round(math.sqrt(wanted * aspect)), round(math.sqrt(wanted / aspect))
                if not (0 < height < 14 and 0 < width < 14):
                    continue
                top, left = int(down * (14 - height + 1)), int(right * (14 - width + 1))
                new = height * width - expected[top : top + height, left : left + width].sum()
                if 0 < new <= most:
                    expected[top : top + height, left : left + width] = 1
                    delta = new
                    break
            if delta == 0:
                break
        assert np.array_equal(mask, expected.astype(bool))
    assert float(masks.float().mean()) == pytest.approx(0.4, abs=0.05)


def test_rectangles_reach_the_share_by_the_last_of_them() -> None:
    share = torch.linspace(0, 0.8, 50)
    masks = rectangle_mask(draws(50), 40, 30, share, largest=0.3)
    hidden = masks.float().mean(dim=(1, 2))
    assert bool((hidden >= share - 1e-6).all())
    assert bool((hidden <= share + 0.1).all()), "one rectangle is 9 % at most"
    assert not bool(masks[0].any())


def test_patches_on_pixels_cover_everything() -> None:
    masks = random_mask(draws(3), 3, 3, 0.5)
    pixels = on_pixels(masks, 11, 10)
    assert pixels.shape == (3, 11, 10)
    for y in range(11):
        for x in range(10):
            assert torch.equal(pixels[:, y, x], masks[:, min(2, y // 3), min(2, x // 3)])


def test_shuffled_patches_are_a_permutation() -> None:
    info = OPS["patch_shuffle"]
    op = info.build(info.params(patches=3, p=1.0))
    image = torch.arange(11 * 11, dtype=torch.float32).view(1, 1, 11, 11) / 121
    drawn = op.draw(draws(1), (1, 11, 11))
    made = op.apply(image.clone(), drawn)
    order = drawn["order"][0].tolist()
    assert sorted(order) == list(range(9))
    for place, source in enumerate(order):
        (y, x), (v, u) = divmod(place, 3), divmod(source, 3)
        ours = made[0, 0, 3 * y : 3 * y + 3, 3 * x : 3 * x + 3]
        assert torch.equal(ours, image[0, 0, 3 * v : 3 * v + 3, 3 * u : 3 * u + 3])
    assert torch.equal(made[0, 0, 9:], image[0, 0, 9:])


def test_replaced_patches_come_from_the_same_image() -> None:
    info = OPS["patch_replace"]
    op = info.build(info.params(p=1.0))
    batch = torch.rand(6, 3, 20, 20)
    drawn = op.draw(draws(6), (3, 20, 20))
    made = op.apply(batch.clone(), drawn)
    for item in range(6):
        mask = drawn["mask"][item]
        assert torch.equal(made[item][:, ~mask], batch[item][:, ~mask])
        down, right = int(drawn["down"][item]), int(drawn["right"][item])
        for y, x in mask.nonzero().tolist():
            assert torch.equal(made[item, :, y, x], batch[item, :, (y - down) % 20, (x - right) % 20])


def test_dropped_channels() -> None:
    info = OPS["channel_drop"]
    op = info.build(info.params(p=1.0, most=3, fill="mean"))
    batch = torch.rand(60, 5, 6, 6) + 0.1
    drawn = op.draw(draws(60), (5, 6, 6))
    assert set(drawn["dropped"].sum(dim=1).tolist()) == {1, 2, 3}
    made = op.apply(batch.clone(), drawn)
    flat = made.amax(dim=(2, 3)) == made.amin(dim=(2, 3))
    assert torch.equal(flat, drawn["dropped"])
    assert torch.allclose(made.mean(dim=(2, 3)), batch.mean(dim=(2, 3)), atol=1e-5)
    one = info.build(info.params(p=1.0)).draw(draws(4), (1, 6, 6))
    assert not bool(one["on"].any()), "the only channel stays"


def test_elastic_is_torchvisions_for_the_same_field() -> None:
    info = OPS["elastic"]
    op = info.build(info.params(p=1.0, shift=(0.05, 0.1)))
    coarse = torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(5))
    batch = torch.nn.functional.interpolate(coarse, size=48, mode="bilinear")
    drawn = op.draw(draws(4), (3, 48, 48))
    field = op.field(drawn, (48, 48), batch.device)  # type: ignore[attr-defined]
    assert torch.allclose(field.abs().amax(dim=(1, 2, 3)), 2 * drawn["shift"], atol=1e-5)
    made = op.apply(batch.clone(), drawn)
    for item in range(4):
        theirs = tvf.elastic(batch[item], field[item : item + 1], fill=0.0)
        inside = (slice(None), slice(6, -6), slice(6, -6))  # Outside, the edge goes on here and is black there.
        assert float((made[item][inside] - theirs[inside]).abs().max()) * 255 < 0.1
    roughness = (field[:, 1:] - field[:, :-1]).abs().max() / field.abs().max()
    assert float(roughness) < 0.3, "neighbors go together"
