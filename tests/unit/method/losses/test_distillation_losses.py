import math

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import DINOLoss, NegativeCosineSimilarity
from torch import Tensor

from tests.unit.method.losses.oracle import assert_same, pair
from workbench.method.losses.distillation import byol, dino, negative_cosine


def test_negative_cosine_is_lightlys() -> None:
    p, z = pair()
    assert_same(negative_cosine(p, z), NegativeCosineSimilarity()(p, z.detach()), p)
    assert torch.autograd.grad(negative_cosine(p, z), z, allow_unused=True)[0] is None
    assert_same(negative_cosine(p, z, stop_gradient=False), NegativeCosineSimilarity()(p, z), p, z)


def test_byol_is_the_squared_distance_of_unit_vectors() -> None:
    p, z = pair()
    distance = (F.normalize(p, dim=1) - F.normalize(z.detach(), dim=1)).square().sum(dim=1).mean()
    assert_same(byol(p, z), distance, p)


def logits(views: int, *, seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(6, 7, generator=generator).requires_grad_() for _ in range(views)]


def test_dino_is_lightlys_with_local_views_and_a_moving_center() -> None:
    theirs = DINOLoss(output_dim=7, warmup_teacher_temp_epochs=1)
    center = torch.zeros(7)
    for step in range(4):
        student, teacher = logits(4, seed=step), logits(2, seed=10 + step)
        temperature = 0.04 + 0.01 * step
        mine, _ = dino(student, teacher, center, student_temperature=0.1, teacher_temperature=temperature)
        expected = theirs([view.detach() for view in teacher], student, teacher_temp=temperature)
        assert_same(mine, expected, *student)
        assert not any(one is not None for one in torch.autograd.grad(mine, teacher, allow_unused=True))
        center = 0.9 * center + 0.1 * torch.cat(teacher).detach().mean(dim=0)
        torch.testing.assert_close(center, theirs.center[0, 0])


def test_dinos_entropy_leaves_the_divergence() -> None:
    student, teacher = logits(2, seed=0), logits(2, seed=1)
    center = torch.full((7,), 0.2)
    loss, entropy = dino(student, teacher, center, student_temperature=0.5, teacher_temperature=0.3)
    q = [torch.softmax((view - center) / 0.3, dim=1) for view in teacher]
    p = [torch.softmax(view / 0.5, dim=1) for view in student]
    divergence = sum((q[one] * (q[one] / p[1 - one]).log()).sum(dim=1).mean() for one in range(2)) / 2
    torch.testing.assert_close(loss - entropy, divergence)


def test_dinos_two_collapses() -> None:
    even, center = [torch.zeros(4, 8)] * 2, torch.zeros(8)
    loss, entropy = dino(even, even, center, student_temperature=0.1, teacher_temperature=0.04)
    assert (loss.item(), entropy.item()) == pytest.approx((math.log(8), math.log(8)))
    one = [50 * F.one_hot(torch.zeros(4, dtype=torch.long), 8).float()] * 2
    loss, entropy = dino(one, one, center, student_temperature=0.1, teacher_temperature=0.04)
    assert (loss.item(), entropy.item()) == pytest.approx((0, 0), abs=1e-6)
