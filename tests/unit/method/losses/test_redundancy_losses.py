import pytest
import torch
from lightly.loss import BarlowTwinsLoss

from tests.unit.method.losses.oracle import assert_same, pair
from workbench.method.losses.redundancy import barlow_twins


@pytest.mark.parametrize("weight", [0.0, 5e-3, 1.0])
def test_barlow_twins_is_lightlys(weight: float) -> None:
    z1, z2 = pair(rows=16)
    mine = torch.stack(barlow_twins(z1, z2, redundancy=weight)).sum()
    assert_same(mine, BarlowTwinsLoss(lambda_param=weight)(z1, z2), z1, z2)


def test_barlow_twins_of_a_collapse_is_the_dimension() -> None:
    invariance, redundancy = barlow_twins(torch.ones(8, 4), torch.ones(8, 4), redundancy=0.1)
    assert (invariance.item(), redundancy.item()) == (4.0, 0.0)
