import math

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import DCLLoss, DCLWLoss, NTXentLoss

from tests.unit.method.losses.oracle import assert_same, gradients, pair
from workbench.method.losses.contrastive import dcl, in_batch, info_nce, nt_xent, supcon
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


def test_nt_xent_with_a_memory_has_more_to_tell_apart() -> None:
    z1, z2 = pair(rows=3)
    memory = F.normalize(torch.randn(7, 5, generator=torch.Generator().manual_seed(1)), dim=1)
    z = F.normalize(torch.cat((z1, z2)), dim=1)
    total = z.new_zeros(())
    for i in range(6):
        others = [*(z[k] for k in range(6) if k != i), *memory]
        against = torch.stack([torch.exp(z[i] @ other / 0.3) for other in others]).sum()
        total = total - torch.log(torch.exp(z[i] @ z[(i + 3) % 6] / 0.3) / against)
    assert_same(nt_xent(z1, z2, temperature=0.3, memory=memory), total / 6, z1, z2)


def test_in_batch_is_the_papers_sum_and_lets_either_side_learn() -> None:
    q, k = pair(rows=4)
    ours, theirs = F.normalize(q, dim=1), F.normalize(k, dim=1)
    total = q.new_zeros(())
    for i in range(4):
        against = torch.stack([torch.exp(ours[i] @ theirs[j] / 0.2) for j in range(4)]).sum()
        total = total - torch.log(torch.exp(ours[i] @ theirs[i] / 0.2) / against)
    assert_same(in_batch(q, k, temperature=0.2), total / 4, q, k)
    assert in_batch(torch.ones(5, 3), torch.ones(5, 3), temperature=0.1).item() == pytest.approx(math.log(5))


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_dcl_is_lightlys(temperature: float) -> None:
    z1, z2 = pair()
    assert_same(dcl(z1, z2, temperature=temperature), DCLLoss(temperature=temperature)(z1, z2), z1, z2)


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor")
@pytest.mark.parametrize("sigma", [0.2, 0.5])
def test_weighted_dcl_is_lightlys(sigma: float) -> None:
    z1, z2 = pair()
    theirs = DCLWLoss(temperature=0.3, sigma=sigma)(z1, z2)
    assert_same(dcl(z1, z2, temperature=0.3, sigma=sigma), theirs, z1, z2)


def test_supcon_is_the_papers_sum_and_without_a_label_only_own_views_count() -> None:
    z1, z2 = pair()
    z3, _ = pair(seed=1)
    labels = torch.tensor([0, 1, 0, -1, 2, -1])
    z = F.normalize(torch.cat((z1, z2, z3)), dim=1)
    total = z.new_zeros(())
    for i in range(18):
        positives = [p for p in range(18) if p != i and (p % 6 == i % 6 or 0 <= labels[p % 6] == labels[i % 6])]
        assert len(positives) == {0: 5, 1: 2, 2: 2, -1: 2}[int(labels[i % 6])]
        against = torch.stack([torch.exp(z[i] @ z[a] / 0.4) for a in range(18) if a != i]).sum()
        logs = [torch.log(torch.exp(z[i] @ z[p] / 0.4) / against) for p in positives]
        total = total - torch.stack(logs).mean()
    assert_same(supcon([z1, z2, z3], labels, temperature=0.4), total / 18, z1, z2, z3)


def test_supcon_without_labels_is_nt_xent() -> None:
    z1, z2 = pair()
    unknown = torch.full((6,), -1)
    assert_same(supcon([z1, z2], unknown, temperature=0.3), nt_xent(z1, z2, temperature=0.3), z1, z2)
