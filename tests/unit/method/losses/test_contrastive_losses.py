import math

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import NTXentLoss

from tests.unit.method.losses.oracle import assert_same, gradients, pair
from workbench.method.losses.contrastive import info_nce, nt_xent
from workbench.method.losses.distillation import negative_cosine


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_nt_xent_is_lightlys(temperature: float) -> None:
    z1, z2 = pair()
    assert_same(nt_xent(z1, z2, temperature=temperature), NTXentLoss(temperature=temperature)(z1, z2), z1, z2)


def test_nt_xent_is_the_papers_sum() -> None:
    z1, z2 = pair(rows=3)
    z = [row / row.norm() for row in (*z1.detach(), *z2.detach())]
    total = 0.0
    for i in range(6):
        against = sum(math.exp(float(z[i] @ z[k]) / 0.3) for k in range(6) if k != i)
        total -= math.log(math.exp(float(z[i] @ z[(i + 3) % 6]) / 0.3) / against)
    assert nt_xent(z1, z2, temperature=0.3).item() == pytest.approx(total / 6, abs=1e-5)


def test_nt_xent_of_a_collapse_is_ln_of_the_others() -> None:
    same = torch.ones(8, 4)
    assert nt_xent(same, same, temperature=0.5).item() == pytest.approx(math.log(15), abs=1e-5)


def test_info_nce_is_the_papers_sum() -> None:
    q, k = pair(rows=3)
    queue = F.normalize(torch.randn(7, 5, generator=torch.Generator().manual_seed(1)), dim=1)
    total = 0.0
    for row in range(3):
        ours, theirs = q[row] / q[row].norm(), k[row] / k[row].norm()
        positive = math.exp(float((ours @ theirs).detach()) / 0.2)
        negatives = sum(math.exp(float((ours @ vector).detach()) / 0.2) for vector in queue)
        total -= math.log(positive / (positive + negatives))
    value = info_nce(q, k, queue, temperature=0.2)
    assert value.item() == pytest.approx(total / 3, abs=1e-5)


def test_info_nce_sends_no_gradient_to_the_key() -> None:
    q, k = pair()
    value = info_nce(q, k, torch.ones(3, 5), temperature=0.2)
    assert torch.autograd.grad(value, k, allow_unused=True, retain_graph=True)[0] is None
    assert gradients(value, q)[0].abs().sum() > 0


def test_losses_are_float32_under_autocast() -> None:
    z1, z2 = pair(rows=32, columns=64)
    plain = nt_xent(z1, z2, temperature=0.1), negative_cosine(z1, z2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = nt_xent(z1, z2, temperature=0.1), negative_cosine(z1, z2)
    assert all(value.dtype == torch.float32 for value in mixed)
    assert [value.item() for value in mixed] == [value.item() for value in plain]
