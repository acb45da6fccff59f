"""Sinkhorn, k-means, neighbors and prototypes, against slow loops."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from lightly.loss.swav_loss import sinkhorn as lightlys
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from workbench.method.kmeans import spherical_kmeans
from workbench.method.neighbors import nearest_neighbors
from workbench.method.prototypes import Prototypes, clusters_used, doubt, fitting_count, information
from workbench.method.sinkhorn import balanced_labels, sinkhorn


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("iterations", [1, 3, 10])
@pytest.mark.parametrize("epsilon", [0.05, 0.5])
def test_sinkhorn_is_lightlys(iterations: int, epsilon: float) -> None:
    cosines = torch.tanh(noise(12, 5))
    mine = sinkhorn(cosines, epsilon=epsilon, iterations=iterations)
    theirs = lightlys(cosines, iterations=iterations, epsilon=epsilon)
    torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_sinkhorn_in_the_end_uses_all_clusters_evenly_whatever_the_scores() -> None:
    cosines = noise(60, 6)
    cosines[:, 2] += 40  # all prefer one; exp(40 / 0.05) is no number.
    q = sinkhorn(cosines, epsilon=0.05, iterations=2000)
    torch.testing.assert_close(q.sum(dim=1), torch.ones(60))
    torch.testing.assert_close(q.sum(dim=0), torch.full((6,), 10.0), rtol=0.02, atol=0.02)


def test_balanced_labels_are_the_best_of_all_equal_divisions() -> None:
    logits = 2 * noise(6, 3)
    labels, left = balanced_labels(logits, sharpness=25.0, tolerance=1e-3)
    assert left < 1e-3
    score = torch.log_softmax(logits, dim=1)
    divisions = (one for one in itertools.product(range(3), repeat=6) if all(one.count(k) == 2 for k in range(3)))
    best = max(divisions, key=lambda one: sum(score[row, k].item() for row, k in enumerate(one)))
    assert labels.tolist() == list(best)


def test_balanced_labels_fill_a_cluster_that_nobody_prefers() -> None:
    logits = noise(400, 4)
    logits[:, 3] -= 30
    labels, left = balanced_labels(logits, sharpness=10.0)
    assert left < 0.01
    assert torch.bincount(labels, minlength=4).tolist() == pytest.approx([100] * 4, abs=8)


def slow_kmeans(z: Tensor, centroids: Tensor, iterations: int) -> tuple[Tensor, list[int]]:
    def nearest() -> list[int]:
        return [max(range(len(centroids)), key=lambda k: float(row @ centroids[k])) for row in z]

    own = nearest()
    for _ in range(iterations):
        for k in range(len(centroids)):
            members = [row for row, label in zip(z, own, strict=True) if label == k]
            total = torch.stack(members).sum(dim=0)
            centroids[k] = total / total.norm()
        own = nearest()
    return centroids, own


def test_spherical_kmeans_is_the_slow_loop() -> None:
    z = noise(80, 4)
    centroids, labels = spherical_kmeans(3 * z, 5, iterations=6, generator=torch.Generator().manual_seed(3))
    unit = F.normalize(z, dim=1)
    first = torch.randperm(80, generator=torch.Generator().manual_seed(3))[:5]
    expected, own = slow_kmeans(unit, unit[first].clone(), 6)
    torch.testing.assert_close(centroids, expected, rtol=1e-5, atol=1e-6)
    assert labels.tolist() == own


def test_spherical_kmeans_is_drawn_by_its_generator_alone_and_gets_better() -> None:
    z = noise(500, 6)

    def cluster(seed: int, iterations: int) -> tuple[Tensor, float]:
        generator = torch.Generator().manual_seed(seed)
        centroids, labels = spherical_kmeans(z, 10, iterations=iterations, generator=generator)
        return labels, (F.normalize(z, dim=1) * centroids[labels]).sum().item()

    torch.rand(7)
    assert torch.equal(cluster(1, 5)[0], cluster(1, 5)[0])
    assert not torch.equal(cluster(1, 5)[0], cluster(2, 5)[0])
    fits = [cluster(1, iterations)[1] for iterations in range(6)]
    assert fits == sorted(fits)


def test_no_cluster_stays_empty_while_vectors_differ() -> None:
    z = torch.cat((noise(4, 3), torch.tensor([[1.0, 0.0, 0.0]]).expand(96, 3)))
    _, labels = spherical_kmeans(z, 5, iterations=10, generator=torch.Generator().manual_seed(0))
    assert sorted(torch.bincount(labels, minlength=5).tolist()) == [1, 1, 1, 1, 96]


def test_neighbors_are_scikit_learns() -> None:
    z = noise(60, 5)
    theirs = NearestNeighbors(n_neighbors=7, metric="cosine").fit(z.numpy()).kneighbors(return_distance=False)
    assert nearest_neighbors(z, 7).tolist() == theirs.tolist()


def test_prototypes_stay_on_the_sphere_and_may_be_held() -> None:
    prototypes = Prototypes(6, 4)
    z = noise(10, 4)
    torch.testing.assert_close(prototypes(7 * z), F.cosine_similarity(z[:, None], prototypes.weight[None], dim=2))
    before = prototypes.weight.detach().clone()
    optimizer = torch.optim.SGD(prototypes.parameters(), lr=1.0, momentum=0.9, weight_decay=0.1)
    for frozen in (True, False):
        prototypes(z).square().sum().backward()
        if frozen:
            prototypes.freeze()
        optimizer.step()
        prototypes.project()
        assert torch.allclose(before, prototypes.weight, rtol=0, atol=1e-6) == frozen
    torch.testing.assert_close(prototypes.weight.norm(dim=1), torch.ones(6))


def test_figures_tell_one_cluster_from_many_and_doubt_from_choice() -> None:
    one = F.one_hot(torch.zeros(8, dtype=torch.long), 4).float()
    each = F.one_hot(torch.arange(8) % 4, 4).float()
    even = torch.full((8, 4), 0.25)
    assert [clusters_used(rows).item() for rows in (one, each, even)] == pytest.approx([1, 4, 4])
    assert [doubt(rows).item() for rows in (one, each, even)] == pytest.approx([0, 0, 1])
    assert [information(rows).item() for rows in (one, each, even)] == pytest.approx([0, math.log(4), 0], abs=1e-6)
    half = torch.tensor([[0.5, 0.5, 0, 0]])
    assert doubt(half).item() == pytest.approx(math.log(2) / math.log(4))


def test_there_are_never_more_clusters_than_a_share_of_the_images() -> None:
    assert [fitting_count(3000, images) for images in (1_000_000, 2000, 5)] == [3000, 200, 2]
