import torch
import torch.nn.functional as F
from lightly.loss import NegativeCosineSimilarity

from tests.unit.method.losses.oracle import assert_same, pair
from workbench.method.losses.distillation import byol, negative_cosine


def test_negative_cosine_is_lightlys() -> None:
    p, z = pair()
    assert_same(negative_cosine(p, z), NegativeCosineSimilarity()(p, z.detach()), p)
    assert torch.autograd.grad(negative_cosine(p, z), z, allow_unused=True)[0] is None


def test_byol_is_the_squared_distance_of_unit_vectors() -> None:
    p, z = pair()
    distance = (F.normalize(p, dim=1) - F.normalize(z.detach(), dim=1)).square().sum(dim=1).mean()
    assert_same(byol(p, z), distance, p)
