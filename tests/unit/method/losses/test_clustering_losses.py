import math

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import SwaVLoss
from torch import Tensor

from tests.unit.method.losses.oracle import assert_same, pair
from workbench.method.losses.clustering import scan, self_labeling, swapped_prediction
from workbench.method.sinkhorn import sinkhorn


def scores(count: int, *, rows: int = 12, columns: int = 5) -> list[Tensor]:
    generator = torch.Generator().manual_seed(count)
    return [(torch.rand(rows, columns, generator=generator) * 2 - 1).requires_grad_() for _ in range(count)]


@pytest.mark.parametrize("local", [0, 3])
@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_swapped_prediction_is_lightlys(local: int, temperature: float) -> None:
    views = scores(2 + local)
    targets = [sinkhorn(one, epsilon=0.05, iterations=3) for one in views[:2]]
    theirs = SwaVLoss(temperature=temperature)(views[:2], views[2:])
    assert_same(swapped_prediction(views, targets, temperature=temperature), theirs.squeeze(), *views)


def test_swapped_prediction_with_a_queue_is_lightlys() -> None:
    views, past = scores(2), [one.detach() for one in scores(4, rows=20)[2:]]
    targets = [
        sinkhorn(torch.cat((one, queued)), epsilon=0.05, iterations=3)[: len(one)]
        for one, queued in zip(views, past, strict=True)
    ]
    theirs = SwaVLoss()(views, [], past)
    assert_same(swapped_prediction(views, targets, temperature=0.1), theirs.squeeze(), *views)


def test_swapped_prediction_of_uniform_assignments_is_ln_of_the_prototypes() -> None:
    flat = [torch.zeros(6, 7)] * 2
    targets = [sinkhorn(one, epsilon=0.05, iterations=3) for one in flat]
    assert swapped_prediction(flat, targets, temperature=0.1).item() == pytest.approx(math.log(7))


def test_scan_is_the_papers_sum() -> None:
    logits, neighbors = pair()
    p, q = logits.softmax(dim=1), neighbors.softmax(dim=1)
    agreement = torch.stack([torch.dot(one, other) for one, other in zip(p, q, strict=True)])
    mean = p.mean(dim=0)
    slow = -agreement.log().mean() - 5 * -(mean * mean.log()).sum()
    consistency, entropy = scan(logits, neighbors)
    assert_same(consistency - 5 * entropy, slow, logits, neighbors)


def test_scan_of_one_cluster_is_nothing_and_of_no_opinion_ln_of_the_clusters() -> None:
    one = torch.tensor([[200.0, 0.0, 0.0]]).expand(4, 3)
    assert [value.item() for value in scan(one, one)] == [0.0, 0.0]
    even = torch.zeros(4, 3)
    assert [value.item() for value in scan(even, even)] == pytest.approx([math.log(3)] * 2)


def test_self_labeling_learns_from_sure_images_and_weighs_clusters_alike() -> None:
    sure = torch.tensor([[9.0, 0, 0], [9, 0, 0], [9, 0, 0], [0, 9, 0], [1, 0, 0]])
    strong = pair(rows=5, columns=3)[0]
    losses = F.cross_entropy(strong, torch.tensor([0, 0, 0, 1, 0]), reduction="none")
    slow = (losses[:3].mean() + losses[3]) / 2
    value, share = self_labeling(sure, strong, confidence=0.99)
    assert_same(value, slow, strong)
    assert share.item() == pytest.approx(0.8)
    weights = torch.tensor([1 / 3, 1.0, 1.0])  # as a cross-entropy with weights of classes takes its mean.
    weighted = F.cross_entropy(strong[:4], torch.tensor([0, 0, 0, 1]), weight=weights)
    torch.testing.assert_close(value, weighted)


def test_self_labeling_of_doubtful_images_is_zero_and_still_has_a_gradient() -> None:
    weak, strong = pair(columns=3)
    value, share = self_labeling(weak, strong, confidence=0.999)
    assert (value.item(), share.item()) == (0, 0)
    assert torch.autograd.grad(value, strong)[0].abs().sum() == 0
