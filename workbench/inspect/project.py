"""Embeddings as points on a plane: PCA at once, UMAP where there is time."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.runs.folder import RunFolder
from workbench.runs.snapshot import read_snapshot, write_layout
from workbench.spec.errors import DataError
from workbench.spec.progress import Report, ignore

_CHUNK_ROWS = 16_384
_FEWEST_FOR_UMAP = 5
_MOST_EXACT = 30_000
_NEAREST_ROWS = 1024
_SEED = 0


def pca(embeddings: NDArray[np.float32], dims: int = 2) -> NDArray[np.float32]:
    """The principal components with the largest variance, (N, dims), centered. Constant directions are zeros.

    Each component's sign is the one that makes its largest loading positive, so that the map of the
    next epoch is not mirrored by chance.
    """
    count, width = embeddings.shape
    positions = np.zeros((count, dims), dtype=np.float32)
    if count < 2:
        return positions
    mean = embeddings.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((width, width))
    for start in range(0, count, _CHUNK_ROWS):
        rows = embeddings[start : start + _CHUNK_ROWS] - mean
        covariance += rows.T @ rows
    if not np.isfinite(covariance).all():
        raise DataError("The embeddings hold values that are not finite.", hint="Show another epoch.")
    variances, axes = np.linalg.eigh(covariance)
    order = np.argsort(variances)[::-1][:dims]
    axes = axes[:, order] * (variances[order] > 0)
    strongest = axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])]
    axes = axes * np.where(strongest < 0, -1.0, 1.0)
    for start in range(0, count, _CHUNK_ROWS):
        rows = embeddings[start : start + _CHUNK_ROWS] - mean
        positions[start : start + _CHUNK_ROWS, : axes.shape[1]] = rows @ axes
    return positions


def project_run(
    run: RunFolder, *, epoch: int, neighbors: int = 15, min_distance: float = 0.1, report: Report = ignore
) -> NDArray[np.float32]:
    """The UMAP of a run's snapshot, (N, 2) in its order; kept in the run folder. Raises `NotFoundError`."""
    snapshot = read_snapshot(run.snapshot_file(epoch))
    positions = umap_layout(snapshot.embeddings, neighbors=neighbors, min_distance=min_distance, report=report)
    write_layout(run.layout_file(epoch, "umap"), positions, snapshot.indices)
    return positions


def umap_layout(
    embeddings: NDArray[np.float32], *, neighbors: int = 15, min_distance: float = 0.1, report: Report = ignore
) -> NDArray[np.float32]:
    """UMAP by the angle between embeddings (McInnes et al. 2018), (N, 2); the same input gives the same map.

    It starts from the PCA, so that what is far apart there stays so. Fewer than five points have no
    neighborhoods worth the name: they get their PCA. `report` gives the epochs of the layout.
    """
    if not np.isfinite(embeddings).all():
        raise DataError("The embeddings hold values that are not finite.", hint="Show another epoch.")
    if len(embeddings) < _FEWEST_FOR_UMAP:
        return pca(embeddings)
    with _threads_left_alone():
        return _layout(embeddings, neighbors=neighbors, min_distance=min_distance, report=report)


@contextmanager
def _threads_left_alone() -> Iterator[None]:
    """Numba's parallel loops leave OpenMP with their number of threads, and torch's sums would depend on it."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _layout(
    embeddings: NDArray[np.float32], *, neighbors: int, min_distance: float, report: Report
) -> NDArray[np.float32]:
    report("loading UMAP", 0, 0)
    umap_ = _load_umap()
    from sklearn.utils import check_random_state

    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = (embeddings / np.maximum(norms, 1e-12)).astype(np.float32)
    near = max(2, min(neighbors, len(unit) - 1))
    random = check_random_state(_SEED)
    nearest, distances = _nearest(unit, near, umap_, random, report)
    # On unit vectors the Euclidean order is that of the angle, and zero vectors do no harm.
    graph, _, _ = umap_.fuzzy_simplicial_set(unit, near, random, "euclidean", knn_indices=nearest, knn_dists=distances)
    report("laying out", 0, 0)
    a, b = umap_.find_ab_params(1.0, min_distance)
    epochs = 500 if len(unit) <= 10_000 else 200
    positions, _ = umap_.simplicial_set_embedding(
        unit,
        graph,
        2,
        initial_alpha=1.0,
        a=a,
        b=b,
        gamma=1.0,
        negative_sample_rate=5,
        n_epochs=epochs,
        init=_start(unit),
        random_state=random,
        metric="euclidean",
        metric_kwds={},
        densmap=False,
        densmap_kwds={},
        output_dens=False,
        parallel=False,
        tqdm_kwds=_telling(report, epochs),
    )
    report("laying out", epochs, epochs)
    return np.ascontiguousarray(positions, dtype=np.float32)


def _load_umap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # That TensorFlow is missing concerns only ParametricUMAP.
        from umap import layouts, umap_
    # Compiling these takes ten seconds, each time anew unless numba may keep them.
    for module, name in (
        (umap_, "smooth_knn_dist"),
        (umap_, "compute_membership_strengths"),
        (layouts, "_nb_optimize_layout_euclidean_single_epoch"),
    ):
        keep = getattr(getattr(module, name, None), "enable_caching", None)
        if keep is not None:
            keep()
    return umap_


def _nearest(
    unit: NDArray[np.float32], near: int, umap_: Any, random: Any, report: Report
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The nearest rows of each, itself first: (N, near) places and distances. Exact up to 30,000 rows."""
    count = len(unit)
    if count > _MOST_EXACT:
        report("finding neighbors", 0, 0)
        places, distances, _ = umap_.nearest_neighbors(unit, near, "euclidean", {}, False, random)
        return places, distances
    places = np.empty((count, near), dtype=np.int64)
    distances = np.empty((count, near), dtype=np.float32)
    for start in range(0, count, _NEAREST_ROWS):
        report("finding neighbors", start, count)
        stop = min(start + _NEAREST_ROWS, count)
        cosine = unit[start:stop] @ unit.T
        cosine[np.arange(stop - start), np.arange(start, stop)] = np.inf
        found = np.argpartition(-cosine, near - 1, axis=1)[:, :near]
        values = np.take_along_axis(cosine, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        places[start:stop] = np.take_along_axis(found, order, axis=1)
        ranked = np.take_along_axis(values, order, axis=1)
        distances[start:stop] = np.sqrt(np.maximum(2 - 2 * np.minimum(ranked, 1.0), 0.0))
    return places, distances


def _start(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """The PCA at UMAP's scale (10), with enough noise that equal points can part."""
    positions = pca(unit)
    spread = float(np.abs(positions).max())
    noise = np.random.default_rng(_SEED).normal(scale=1e-4, size=positions.shape)
    return (positions * (10.0 / spread if spread > 0 else 1.0) + noise).astype(np.float32)


class _Epochs:
    """A file for UMAP's progress bar: each line that it draws becomes a report, which may raise `Cancelled`."""

    def __init__(self, report: Report, total: int) -> None:
        self._report = report
        self._total = total

    def write(self, text: str) -> int:
        """One drawing of the bar, whose format is the bare count."""
        count = re.search(r"\d+", text)
        if count:
            self._report("laying out", int(count.group()), self._total)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def _telling(report: Report, epochs: int) -> dict[str, Any]:
    return {"disable": False, "file": _Epochs(report, epochs), "bar_format": "{n}", "mininterval": 0.05, "leave": False}
