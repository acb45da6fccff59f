"""How well clusters that a method has found match the labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix


@dataclass(frozen=True, kw_only=True)
class Match:
    """accuracy: share of images whose cluster stands for their class, each cluster for one class and each class for
    one cluster, as they fit best (the Hungarian method; Xie et al. 2016, eq. 9). nmi: mutual information over the mean
    of the two entropies. ari: pairs of images that are together or apart in both, 0 by chance. used: clusters with
    at least one image.
    """

    accuracy: float
    nmi: float
    ari: float
    used: int


def match(clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> Match:
    """Compares two divisions (n,) of the same n >= 1 images. With more clusters than classes some stand for none."""
    counts = contingency_matrix(labels, clusters)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return Match(
        accuracy=float(counts[rows, columns].sum() / len(labels)),
        nmi=float(normalized_mutual_info_score(labels, clusters)),
        ari=float(adjusted_rand_score(labels, clusters)),
        used=counts.shape[1],
    )
