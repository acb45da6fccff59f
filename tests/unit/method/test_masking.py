"""Masks: as many patches as asked for, everywhere alike, of the image and the epoch alone."""

import math

import pytest
import torch
from lightly.data.ijepa_collate import IJEPAMaskCollator
from torch import Tensor

from workbench.method.contract import Progress
from workbench.method.masking import (
    Blocks,
    BlockShape,
    Draw,
    chosen,
    draw_of,
    multi_block,
    put,
    random_split,
    rectangles_mask,
    squares_mask,
    take,
)

GRID = (8, 8)
COUNT = 64
MANY = Draw(torch.arange(2000), epoch=0)
TARGET, CONTEXT = BlockShape(least=0.15, most=0.2, ratios=(0.75, 1.5)), BlockShape(least=0.85, most=1.0)


def blocks_of(draw: Draw, step: int = 0, grid: tuple[int, int] = GRID) -> Blocks:
    generator = torch.Generator().manual_seed(step)
    return multi_block(draw, generator, grid, blocks=4, target=TARGET, context=CONTEXT)


@pytest.mark.parametrize(("ratio", "hidden"), [(0.75, 48), (0.6, 38), (0.001, 1), (0.999, 63)])
def test_as_many_patches_are_hidden_of_every_image_as_asked_for(ratio: float, hidden: int) -> None:
    split = random_split(MANY, COUNT, ratio)
    assert split.hidden.shape == (2000, hidden)
    together = torch.cat((split.visible, split.hidden), dim=1).sort(dim=1).values
    assert torch.equal(together, torch.arange(COUNT).expand(2000, -1))
    assert torch.equal(split.visible, split.visible.sort(dim=1).values)
    assert torch.equal(split.mask().sum(dim=1), torch.full((2000,), hidden))


def test_every_patch_is_hidden_as_often_and_pairs_independently() -> None:
    mask = random_split(MANY, COUNT, 0.75).mask().double()
    assert mask.mean(dim=0) == pytest.approx(torch.full((COUNT,), 0.75).numpy(), abs=6 * math.sqrt(0.1875 / 2000))
    shifted = mask.roll(1, dims=0)
    assert float((mask * shifted).mean()) == pytest.approx(0.75**2, abs=0.01)


def kinds(draw: Draw) -> list[Tensor]:
    """Every kind of mask, but the context of I-JEPA, which is cut to what the batch has in common."""
    return [
        random_split(draw, COUNT, 0.75).mask(),
        squares_mask(draw, GRID, 2, 0.6),
        rectangles_mask(draw, GRID, 0.5, name="drop"),
        blocks_of(draw).targets,
    ]


def test_a_mask_is_of_the_image_the_epoch_and_the_view_alone() -> None:
    some = torch.tensor([7, 3, 900, 12])
    for whole, part in zip(kinds(MANY), kinds(Draw(some, epoch=0)), strict=True):
        assert torch.equal(whole[some], part)
    for other in (Draw(some, epoch=1), Draw(some, epoch=0, view=1)):
        for mine, theirs in zip(kinds(Draw(some, epoch=0)), kinds(other), strict=True):
            assert not torch.equal(mine, theirs)
    progress = Progress(step=9, total_steps=20, epoch=4, total_epochs=5)
    assert draw_of(some, progress, view=2) == Draw(some, 4, 2)


def test_squares_are_whole_and_as_many_as_asked_for() -> None:
    mask = squares_mask(MANY, GRID, 2, 0.6).view(-1, 4, 2, 4, 2)
    assert torch.equal(mask.all(dim=(2, 4)), mask.any(dim=(2, 4)))
    assert (mask.any(dim=(2, 4)).sum(dim=(1, 2)) == round(0.6 * 16)).all()
    narrow = squares_mask(MANY, (5, 7), 2, 0.5)
    assert narrow.shape == (2000, 35)
    assert squares_mask(MANY, (2, 2), 4, 0.6).all(), "one square is all there is"


def test_rectangles_cover_the_share_that_was_drawn_for_the_image() -> None:
    assert not rectangles_mask(MANY, GRID, 0.0, name="drop").any()
    share = rectangles_mask(MANY, (14, 14), 0.5, name="drop").double().mean(dim=1)
    assert float(share.min()) >= 0.25
    assert float(share.max()) < 0.5 + (0.3 + 1 / 14) ** 2
    assert float(share.mean()) == pytest.approx(0.4, abs=0.03)
    one = rectangles_mask(MANY, GRID, 0.5, name="drop")
    assert not torch.equal(one, rectangles_mask(MANY, GRID, 0.5, name="replace"))


def test_blocks_leave_the_same_number_of_patches_and_share_none_with_the_context() -> None:
    for step in range(20):
        blocks = blocks_of(Draw(torch.arange(64), epoch=step), step)
        asked = chosen(blocks.targets.flatten(1), COUNT)
        seen = chosen(blocks.context, COUNT)
        assert not (asked & seen).any()
        assert (seen.sum(dim=1) == blocks.context.shape[1]).all()
        assert blocks.context.shape[1] >= COUNT // 5
        for block in blocks.targets[:5].flatten(0, 1):
            rows, columns = (block // 8).unique(), (block % 8).unique()
            assert len(rows) * len(columns) == len(block.unique()) == len(block)
            assert len(rows) == rows[-1] - rows[0] + 1
            assert len(columns) == columns[-1] - columns[0] + 1


def test_blocks_have_the_sizes_of_lightly() -> None:
    theirs = IJEPAMaskCollator(
        input_size=(224, 224),
        patch_size=16,
        enc_mask_scale=(0.85, 1.0),
        pred_mask_scale=(0.15, 0.2),
        aspect_ratio=(0.75, 1.5),
        nenc=1,
        npred=4,
        min_keep=10,
    )
    generator, again = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    for mine, scale, ratios in ((TARGET, (0.15, 0.2), (0.75, 1.5)), (CONTEXT, (0.85, 1.0), (1.0, 1.0))):
        for _ in range(50):
            number = float(torch.rand(1, generator=again))
            assert mine.sides((14, 14), number, number) == theirs._sample_block_size(generator, scale, ratios)


def test_contexts_are_as_large_as_those_of_lightly() -> None:
    torch.manual_seed(0)
    theirs = IJEPAMaskCollator(
        input_size=(224, 224),
        patch_size=16,
        enc_mask_scale=(0.85, 1.0),
        pred_mask_scale=(0.15, 0.2),
        aspect_ratio=(0.75, 1.5),
        nenc=1,
        npred=4,
        min_keep=10,
    )
    batch = [(torch.zeros(1), 0)] * 16
    expected = [theirs(batch)[1][0].shape[1] for _ in range(40)]
    mine = [blocks_of(Draw(torch.arange(16), epoch=step), step, (14, 14)).context.shape[1] for step in range(40)]
    assert sum(mine) / 40 == pytest.approx(sum(expected) / 40, rel=0.1)


def test_patches_are_put_back_where_they_were_taken_from() -> None:
    tokens = torch.randn(3, COUNT, 5, generator=torch.Generator().manual_seed(0))
    split = random_split(Draw(torch.arange(3), epoch=0), COUNT, 0.75)
    taken = take(tokens, split.visible)
    assert torch.equal(taken[1, 4], tokens[1, split.visible[1, 4]])
    whole = put(taken, split.visible, COUNT) + put(take(tokens, split.hidden), split.hidden, COUNT)
    assert torch.equal(whole, tokens)
