import pytest
import torch
from lightly.loss import BarlowTwinsLoss, TiCoLoss, VICRegLoss

from tests.unit.method.losses.oracle import assert_same, pair
from workbench.method.losses.redundancy import barlow_twins, moving_covariance, tico, vicreg


@pytest.mark.parametrize("weight", [0.0, 5e-3, 1.0])
def test_barlow_twins_is_lightlys(weight: float) -> None:
    z1, z2 = pair(rows=16)
    mine = torch.stack(barlow_twins(z1, z2, redundancy=weight)).sum()
    assert_same(mine, BarlowTwinsLoss(lambda_param=weight)(z1, z2), z1, z2)


def test_barlow_twins_of_a_collapse_is_the_dimension() -> None:
    invariance, redundancy = barlow_twins(torch.ones(8, 4), torch.ones(8, 4), redundancy=0.1)
    assert (invariance.item(), redundancy.item()) == (4.0, 0.0)


@pytest.mark.parametrize("weights", [(25.0, 25.0, 1.0), (1.0, 2.0, 3.0), (0.0, 0.0, 1.0)])
def test_vicreg_is_lightlys(weights: tuple[float, float, float]) -> None:
    z1, z2 = pair(rows=16)
    mine = sum(weight * term for weight, term in zip(weights, vicreg(z1, z2), strict=True))
    assert isinstance(mine, torch.Tensor)
    invariance, variance, covariance = weights
    theirs = VICRegLoss(lambda_param=invariance, mu_param=variance, nu_param=covariance)
    assert_same(mine, theirs(z1, z2), z1, z2)


def test_vicreg_of_many_places_is_a_mean_over_them() -> None:
    z1, z2 = torch.randn(2, 9, 3, 5, generator=torch.Generator().manual_seed(0)).unbind()
    together = torch.stack(vicreg(z1, z2))
    apart = torch.stack([torch.stack(vicreg(z1[:, place], z2[:, place])) for place in range(3)]).mean(dim=0)
    torch.testing.assert_close(together, apart)


def test_vicreg_of_a_collapse_is_all_missing_variance() -> None:
    invariance, variance, covariance = vicreg(torch.ones(8, 4), torch.ones(8, 4))
    assert (invariance.item(), covariance.item()) == (0.0, 0.0)
    assert variance.item() == pytest.approx(0.99)


def test_tico_is_lightlys_over_several_steps() -> None:
    theirs = TiCoLoss(beta=0.8, rho=5.0)
    covariance = torch.zeros(5, 5)
    for step in range(4):
        z, target = pair(rows=7, seed=step)
        covariance = moving_covariance(z, covariance, momentum=0.8)
        invariance, contrast = tico(z, target, covariance)
        assert_same(invariance + 5 * contrast, theirs(z, target.detach()), z)
        torch.testing.assert_close(covariance, theirs.C)
        assert torch.autograd.grad(invariance, target, allow_unused=True)[0] is None


def test_tico_knows_a_collapse_from_an_even_spread() -> None:
    same = torch.ones(6, 4)
    one = tico(same, same, moving_covariance(same, torch.zeros(4, 4), momentum=0.0))
    assert torch.stack(one).tolist() == pytest.approx([0, 1], abs=1e-6)
    even = torch.eye(4)
    spread = tico(even, even, moving_covariance(even, torch.zeros(4, 4), momentum=0.0))
    assert torch.stack(spread).tolist() == pytest.approx([0, 0.25], abs=1e-6)
