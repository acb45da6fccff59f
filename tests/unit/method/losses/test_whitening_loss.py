import pytest
import torch
from lightly.loss import WMSELoss

from tests.unit.method.losses.oracle import assert_same, pair
from workbench.method.losses.whitening import w_mse, whiten


@pytest.mark.parametrize("shrinkage", [0.0, 0.1])
def test_whitened_vectors_are_white(shrinkage: float) -> None:
    z, _ = pair(rows=40)
    mixed = z.detach() @ torch.randn(5, 5, generator=torch.Generator().manual_seed(1)) + 3
    white = whiten(mixed, shrinkage=shrinkage)
    assert torch.allclose(white.mean(dim=0), torch.zeros(5), atol=1e-5)
    if shrinkage == 0:
        torch.testing.assert_close(white.T @ white / 39, torch.eye(5), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [24, 12])
@pytest.mark.parametrize("shrinkage", [0.0, 1e-2])
def test_w_mse_is_lightlys(size: int, shrinkage: float) -> None:
    z1, z2 = pair(rows=24)
    theirs = WMSELoss(embedding_dim=5, w_size=size, eps=shrinkage)
    torch.manual_seed(4)
    expected = theirs(torch.cat((z1, z2)))
    torch.manual_seed(4)
    slices = torch.randperm(24).tensor_split(24 // size)
    assert_same(w_mse((z1, z2), slices, shrinkage=shrinkage), expected, z1, z2)


def test_w_mse_of_more_views_is_the_mean_of_pairs() -> None:
    z1, z2 = pair(rows=24)
    z3, _ = pair(rows=24, seed=1)
    rows = [torch.arange(24)]
    pairs = [w_mse((a, b), rows) for a, b in ((z1, z2), (z1, z3), (z2, z3))]
    torch.testing.assert_close(w_mse((z1, z2, z3), rows), torch.stack(pairs).mean())


def test_vectors_without_a_root_are_not_numbers_rather_than_an_error() -> None:
    assert whiten(torch.ones(6, 3)).isnan().any()
    assert whiten(torch.ones(6, 3), shrinkage=0.1).abs().sum() == 0
