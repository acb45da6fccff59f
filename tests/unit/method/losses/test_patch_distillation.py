"""iBOT's hidden patches against lightly, EsViT's regions against slow loops."""

import math

import torch
import torch.nn.functional as F
from lightly.loss import IBOTPatchLoss
from torch import Tensor

from tests.unit.method.losses.oracle import assert_same
from workbench.method.losses.distillation import dino, hidden_patches, matched_regions
from workbench.method.losses.local import most_alike

K = 7


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_hidden_patches_are_lightlys_with_a_moving_center() -> None:
    theirs = IBOTPatchLoss(output_dim=K)
    center = torch.zeros(K)
    for step in range(3):
        mask = random(5, 3, 4, seed=step) > 0.6
        mask[1] = False
        student, teacher = (random(int(mask.sum()), K, seed=seed).requires_grad_() for seed in (10 + step, 20 + step))
        temperature = 0.04 + 0.01 * step
        mine, _ = hidden_patches(
            student, teacher, center, mask.flatten(1), student_temperature=0.1, teacher_temperature=temperature
        )
        expected = theirs(teacher.detach(), student, mask, teacher_temp=temperature)
        assert_same(mine, expected, student)
        assert torch.autograd.grad(mine, teacher, allow_unused=True)[0] is None
        center = 0.9 * center + 0.1 * teacher.detach().mean(dim=0)
        torch.testing.assert_close(center, theirs.center.value[0])


def test_each_image_counts_the_same_however_much_is_hidden_of_it() -> None:
    mask = torch.tensor([[True, True, True, False], [True, False, False, False], [False, False, False, False]])
    student, teacher, center = random(4, K, seed=0), random(4, K, seed=1), random(K, seed=2)
    value, entropy = hidden_patches(student, teacher, center, mask, student_temperature=0.3, teacher_temperature=0.2)
    q = torch.softmax((teacher - center) / 0.2, dim=1)
    each = -(q * torch.log_softmax(student / 0.3, dim=1)).sum(dim=1)
    torch.testing.assert_close(value, (each[:3].mean() + each[3] + 0) / 3)
    torch.testing.assert_close(entropy, torch.special.entr(q).sum(dim=1).mean())


def test_nothing_hidden_costs_nothing() -> None:
    student, nothing = torch.empty(0, K, requires_grad=True), torch.zeros(2, 4, dtype=torch.bool)
    value, entropy = hidden_patches(
        student, torch.empty(0, K), torch.zeros(K), nothing, student_temperature=0.1, teacher_temperature=0.04
    )
    assert (value.item(), entropy.item()) == (0, 0)
    value.backward()  # type: ignore[no-untyped-call]


def test_most_alike_is_the_largest_cosine() -> None:
    z, others = random(3, 4, 5, seed=0), random(3, 6, 5, seed=1)
    found = most_alike(z, others)
    for image in range(3):
        for place in range(4):
            cosines = [float(F.cosine_similarity(z[image, place], other, dim=0)) for other in others[image]]
            assert found[image, place] == cosines.index(max(cosines))


def regions(counts: tuple[int, ...], *, seed: int, dim: int = K) -> list[Tensor]:
    return [random(3, count, dim, seed=seed + view).requires_grad_() for view, count in enumerate(counts)]


def test_matched_regions_are_a_slow_loops() -> None:
    student, teacher = regions((4, 4, 2), seed=0), regions((4, 4), seed=10)
    center = 0.1 * random(K, seed=3)
    mine, theirs = regions((4, 4, 2), seed=20, dim=5), regions((4, 4), seed=30, dim=5)
    pairs = [(seen, view) for seen in range(2) for view in range(3) if seen != view]
    matches = {(seen, view): most_alike(mine[view], theirs[seen]) for seen, view in pairs}
    value, entropy = matched_regions(
        student, teacher, matches, center, student_temperature=0.1, teacher_temperature=0.05
    )
    losses = []
    for seen, view in pairs:
        for image in range(3):
            for place in range(len(student[view][image])):
                match = int(F.cosine_similarity(mine[view][image, place], theirs[seen][image], dim=1).argmax())
                q = torch.softmax((teacher[seen][image, match].detach() - center) / 0.05, dim=0)
                log = torch.log_softmax(student[view][image, place] / 0.1, dim=0)
                losses.append((-(q * log).sum(), 1 / (len(pairs) * 3 * student[view].shape[1])))
    assert_same(value, torch.stack([loss * weight for loss, weight in losses]).sum(), *student)
    assert all(one is None for one in torch.autograd.grad(value, teacher, allow_unused=True))
    every = torch.cat([torch.softmax((one.detach() - center) / 0.05, dim=2) for one in teacher])
    torch.testing.assert_close(entropy, torch.special.entr(every).sum(dim=2).mean())


def test_one_region_per_view_is_dino() -> None:
    student, teacher, center = regions((1, 1, 1), seed=0), regions((1, 1), seed=5), 0.2 * random(K, seed=9)
    only = torch.zeros(3, 1, dtype=torch.long)
    matches = {(seen, view): only for seen in range(2) for view in range(3) if seen != view}
    temperatures = {"student_temperature": 0.1, "teacher_temperature": 0.04}
    mine = matched_regions(student, teacher, matches, center, **temperatures)
    whole = dino([one[:, 0] for one in student], [one[:, 0] for one in teacher], center, **temperatures)
    assert_same(mine[0], whole[0], *student)
    torch.testing.assert_close(mine[1], whole[1])


def test_even_answers_cost_the_logarithm_of_the_prototypes() -> None:
    even = torch.zeros(3, 4, K)
    matches = {(0, 1): torch.zeros(3, 4, dtype=torch.long)}
    value, entropy = matched_regions(
        [even, even], [even], matches, torch.zeros(K), student_temperature=0.1, teacher_temperature=0.04
    )
    torch.testing.assert_close(torch.stack((value, entropy)), torch.full((2,), math.log(K)))
