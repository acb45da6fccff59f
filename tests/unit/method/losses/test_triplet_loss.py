import pytest
import torch
import torch.nn.functional as F

from tests.unit.method.losses.oracle import assert_same, pair
from workbench.method.losses.triplet import hardest, semi_hard, squared_distances, triplet


def test_triplet_is_the_papers_hinge() -> None:
    a, p = pair()
    chosen = torch.tensor([1, 2, 3, 4, 5, 0])
    anchors, others = F.normalize(a, dim=1), F.normalize(p, dim=1)
    total = a.new_zeros(())
    for row in range(6):
        nearer = (anchors[row] - others[row]).square().sum()
        farther = (anchors[row] - others[chosen[row]]).square().sum()
        total = total + F.relu(nearer - farther + 0.4)
    assert_same(triplet(squared_distances(a, p), chosen, margin=0.4), total / 6, a, p)


def test_triplet_of_a_collapse_is_the_margin() -> None:
    same = torch.ones(5, 3)
    distances = squared_distances(same, same)
    for chosen in (hardest(distances), semi_hard(distances)):
        assert triplet(distances, chosen, margin=0.2).item() == pytest.approx(0.2, abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_negatives_are_the_nearest_of_all_or_of_those_beyond_the_positive(seed: int) -> None:
    distances = squared_distances(*pair(rows=8, seed=seed)).detach()
    for row in range(8):
        others = [column for column in range(8) if column != row]
        beyond = [column for column in others if distances[row, column] > distances[row, row]]
        assert int(hardest(distances)[row]) == min(others, key=lambda column: float(distances[row, column]))
        nearest = min(beyond, key=lambda column: float(distances[row, column]), default=None)
        farthest = max(others, key=lambda column: float(distances[row, column]))
        assert int(semi_hard(distances)[row]) == (farthest if nearest is None else nearest)


def test_where_no_negative_is_beyond_the_positive_the_farthest_is_taken() -> None:
    distances = torch.tensor([[3.0, 1.0, 2.0], [0.5, 0.1, 0.3], [2.0, 1.0, 1.5]])
    assert semi_hard(distances).tolist() == [2, 2, 0]
