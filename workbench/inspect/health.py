"""The health of a representation, in numbers that need no labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SPECTRUM_POINTS = 512
_PAIRS = 2048
_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class HealthFigures:
    """values by name; spectrum: singular values over the largest, falling, at most 512; dim: d."""

    values: dict[str, float]
    spectrum: tuple[float, ...]
    dim: int


Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


def health(embeddings: NDArray[np.float32], pair: Pair | None = None) -> HealthFigures:
    """Figures of embeddings (N, d), any norm; `pair` is two views (M, d) of some images each.

    - embedding_std: deviation of a coordinate over the images, of unit-norm embeddings, averaged
      (Chen and He 2021, section 4.1); `embedding_std_healthy` is 1/sqrt(d), that of directions spread evenly.
    - rankme: exp of the entropy of the singular values (Garrido et al. 2023, eq. 1), from 1 to d.
    - effective_rank: the same of the centered embeddings (Roy and Vetterli 2007).
    - alpha_req: decay of the eigenvalues of the covariance, λ_i ~ i^-α (Agrawal et al. 2022); left out
      where fewer than four of them are above rounding.
    - mean_cosine: of pairs of different images; 1 is collapse.
    - uniformity: log of the mean Gaussian potential at t = 2 (Wang and Isola 2020); lower is more even.
    - alignment, where `pair` is given: mean squared distance of the two unit-norm views of an image.

    Needs at least 2 rows; `ValueError` otherwise, or where a value is not finite.
    """
    rows = np.asarray(embeddings, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 2:
        raise ValueError(f"health needs embeddings (N, d) of two images or more, not {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("the embeddings hold values that are not finite")
    unit = _unit(rows)
    raw = _singular_values(rows)
    centered = _singular_values(rows - rows.mean(axis=0))
    cosines = _cosines(unit)
    values = {
        "embedding_std": float(unit.std(axis=0).mean()),
        "embedding_std_healthy": float(1 / np.sqrt(rows.shape[1])),
        "rankme": _entropy_rank(raw),
        "effective_rank": _entropy_rank(centered),
        "mean_cosine": float(cosines.mean()),
        "uniformity": float(np.log(np.exp(-4 * (1 - cosines)).mean() + _TINY)),
    }
    decay = _decay(centered**2)
    if decay is not None:
        values["alpha_req"] = decay
    if pair is not None:
        first, second = (_unit(np.asarray(view, dtype=np.float64)) for view in pair)
        values["alignment"] = float(((first - second) ** 2).sum(axis=1).mean())
    return HealthFigures(values=values, spectrum=_spectrum(raw), dim=rows.shape[1])


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _TINY)
    return unit


def _singular_values(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Falling. From the smaller Gram matrix, which costs a tenth of a decomposition of all rows."""
    gram = rows.T @ rows if len(rows) >= rows.shape[1] else rows @ rows.T
    eigenvalues = np.linalg.eigvalsh(gram)[::-1]
    # Eigenvalues are exact to about 1e-16 of the largest: what is smaller is rounding.
    eigenvalues[eigenvalues < eigenvalues[0] * 1e-14] = 0.0
    singular: NDArray[np.float64] = np.sqrt(np.maximum(eigenvalues, 0.0))
    return singular


def _entropy_rank(singular: NDArray[np.float64]) -> float:
    total = singular.sum()
    if total <= _TINY:
        return 1.0  # All embeddings are the same point.
    share = singular / total
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def _decay(eigenvalues: NDArray[np.float64]) -> float | None:
    """Slope of log λ over log i, without the first and the smaller half, which follow no power law."""
    positive = eigenvalues[eigenvalues > max(eigenvalues[0] * 1e-10, _TINY)]
    last = min(len(positive), max(4, len(eigenvalues) // 2))
    if last < 4:
        return None
    index = np.arange(2, last + 1)
    return float(-np.polyfit(np.log(index), np.log(positive[1:last]), 1)[0])


def _cosines(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosines of pairs of different rows, of at most 2,048 of them, spread evenly."""
    chosen = unit[np.linspace(0, len(unit) - 1, min(len(unit), _PAIRS)).astype(np.int64)]
    products = chosen @ chosen.T
    upper: NDArray[np.float64] = products[np.triu_indices(len(chosen), k=1)]
    return upper


def _spectrum(singular: NDArray[np.float64]) -> tuple[float, ...]:
    if singular[0] <= _TINY:
        return ()
    chosen = np.linspace(0, len(singular) - 1, min(len(singular), _SPECTRUM_POINTS)).round().astype(np.int64)
    return tuple(float(value) for value in singular[chosen] / singular[0])
