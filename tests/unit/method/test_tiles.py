"""Permutations by brute force, and tiles where they should be."""

import itertools

import numpy as np
import pytest
import torch

from tests.contract.trial import REGISTRY, build, make_batch, progress, slim
from workbench.method.masking import Draw, fixed_draw
from workbench.method.permutations import far_apart
from workbench.method.tiles import LEAST_SIDE, cut, grayed, laid, readable, standardized, tile_side


def least_distance(rows: list[tuple[int, ...]]) -> int:
    return min(sum(a != b for a, b in zip(one, other, strict=True)) for one, other in itertools.combinations(rows, 2))


def test_each_permutation_is_as_far_as_can_be_from_those_before() -> None:
    chosen = [tuple(row) for row in far_apart(4, 6).tolist()]
    everyone = list(itertools.permutations(range(4)))
    assert len(set(chosen)) == 6
    for number in range(1, 6):
        before = chosen[:number]
        best = max(least_distance([*before, other]) if len(before) > 1 else least_distance([before[0], other])
                   for other in everyone if other not in before)  # fmt: skip
        assert least_distance(chosen[: number + 1]) == best


def test_all_there_are_and_no_more_and_the_same_each_time() -> None:
    assert sorted(map(tuple, far_apart(3, 100).tolist())) == sorted(itertools.permutations(range(3)))
    nine = far_apart(9, 30)
    assert nine.shape == (30, 9)
    assert (np.sort(nine, axis=1) == np.arange(9)).all()
    far_apart.cache_clear()
    assert (far_apart(9, 30) == nine).all()
    assert least_distance([tuple(row) for row in nine.tolist()]) >= 7
    with pytest.raises(ValueError, match="16 things"):
        far_apart(16, 4)


def test_tiles_are_pieces_of_their_own_cells() -> None:
    images = torch.arange(2 * 3 * 31 * 31, dtype=torch.float32).reshape(2, 3, 31, 31)
    tiles = cut(images, 3, 0.2, fixed_draw(torch.tensor([4, 9])))
    side = tile_side(31, 3, 0.2)
    assert tiles.shape == (2, 9, 3, side, side)
    for image, tile in itertools.product(range(2), range(9)):
        piece = tiles[image, tile]
        where = (images[image, 0] == piece[0, 0, 0]).nonzero()[0].tolist()
        top, left = where
        assert tile // 3 * 10 <= top <= tile // 3 * 10 + 10 - side
        assert tile % 3 * 10 <= left <= tile % 3 * 10 + 10 - side
        assert torch.equal(piece, images[image, :, top : top + side, left : left + side])


def test_places_depend_on_the_image_and_the_epoch_and_not_on_the_batch() -> None:
    images = torch.randn(4, 1, 30, 30)
    ids = torch.tensor([5, 6, 7, 8])
    whole = cut(images, 3, 0.3, Draw(ids, 2))
    assert torch.equal(cut(images[2:], 3, 0.3, Draw(ids[2:], 2)), whole[2:])
    assert not torch.equal(cut(images, 3, 0.3, Draw(ids, 3)), whole)


def test_tiles_are_standardized_grayed_enlarged_and_laid() -> None:
    tiles = torch.randn(6, 3, 10, 10) * 3 + 2
    flat = standardized(tiles)
    torch.testing.assert_close(flat.mean((2, 3)), torch.zeros(6, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(flat.std((2, 3), correction=0), torch.ones(6, 3), atol=2e-3, rtol=0)
    assert readable(tiles).shape[-1] == LEAST_SIDE
    assert readable(torch.zeros(1, 3, 20, 20)).shape[-1] == 20
    gray = grayed(tiles, torch.tensor([True] + 5 * [False]))
    torch.testing.assert_close(gray[0], tiles[0].mean(0).expand(3, 10, 10))
    assert torch.equal(gray[1:], tiles[1:])
    four = torch.arange(4.0).reshape(1, 4, 1, 1, 1).expand(1, 4, 1, 4, 4)
    picture = laid(four, torch.tensor([[3, 0, 1, 2]]), 8)[0, 0]
    assert picture[::4, ::4].tolist() == [[1, 2], [3, 0]]


def test_a_jigsaw_shows_the_tiles_as_they_were_and_as_it_lays_them() -> None:
    info = REGISTRY.method("jigsaw")
    method = build(info, slim(info)).eval()
    batch = make_batch(info, batch=6)
    with torch.no_grad():
        shuffled, was, answer = method.exhibit(batch, progress(0))
        (answers,) = method.exam(batch, progress(0))
    assert answer.right == tuple(bool(one) for one in answers.right)
    for row in range(6):
        same = torch.equal(answer.images[row], was.images[row])
        assert same == answer.right[row]
        values = [sorted(panel.images[row].flatten().tolist()) for panel in (shuffled, was)]
        assert values[0] == values[1], "the same tiles in another order"
