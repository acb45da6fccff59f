import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from workbench.inspect import project
from workbench.inspect.project import pca, umap_layout
from workbench.spec.errors import Cancelled, DataError
from workbench.spec.progress import ignore


def clusters(count: int, width: int = 12, groups: int = 3) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    generator = np.random.default_rng(7)
    labels = generator.integers(0, groups, count)
    rows = 6 * np.eye(width)[labels] + generator.normal(scale=0.3, size=(count, width))
    return rows.astype(np.float32), labels


def test_pca_is_scikit_learns_up_to_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.inspect.project._CHUNK_ROWS", 17)
    rows = np.random.default_rng(0).normal(size=(100, 6)) * [9, 5, 3, 1, 1, 1] + 4
    oracle = PCA(3).fit_transform(rows)
    ours = pca(rows.astype(np.float32), 3)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(np.abs(ours), np.abs(oracle), atol=2e-3)


def test_pca_keeps_its_sign_from_epoch_to_epoch() -> None:
    rows, _ = clusters(80)
    moved = rows + np.random.default_rng(1).normal(scale=0.01, size=rows.shape).astype(np.float32)
    np.testing.assert_allclose(pca(rows), pca(moved), atol=0.2)


@pytest.mark.parametrize("shape", [(0, 4), (1, 4), (2, 4), (9, 1)])
def test_pca_of_little_is_padded_with_zeros(shape: tuple[int, int]) -> None:
    positions = pca(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    assert positions.shape == (shape[0], 2)
    assert np.isfinite(positions).all()


def test_pca_of_equal_rows_is_the_origin() -> None:
    np.testing.assert_array_equal(pca(np.ones((5, 3), np.float32)), np.zeros((5, 2)))


def test_what_is_not_finite_is_refused_in_words() -> None:
    rows = np.full((8, 3), np.nan, np.float32)
    with pytest.raises(DataError, match="not finite"):
        pca(rows)
    with pytest.raises(DataError, match="not finite"):
        umap_layout(rows)


@pytest.mark.slow
def test_umap_parts_clusters_and_tells_its_epochs() -> None:
    rows, labels = clusters(90)
    told: list[tuple[str, int, int]] = []
    positions = umap_layout(rows, neighbors=10, report=lambda *words: told.append(words))
    assert positions.shape == (90, 2)
    assert positions.dtype == np.float32
    centers = np.stack([positions[labels == group].mean(axis=0) for group in range(3)])
    nearest = np.linalg.norm(positions[:, None] - centers, axis=2).argmin(axis=1)
    assert (nearest == labels).mean() > 0.95
    phases = list(dict.fromkeys(what for what, _, _ in told))
    assert phases == ["loading UMAP", "finding neighbors", "laying out"]
    counts = [done for what, done, total in told if what == "laying out" and total == 500]
    assert counts == sorted(counts)
    assert counts[-1] == 500
    np.testing.assert_array_equal(positions, umap_layout(rows, neighbors=10))


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, 4, 5, 8])
def test_umap_of_few_points(count: int) -> None:
    rows, _ = clusters(count)
    positions = umap_layout(rows, neighbors=15)
    assert positions.shape == (count, 2)
    assert np.isfinite(positions).all()


@pytest.mark.slow
def test_umap_of_equal_points() -> None:
    positions = umap_layout(np.zeros((12, 4), np.float32))
    assert np.isfinite(positions).all()


def test_nearest_rows_are_scikit_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "_NEAREST_ROWS", 13)
    rows = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    places, distances = project._nearest(rows, 5, None, None, ignore)
    far, expected = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(rows).kneighbors(rows)
    np.testing.assert_array_equal(places, expected)
    np.testing.assert_allclose(distances, far, atol=1e-3)


@pytest.mark.slow
def test_umap_stops_between_epochs() -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what == "laying out" and done > 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        umap_layout(clusters(60)[0], report=stop)
