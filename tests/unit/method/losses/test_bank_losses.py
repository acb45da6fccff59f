import math

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import NTXentLoss

from tests.unit.method.losses.oracle import assert_same, pair
from workbench.method.losses.bank import bank_nce, bank_softmax
from workbench.method.memory import Bank


@pytest.fixture
def bank() -> Bank:
    torch.manual_seed(5)
    return Bank(11, 5)


def test_softmax_over_the_bank_is_a_classifier_with_one_class_per_image(bank: Bank) -> None:
    z, _ = pair()
    indices = torch.tensor([3, 0, 10, 7, 4, 1])
    mine = bank_softmax(z, *bank.beside(indices, torch.arange(11)), temperature=0.2)
    assert_same(mine, F.cross_entropy(F.normalize(z, dim=1) @ bank.vectors.T / 0.2, indices), z)


def test_softmax_over_drawn_others_is_lightlys_against_its_memory(bank: Bank) -> None:
    z, _ = pair()
    indices, drawn = torch.arange(6), torch.tensor([8, 6, 10, 9])
    theirs = NTXentLoss(temperature=0.2, memory_bank_size=(4, 5))
    theirs.memory_bank.bank = bank.vectors[drawn].clone()
    mine = bank_softmax(z, *bank.beside(indices, drawn), temperature=0.2)
    assert_same(mine, theirs(z, bank.vectors[indices]), z)


def test_nce_is_the_papers_sum_and_leaves_the_own_vector_out(bank: Bank) -> None:
    z, _ = pair(rows=3)
    indices, drawn = torch.tensor([2, 9, 5]), torch.tensor([9, 1, 4, 4, 2])
    total = z.new_zeros(())
    for row in range(3):
        unit = z[row] / z[row].norm()
        others = [bank.vectors[j] for j in drawn if j != indices[row]]
        mass = torch.stack([torch.exp(unit @ other / 0.3) for other in others]).sum()

        def h(vector: torch.Tensor, unit: torch.Tensor = unit, mass: torch.Tensor = mass) -> torch.Tensor:
            return torch.exp(unit @ vector / 0.3) / (torch.exp(unit @ vector / 0.3) + mass)

        total = total - torch.log(h(bank.vectors[indices[row]]))
        total = total - torch.stack([torch.log(1 - h(other)) for other in others]).sum()
    assert_same(bank_nce(z, *bank.beside(indices, drawn), temperature=0.3), total / 3, z)


def test_a_collapse_stands_at_chance() -> None:
    same = F.normalize(torch.ones(9, 4), dim=1)
    none = torch.zeros(2, 9, dtype=torch.bool)
    assert bank_softmax(same[:2], same[:2], same, none, temperature=0.1).item() == pytest.approx(math.log(10))
    chance = math.log(10) + 9 * math.log(1 + 1 / 9)
    assert bank_nce(same[:2], same[:2], same, none, temperature=0.1).item() == pytest.approx(chance)
