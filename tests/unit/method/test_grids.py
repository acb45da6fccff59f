import pytest
import torch

from workbench.method.heads import PatchesHead, RowContext
from workbench.method.patches import LEAST_SIDE, overlapping, tiles


def test_tiles_lie_side_by_side_row_by_row() -> None:
    images = torch.randn(2, 3, 50, 50)
    patches = tiles(images, 3)
    assert patches.shape == (2, 9, 3, 16, 16)
    assert torch.equal(patches[1, 5], images[1, :, 17:33, 33:49])  # the middle 48 of 50 px, second row, third column.


def test_overlapping_patches_share_a_half() -> None:
    images = torch.randn(2, 1, 64, 64)
    patches = overlapping(images, 3)
    assert patches.shape == (2, 9, 1, 32, 32)
    assert torch.equal(patches[0, 7], images[0, :, 32:64, 16:48])
    assert torch.equal(patches[0, 0][:, 16:], patches[0, 3][:, :16])


@pytest.mark.parametrize(("size", "rows"), [(32, 7), (16, 12), (33, 5)])
def test_small_patches_are_enlarged_and_keep_their_content(size: int, rows: int) -> None:
    images = torch.arange(3.0)[:, None, None, None].expand(3, 1, size, size)
    patches = overlapping(images, rows)
    assert patches.shape == (3, rows**2, 1, LEAST_SIDE, LEAST_SIDE)
    assert torch.equal(patches.mean((1, 2, 3, 4)), torch.arange(3.0))


def test_the_context_of_a_row_sees_nothing_below_it() -> None:
    torch.manual_seed(0)
    context = RowContext(4, layers=3)
    grid = torch.randn(1, 4, 6, 6, requires_grad=True)
    for row in range(6):
        (gradient,) = torch.autograd.grad(context(grid)[:, :, row].sum(), grid)
        seen = gradient.abs().sum((0, 1, 3)) > 0
        assert seen.tolist() == [row - 3 <= other <= row for other in range(6)]


def test_the_head_of_patches_depends_on_their_order() -> None:
    torch.manual_seed(0)
    head = PatchesHead(6, 4, patches=9)
    features = torch.randn(2, 9, 6)
    assert head(features).shape == (2, 4)
    assert not torch.allclose(head(features), head(features.flip(1)))
