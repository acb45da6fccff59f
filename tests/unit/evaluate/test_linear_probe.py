import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from workbench.evaluate.baseline import pixel_features
from workbench.evaluate.linear import STRENGTHS, choose_strength, fit, linear_probe, place_for
from workbench.spec.errors import Cancelled


def data(count: int, *, signal: float = 1.0, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, count)
    rows = signal * np.eye(10)[labels] + generator.normal(size=(count, 10))
    return (rows * np.linspace(0.1, 30, 10) + 5).astype(np.float32), labels * 3 + 2


@pytest.mark.parametrize("strength", [1.0, 1e-2, 1e-4])
def test_a_fit_is_scikit_learns(strength: float) -> None:
    train, labels = data(300)
    test, _ = data(200, seed=1)
    scaler = StandardScaler().fit(train.astype(np.float64))
    oracle = LogisticRegression(C=1 / (len(train) * strength), max_iter=10_000, tol=1e-8)
    oracle.fit(scaler.transform(train), labels)
    model = fit(train, labels, strength=strength)
    np.testing.assert_array_equal(model.classes, oracle.classes_)
    np.testing.assert_allclose(model.weights.numpy(), oracle.coef_, atol=5e-3, rtol=2e-2)
    same = model.predict(test) == oracle.predict(scaler.transform(test))
    assert same.mean() > 0.99


def test_the_penalty_is_chosen_by_what_was_held_out() -> None:
    generator = np.random.default_rng(3)
    noise = generator.normal(size=(80, 400)).astype(np.float32)
    labels = generator.integers(0, 2, 80)
    noise[:, 0] += 3 * labels
    assert choose_strength(noise, labels) in STRENGTHS[:4]
    clear, many = data(600, signal=6.0)
    predictions = linear_probe(clear, many, clear)
    assert (predictions == many).mean() > 0.97
    np.testing.assert_array_equal(predictions, linear_probe(clear, many, clear))


def test_constant_features_and_lonely_classes() -> None:
    train = np.ones((5, 3), np.float32)
    train[:, 1] = [0, 1, 2, 3, 4]
    assert choose_strength(train, np.arange(5)) == 1e-3
    predictions = linear_probe(train, np.array([0, 0, 0, 1, 7]), train)
    assert set(predictions.tolist()) <= {0, 1, 7}


def test_a_fit_can_be_stopped() -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what == "fitting the linear probe" and done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        linear_probe(*data(100), data(5)[0], report=stop)


@pytest.mark.parametrize(("side", "small"), [(8, 8), (16, 16), (20, 10), (64, 16), (100, 14)])
def test_pixels_are_means_over_squares(side: int, small: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3, side, side), dtype=np.uint8)
    features = pixel_features(pixels, np.array([4, 1]))
    assert features.shape == (2, 3 * small * small)
    factor = side // small
    first = pixels[4, 0, :factor, :factor].mean() / 255
    assert features[0, 0] == pytest.approx(first, abs=1e-5)


def test_only_much_work_goes_to_a_gpu() -> None:
    gpu, cpu = torch.device("cuda"), torch.device("cpu")
    assert place_for(50_000, 512, 10, gpu) == gpu
    assert place_for(8_000, 128, 10, gpu) == cpu
    assert place_for(50_000, 512, 10, cpu) == cpu
