import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.unit.method.losses.oracle import assert_same
from workbench.method.color_bins import BINS, TEMPERATURE, ColorBins
from workbench.method.lab import rgb_to_lab
from workbench.method.losses.coloring import soft_cross_entropy

GENERATOR = torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def bins() -> ColorBins:
    return ColorBins()


def some_colors(count: int = 3, side: int = 12) -> Tensor:
    """From gray to beyond what a screen can show."""
    return (torch.rand(count, 2, side, side, generator=GENERATOR) - 0.5) * 230


def test_there_are_313_and_every_color_of_a_screen_falls_into_one(bins: ColorBins) -> None:
    assert bins.centers.shape == (BINS, 2)
    assert [0.0, 0.0] in bins.centers.tolist()
    assert torch.equal(bins.centers % 10, torch.zeros(BINS, 2))
    assert len({tuple(center) for center in bins.centers.tolist()}) == BINS
    colors = torch.rand(1, 3, 200, 200, generator=GENERATOR).round(decimals=1)
    ab = rgb_to_lab(colors)[:, 1:]
    _, squared = bins.nearest(ab)
    assert squared[:, 0].max() <= 50 + 1e-3, "the nearest center is that of the square that it is in"


def test_the_five_nearest_are_those_of_a_search_among_all(bins: ColorBins) -> None:
    ab = some_colors()
    found, squared = bins.nearest(ab)
    rows = ab.permute(0, 2, 3, 1).reshape(-1, 1, 2).double()
    apart = (rows - bins.centers.double()).square().sum(dim=-1)
    wanted = apart.topk(5, largest=False).values
    torch.testing.assert_close(squared.permute(0, 2, 3, 1).reshape(-1, 5).double(), wanted, rtol=1e-4, atol=1e-3)
    chosen = found.permute(0, 2, 3, 1).reshape(-1, 5)
    torch.testing.assert_close(apart.gather(1, chosen), wanted, rtol=1e-4, atol=1e-3)


def test_shares_are_gaussian_and_add_to_one(bins: ColorBins) -> None:
    ab = some_colors(1, 4) / 2
    found, shares = bins.shares(ab)
    for row in range(4):
        for column in range(4):
            apart = np.linalg.norm(bins.centers.numpy() - ab[0, :, row, column].numpy(), axis=1)
            nearest = np.argsort(apart)[:5]
            gaussian = np.exp(-(apart[nearest] ** 2) / (2 * 5.0**2))
            assert found[0, :, row, column].tolist() == nearest.tolist()
            assert shares[0, :, row, column].numpy() == pytest.approx(gaussian / gaussian.sum(), abs=1e-5)


def test_weights_are_the_papers(bins: ColorBins) -> None:
    counts = torch.randint(0, 1000, (BINS,), generator=GENERATOR)
    apart = np.linalg.norm(bins.centers.numpy()[:, None] - bins.centers.numpy()[None], axis=-1)
    blur = np.exp(-(apart**2) / 50)
    smooth = (blur / blur.sum(axis=0)) @ (counts.numpy() / counts.sum().item())
    wanted = 1 / (0.5 * smooth + 0.5 / BINS)
    wanted /= (smooth * wanted).sum()
    assert bins.weights(counts, 0.5).numpy() == pytest.approx(wanted, rel=1e-4)
    assert bins.weights(counts, 1.0).numpy() == pytest.approx(np.ones(BINS), rel=1e-5)


def test_a_rare_color_counts_more(bins: ColorBins) -> None:
    counts = torch.full((BINS,), 10)
    gray, red = (bins.centers.tolist().index(list(center)) for center in ((0.0, 0.0), (70.0, 60.0)))
    counts[gray] = 100_000
    ratios = [float(weights[red] / weights[gray]) for weights in (bins.weights(counts, one) for one in (1, 0.5, 0))]
    assert ratios[0] == pytest.approx(1)
    assert ratios[2] > ratios[1] > 50


def test_the_annealed_mean_lies_between_the_mean_and_the_mode(bins: ColorBins) -> None:
    logits = torch.randn(2, BINS, 3, 3, generator=GENERATOR) * 2
    sharper = torch.softmax(logits, dim=1) ** (1 / TEMPERATURE)
    wanted = ((sharper / sharper.sum(dim=1, keepdim=True))[:, :, None] * bins.centers[:, :, None, None]).sum(dim=1)
    torch.testing.assert_close(bins.annealed_mean(logits), wanted, rtol=1e-4, atol=1e-3)
    certain = torch.full((1, BINS, 1, 1), -50.0)
    certain[:, 17] = 50
    torch.testing.assert_close(bins.annealed_mean(certain).flatten(), bins.centers[17])


def test_the_loss_is_cross_entropy_with_soft_labels_written_out(bins: ColorBins) -> None:
    logits = torch.randn(2, BINS, 4, 4, generator=GENERATOR).requires_grad_()
    found, shares = bins.shares(some_colors(2, 4))
    weights = torch.rand(BINS, generator=GENERATOR)
    whole = torch.zeros(2, BINS, 4, 4).scatter(1, found, shares)
    losses = F.cross_entropy(logits, whole, reduction="none") * weights[whole.argmax(dim=1)]
    assert_same(soft_cross_entropy(logits, found, shares, weights), losses.mean(), logits)
