"""Clusters against labels: by hand, and by trying every way to name them."""

import itertools

import numpy as np
import pytest

from workbench.evaluate.clusters import match


def test_names_of_clusters_do_not_matter() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    found = match(np.array([7, 7, 2, 2, 4, 4]), labels)
    assert (found.accuracy, found.nmi, found.ari, found.used) == pytest.approx((1.0, 1.0, 1.0, 3))


def test_one_cluster_for_all_says_nothing() -> None:
    found = match(np.zeros(6, np.int64), np.array([0, 0, 1, 1, 1, 2]))
    assert (found.accuracy, found.nmi, found.ari, found.used) == pytest.approx((0.5, 0.0, 0.0, 1))


@pytest.mark.parametrize("clusters", [2, 4, 6])
def test_accuracy_is_that_of_the_best_naming(clusters: int) -> None:
    draw = np.random.default_rng(clusters)
    labels, found = draw.integers(0, 4, 60), draw.integers(0, clusters, 60)
    names = [*range(4), *[-1] * clusters]  # a cluster may stand for no class.
    best = max(np.mean(np.array(naming)[found] == labels) for naming in itertools.permutations(names, clusters))
    assert match(found, labels).accuracy == pytest.approx(best)
