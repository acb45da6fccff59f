import math

import pytest
import torch
from lightly.loss import LeJEPALoss

from tests.unit.method.losses.oracle import assert_same
from workbench.method.losses.sigreg import random_directions, sigreg, sigreg_of_a_point, to_the_center


def test_lejepa_is_lightlys(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    views = torch.randn(5, 12, 6, generator=generator).requires_grad_()
    directions = random_directions(6, 30, generator)
    theirs = LeJEPALoss(lambda_param=0.1, sigreg_num_vectors=30)
    monkeypatch.setattr(theirs.sigreg, "_generate_unit_vectors", lambda *_: directions)
    normal = torch.stack([sigreg(view, directions) for view in views]).mean()
    mine = 0.1 * normal + 0.9 * to_the_center(views, 2)
    assert_same(mine, theirs(global_proj=views[:2], local_proj=views[2:]), views)


def test_epps_pulley_is_the_integral_of_the_difference_of_characteristic_functions() -> None:
    z = torch.tensor([[-1.0], [0.2], [2.0]])
    total, step = 0.0, 1e-3
    for k in range(-3000, 3001):
        t = k * step
        value = sum(complex(math.cos(t * x), math.sin(t * x)) for x in z[:, 0].tolist()) / 3
        total += abs(value - math.exp(-t * t / 2)) ** 2 * math.exp(-t * t / 2) * step
    assert sigreg(z, torch.ones(1, 1), knots=401).item() == pytest.approx(3 * total, rel=1e-3)


def test_a_normal_distribution_is_far_below_a_point() -> None:
    generator = torch.Generator().manual_seed(0)
    directions = random_directions(8, 64, generator)
    torch.testing.assert_close(directions.norm(dim=0), torch.ones(64))
    normal = sigreg(torch.randn(500, 8, generator=generator), directions)
    point = sigreg(torch.zeros(500, 8), directions)
    assert point.item() == pytest.approx(sigreg_of_a_point(500), rel=1e-5)
    assert normal < 0.02 * point
