import pytest
import torch
import torch.nn.functional as F

from tests.unit.method.losses.oracle import pair
from workbench.method.losses.spread import deviation, mean_cosine


def test_mean_cosine_is_that_of_different_rows() -> None:
    z, _ = pair(rows=5)
    matrix = F.cosine_similarity(z[:, None], z[None], dim=2)
    expected = (matrix.sum() - 5) / 20
    torch.testing.assert_close(mean_cosine(z), expected.detach(), rtol=1e-5, atol=1e-6)


def test_deviation_is_one_when_directions_are_even_and_zero_when_all_are_the_same() -> None:
    z = torch.randn(4000, 16, generator=torch.Generator().manual_seed(0))
    assert deviation(z).item() == pytest.approx(1, abs=0.02)
    assert deviation(7 * z).item() == pytest.approx(deviation(z).item())
    assert deviation(torch.ones(5, 16)).item() == 0
    by_hand = F.normalize(z, dim=1).std(dim=0, correction=0).mean() * 4
    torch.testing.assert_close(deviation(z), by_hand)
