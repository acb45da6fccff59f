from itertools import combinations

import pytest
import torch
from lightly.loss import VICRegLLoss
from torch import Tensor

from tests.unit.method.losses.oracle import assert_same
from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import load_registry
from workbench.method.losses.local import cell_positions, matching_pairs
from workbench.method.losses.redundancy import vicreg
from workbench.spec.experiment import OpSpec, ViewSpec

WEIGHTS = torch.tensor([25.0, 25.0, 0.5])


def mine(maps: list[Tensor], positions: list[Tensor], *, matches: int) -> Tensor:
    terms = []
    for one, other in combinations(range(len(maps)), 2):
        cells = [maps[view].flatten(1, 2) for view in (one, other)]
        where = [positions[view].flatten(1, 2) for view in (one, other)]
        pairs = matching_pairs(cells[0], cells[1], where[0], where[1], matches=matches)
        terms.append(torch.stack([torch.stack(vicreg(a, b)) for a, b in pairs]).sum(dim=0) / 2)
    return (WEIGHTS * torch.stack(terms).mean(dim=0)).sum()


@pytest.mark.parametrize("matches", [3, 20])
@pytest.mark.parametrize("views", [2, 3])
def test_the_local_loss_is_lightlys(matches: int, views: int) -> None:
    generator = torch.Generator().manual_seed(0)
    maps = [torch.randn(8, 4, 4, 6, generator=generator).requires_grad_() for _ in range(views)]
    positions = [torch.rand(8, 4, 4, 2, generator=generator) for _ in range(views)]
    theirs = VICRegLLoss(alpha=0.0, num_matches=(matches, matches))
    features = [(one.mean(dim=(1, 2)), one) for one in maps]
    assert_same(mine(maps, positions, matches=matches), theirs(features, positions)[0], *maps)


def test_the_global_loss_is_lightlys() -> None:
    z = [torch.randn(8, 6, generator=torch.Generator().manual_seed(seed)).requires_grad_() for seed in range(3)]
    maps, positions = torch.zeros(8, 2, 2, 6), torch.rand(8, 2, 2, 2)
    theirs = VICRegLLoss(alpha=1.0)([(one, maps.clone()) for one in z], [positions] * 3)[0]
    terms = torch.stack([torch.stack(vicreg(a, b)) for a, b in combinations(z, 2)]).mean(dim=0)
    assert_same((WEIGHTS * terms).sum(), theirs, *z)


def test_cells_of_a_flipped_crop_lie_where_they_are_on_the_image() -> None:
    left, right, top, bottom = 0.2, 0.6, 0.5, 0.9
    corners = torch.tensor([[[right, top], [left, top], [left, bottom], [right, bottom]]])
    expected = torch.tensor([[0.5, 0.6], [0.3, 0.6], [0.5, 0.8], [0.3, 0.8]])
    torch.testing.assert_close(cell_positions(corners, 2, 2), expected[None])


def test_positions_are_those_of_the_pixels_that_a_view_shows() -> None:
    """Images whose pixels say where they are: the mean of a cell is its center's position."""
    size, cells = 64, 4
    place = (torch.arange(size) + 0.5) / size
    where = torch.stack((place[None, :].expand(size, size), place[:, None].expand(size, size)))
    pixels = (65535 * where).round().to(torch.int32).to(torch.uint16).expand(12, 2, size, size)
    chain = (OpSpec(op="random_resized_crop", params={"scale": [0.2, 0.6]}), OpSpec(op="horizontal_flip"))
    plan = ViewPlan((ViewSpec(count=2, size=32, chain=chain),), load_registry().ops)
    ids = torch.arange(12)
    views = plan.make(pixels, seed=0, epoch=0, ids=ids)
    for number, view in enumerate(views):
        corners = plan.corners((2, size, size), seed=0, epoch=0, ids=ids, view=number)
        shown = torch.nn.functional.adaptive_avg_pool2d(view, cells).flatten(2).transpose(1, 2)
        torch.testing.assert_close(cell_positions(corners, cells, cells), shown, rtol=0, atol=0.02)


def test_the_closest_cells_come_first_and_carry_the_gradient() -> None:
    z1 = torch.tensor([[[0.0], [5.0], [9.0]]]).requires_grad_()
    z2 = torch.tensor([[[9.5], [0.1]]]).requires_grad_()
    here, there = torch.tensor([[[0.0, 0], [0.5, 0], [1.0, 0]]]), torch.tensor([[[0.1, 0], [0.9, 0.3]]])
    place, back, feature, _ = matching_pairs(z1, z2, here, there, matches=2)
    assert place[0].flatten().tolist() == [0.0, 9.0]
    assert place[1].flatten().tolist() == pytest.approx([9.5, 0.1])
    assert back[0].flatten().tolist() == pytest.approx([9.5, 0.1])
    assert back[1].flatten().tolist() == [0.0, 9.0]
    assert feature[1].flatten().tolist() == pytest.approx([0.1, 9.5])
    torch.autograd.backward((feature[0] - feature[1]).square().sum())
    assert z1.grad is not None
    assert z1.grad.flatten().tolist() == pytest.approx([-0.2, 0.0, -1.0])
