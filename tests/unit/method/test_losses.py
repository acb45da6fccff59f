import math

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import BarlowTwinsLoss, NegativeCosineSimilarity, NTXentLoss
from torch import Tensor

from workbench.method import losses


def pair(rows: int = 6, columns: int = 5, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    one, other = torch.randn(2, rows, columns, generator=generator).unbind()
    return one.requires_grad_(), other.requires_grad_()


def gradients(value: Tensor, *inputs: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(value, inputs))


def assert_same(mine: Tensor, theirs: Tensor, *inputs: Tensor) -> None:
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)
    for one, other in zip(gradients(mine, *inputs), gradients(theirs, *inputs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_nt_xent_is_lightlys(temperature: float) -> None:
    z1, z2 = pair()
    assert_same(losses.nt_xent(z1, z2, temperature=temperature), NTXentLoss(temperature=temperature)(z1, z2), z1, z2)


def test_nt_xent_is_the_papers_sum() -> None:
    z1, z2 = pair(rows=3)
    z = [row / row.norm() for row in (*z1.detach(), *z2.detach())]
    total = 0.0
    for i in range(6):
        against = sum(math.exp(float(z[i] @ z[k]) / 0.3) for k in range(6) if k != i)
        total -= math.log(math.exp(float(z[i] @ z[(i + 3) % 6]) / 0.3) / against)
    assert losses.nt_xent(z1, z2, temperature=0.3).item() == pytest.approx(total / 6, abs=1e-5)


def test_nt_xent_of_a_collapse_is_ln_of_the_others() -> None:
    same = torch.ones(8, 4)
    assert losses.nt_xent(same, same, temperature=0.5).item() == pytest.approx(math.log(15), abs=1e-5)


def test_info_nce_is_the_papers_sum() -> None:
    q, k = pair(rows=3)
    queue = F.normalize(torch.randn(7, 5, generator=torch.Generator().manual_seed(1)), dim=1)
    total = 0.0
    for row in range(3):
        ours, theirs = q[row] / q[row].norm(), k[row] / k[row].norm()
        positive = math.exp(float((ours @ theirs).detach()) / 0.2)
        negatives = sum(math.exp(float((ours @ vector).detach()) / 0.2) for vector in queue)
        total -= math.log(positive / (positive + negatives))
    value = losses.info_nce(q, k, queue, temperature=0.2)
    assert value.item() == pytest.approx(total / 3, abs=1e-5)


def test_info_nce_sends_no_gradient_to_the_key() -> None:
    q, k = pair()
    value = losses.info_nce(q, k, torch.ones(3, 5), temperature=0.2)
    assert torch.autograd.grad(value, k, allow_unused=True, retain_graph=True)[0] is None
    assert gradients(value, q)[0].abs().sum() > 0


def test_negative_cosine_is_lightlys() -> None:
    p, z = pair()
    assert_same(losses.negative_cosine(p, z), NegativeCosineSimilarity()(p, z.detach()), p)
    assert torch.autograd.grad(losses.negative_cosine(p, z), z, allow_unused=True)[0] is None


def test_byol_is_the_squared_distance_of_unit_vectors() -> None:
    p, z = pair()
    distance = (F.normalize(p, dim=1) - F.normalize(z.detach(), dim=1)).square().sum(dim=1).mean()
    assert_same(losses.byol(p, z), distance, p)


@pytest.mark.parametrize("weight", [0.0, 5e-3, 1.0])
def test_barlow_twins_is_lightlys(weight: float) -> None:
    z1, z2 = pair(rows=16)
    mine = torch.stack(losses.barlow_twins(z1, z2, redundancy=weight)).sum()
    assert_same(mine, BarlowTwinsLoss(lambda_param=weight)(z1, z2), z1, z2)


def test_barlow_twins_of_a_collapse_is_the_dimension() -> None:
    invariance, redundancy = losses.barlow_twins(torch.ones(8, 4), torch.ones(8, 4), redundancy=0.1)
    assert (invariance.item(), redundancy.item()) == (4.0, 0.0)


def test_cross_entropy_leaves_out_unknown_labels() -> None:
    logits, _ = pair()
    labels = torch.tensor([0, 1, -1, 2, -1, 4])
    known = labels >= 0
    assert_same(losses.cross_entropy(logits, labels), F.cross_entropy(logits[known], labels[known]), logits)
    smooth = F.cross_entropy(logits[known], labels[known], label_smoothing=0.2)
    assert_same(losses.cross_entropy(logits, labels, smoothing=0.2), smooth, logits)
    assert losses.cross_entropy(logits, torch.full((6,), -1)).item() == 0
    assert losses.accuracy(logits, torch.full((6,), -1)).item() == 0


def test_accuracy_counts_labeled_rows_only() -> None:
    logits = torch.eye(4)
    assert losses.accuracy(logits, torch.tensor([0, 1, 0, -1])).item() == pytest.approx(2 / 3)


def test_mean_cosine_is_that_of_different_rows() -> None:
    z, _ = pair(rows=5)
    matrix = F.cosine_similarity(z[:, None], z[None], dim=2)
    expected = (matrix.sum() - 5) / 20
    torch.testing.assert_close(losses.mean_cosine(z), expected.detach(), rtol=1e-5, atol=1e-6)


def test_losses_are_float32_under_autocast() -> None:
    z1, z2 = pair(rows=32, columns=64)
    plain = losses.nt_xent(z1, z2, temperature=0.1), losses.negative_cosine(z1, z2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = losses.nt_xent(z1, z2, temperature=0.1), losses.negative_cosine(z1, z2)
    assert all(value.dtype == torch.float32 for value in mixed)
    assert [value.item() for value in mixed] == [value.item() for value in plain]
