import pytest
import torch

from workbench.method.holes import HoleKind, band_around, holes
from workbench.method.masking import Draw

DRAW = Draw(torch.arange(200), epoch=1)


def test_the_center_is_the_same_square_in_all() -> None:
    found = holes(DRAW, 32, kind="center", share=0.25)
    assert found.shape == (200, 1, 32, 32)
    wanted = torch.zeros(32, 32)
    wanted[8:24, 8:24] = 1
    assert torch.equal(found, wanted.expand(200, 1, 32, 32))


def test_a_square_lies_anywhere_and_is_whole() -> None:
    found = holes(DRAW, 30, kind="square", share=0.1)[:, 0]
    side = round(30 * 0.1**0.5)
    assert torch.equal(found.sum(dim=(1, 2)), torch.full((200,), side**2.0))
    tops = found.amax(dim=2).argmax(dim=1)
    lefts = found.amax(dim=1).argmax(dim=1)
    assert {int(tops.min()), int(lefts.min())} == {0}
    assert {int(tops.max()), int(lefts.max())} == {30 - side}
    for one, top, left in zip(found, tops, lefts, strict=True):
        assert one[top : top + side, left : left + side].all()


def test_blocks_cover_about_what_was_asked_for_and_differ() -> None:
    found = holes(DRAW, 48, kind="blocks", share=0.3)
    shares = found.mean(dim=(1, 2, 3))
    assert shares.min() >= 0.15 - 1e-6
    assert 0.2 < shares.mean() < 0.32
    assert len({one.numpy().tobytes() for one in found}) > 190


@pytest.mark.parametrize("kind", ["center", "square", "blocks"])
def test_an_image_has_the_same_hole_in_any_batch(kind: HoleKind) -> None:
    whole = holes(DRAW, 20, kind=kind, share=0.25)
    assert torch.equal(holes(Draw(torch.tensor([7, 3]), epoch=1), 20, kind=kind, share=0.25), whole[[7, 3]])
    assert set(whole.flatten().tolist()) == {0.0, 1.0}


def test_the_band_is_beside_the_hole() -> None:
    hole = torch.zeros(1, 1, 9, 9)
    hole[..., 3:6, 3:6] = 1
    band = band_around(hole, 2)
    assert band.sum() == 7 * 7 - 3 * 3
    assert (band * hole).sum() == 0
    assert band[0, 0, 1, 1] == 1
    assert band[0, 0, 0, 0] == 0
    assert band_around(hole, 0).sum() == 0
