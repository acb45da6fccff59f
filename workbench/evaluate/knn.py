"""Weighted nearest neighbors by cosine: the probe that has nothing to tune (Wu et al. 2018, section 3.4)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.spec.progress import Report, ignore

_CHUNK_ELEMENTS = 16_000_000
"""Similarities held at a time: 64 MB in float32."""


def knn_predict(
    train: NDArray[np.float32],
    labels: NDArray[np.int64],
    test: NDArray[np.float32],
    *,
    k: int,
    temperature: float = 0.07,
    device: torch.device | None = None,
    report: Report = ignore,
) -> NDArray[np.int64]:
    """The class of each test row, by the votes of its `k` nearest train rows, each exp(cosine / temperature).

    train: (n, d), labels: (n,) class numbers from 0, test: (m, d); embeddings of any norm. Returns (m,).
    Where there are fewer than `k` train rows, all of them vote. Equal votes give the lower class.
    """
    if len(train) == 0:
        raise ValueError("kNN needs at least one train row")
    neighbors = _unit(train, device)
    classes = torch.from_numpy(np.ascontiguousarray(labels, dtype=np.int64)).to(neighbors.device)
    count = int(classes.max()) + 1
    near = min(k, len(train))
    rows = max(1, _CHUNK_ELEMENTS // len(train))
    predictions = np.empty(len(test), dtype=np.int64)
    for start in range(0, len(test), rows):
        report("comparing with neighbors", start, len(test))
        similarity = _unit(test[start : start + rows], device) @ neighbors.T
        votes = _votes(similarity, classes, near=near, count=count, temperature=temperature)
        predictions[start : start + rows] = votes.argmax(dim=1).cpu().numpy()
    return predictions


def _votes(similarity: Tensor, classes: Tensor, *, near: int, count: int, temperature: float) -> Tensor:
    cosine, place = similarity.topk(near, dim=1)
    # A common factor per row changes no vote, and keeps exp finite at small temperatures.
    weight = ((cosine - cosine[:, :1]) / temperature).exp()
    votes = torch.zeros(len(similarity), count, dtype=weight.dtype, device=weight.device)
    return votes.scatter_add_(1, classes[place], weight)


def _unit(rows: NDArray[np.float32], device: torch.device | None) -> Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32)).to(device or torch.device("cpu"))
    return torch.nn.functional.normalize(tensor, dim=1)
