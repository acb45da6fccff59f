import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.neighbors import KNeighborsClassifier

from workbench.evaluate.interval import wilson
from workbench.evaluate.knn import knn_predict


@pytest.mark.parametrize(("correct", "total"), [(0, 1), (0, 40), (40, 40), (7, 10), (813, 1000), (1, 100_000)])
def test_wilson_is_scipys(correct: int, total: int) -> None:
    interval = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    assert wilson(correct, total) == pytest.approx((interval.low, interval.high), abs=1e-12)
    low, high = wilson(correct, total)
    assert 0.0 <= low <= correct / total <= high <= 1.0


def test_wilson_of_nothing_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(3, 2)


@pytest.mark.parametrize("k", [1, 5, 500])
@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_knn_is_scikit_learns(k: int, temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.evaluate.knn._CHUNK_ELEMENTS", 150 * 16)  # Several chunks.
    generator = np.random.default_rng(k)
    labels = generator.integers(0, 4, 150)
    train = (generator.normal(size=(150, 8)) + 0.7 * np.eye(8)[labels]).astype(np.float32)
    test = generator.normal(size=(60, 8)).astype(np.float32) * 3

    def weights(distances: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp((1 - distances) / temperature)

    oracle = KNeighborsClassifier(min(k, 150), metric="cosine", algorithm="brute", weights=weights)
    oracle.fit(train.astype(np.float64), labels)
    ours = knn_predict(train, labels, test, k=k, temperature=temperature)
    assert ours.dtype == np.int64
    np.testing.assert_array_equal(ours, oracle.predict(test.astype(np.float64)))


def test_knn_survives_tiny_temperatures_and_zero_rows() -> None:
    train = np.array([[1, 0], [0.99, 0.01], [0, 1], [0, 0]], np.float32)
    labels = np.array([2, 2, 0, 1])
    test = np.array([[1, 0], [0, 2]], np.float32)
    found = knn_predict(train, labels, test, k=20, temperature=1e-4)
    np.testing.assert_array_equal(found, [2, 0])
    assert len(knn_predict(train, labels, test[:0], k=1)) == 0
    with pytest.raises(ValueError, match="at least one"):
        knn_predict(train[:0], labels[:0], test, k=1)


def test_knn_on_a_named_device_is_the_same() -> None:
    generator = np.random.default_rng(0)
    train, test = generator.normal(size=(2, 40, 6)).astype(np.float32)
    labels = generator.integers(0, 3, 40)
    np.testing.assert_array_equal(
        knn_predict(train, labels, test, k=7, device=torch.device("cpu")), knn_predict(train, labels, test, k=7)
    )
