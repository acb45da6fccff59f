"""The linear probe: how much of the labels one linear layer can read from frozen features."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from workbench.spec.progress import Report, ignore

STRENGTHS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Weights of the penalty that are tried, strongest first, so that each fit starts from a smoother one."""

_VALIDATION_SHARE = 0.2
_CHOOSING_ROWS = 20_000
_ITERATIONS = 300
_WORTH_A_GPU = 30_000_000
"""Rows x features x classes from which on a GPU is quicker: below, asking it takes longer than computing. (On an H200 a
probe of 800 x 128 features took many times as long as on two slow cores.)"""


@dataclass(frozen=True, kw_only=True)
class LinearModel:
    """Multinomial logistic regression on standardized features. weights: (classes, d), bias: (classes,)."""

    mean: Tensor
    scale: Tensor
    weights: Tensor
    bias: Tensor
    classes: NDArray[np.int64]

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """The class of each row (m, d); the numbers are those of the labels that it was fitted to."""
        predictions = np.empty(len(features), dtype=np.int64)
        for start in range(0, len(features), 65_536):
            rows = _as_tensor(features[start : start + 65_536], self.mean.device)
            logits = ((rows - self.mean) / self.scale) @ self.weights.T + self.bias
            predictions[start : start + len(rows)] = self.classes[logits.argmax(dim=1).cpu().numpy()]
        return predictions


def linear_probe(
    train: NDArray[np.float32],
    labels: NDArray[np.int64],
    test: NDArray[np.float32],
    *,
    seed: int = 0,
    device: torch.device | None = None,
    report: Report = ignore,
) -> NDArray[np.int64]:
    """The class of each test row, by logistic regression whose penalty was chosen on a fifth of the train rows.

    train: (n, d) features, labels: (n,) class numbers, test: (m, d). Returns (m,). The test rows play no
    part in the choice. Equal arguments give equal predictions.
    """
    rows, dim = train.shape
    place = place_for(rows, dim, len(np.unique(labels)), device or torch.device("cpu"))
    strength = choose_strength(train, labels, seed=seed, device=place, report=report)
    return fit(train, labels, strength=strength, device=place, report=report).predict(test)


def place_for(rows: int, features: int, classes: int, device: torch.device) -> torch.device:
    """Where a fit of that size is quicker: on `device`, or, being small, on the CPU.

    L-BFGS asks for its loss and gradient hundreds of times, and waits for each.
    """
    return device if rows * features * classes >= _WORTH_A_GPU else torch.device("cpu")


def choose_strength(
    train: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    seed: int = 0,
    device: torch.device | None = None,
    report: Report = ignore,
) -> float:
    """The penalty of `STRENGTHS` with the best accuracy on held-out train rows; the stronger among equals.

    At most 20,000 rows take part, which settles an order of magnitude. Where no class has two images to
    hold one out, it is 1e-3.
    """
    kept, held = _hold_out(labels, seed)
    if not len(held) or len(np.unique(labels[kept])) < 2:
        return 1e-3
    best, best_correct = STRENGTHS[0], -1
    start: LinearModel | None = None
    for number, strength in enumerate(STRENGTHS):
        report("choosing the penalty", number, len(STRENGTHS))
        start = fit(train[kept], labels[kept], strength=strength, device=device, start=start, report=report)
        correct = int((start.predict(train[held]) == labels[held]).sum())
        if correct > best_correct:
            best, best_correct = strength, correct
    return best


def fit(
    train: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    strength: float,
    device: torch.device | None = None,
    start: LinearModel | None = None,
    report: Report = ignore,
) -> LinearModel:
    """Minimizes mean cross-entropy + strength / 2 · ‖weights‖² with L-BFGS; the bias is not penalized.

    It is scikit-learn's LogisticRegression with C = 1 / (n · strength). `start` is a fit of the same classes.
    """
    classes, targets = np.unique(labels, return_inverse=True)
    rows = _as_tensor(train, device or torch.device("cpu"))
    mean = rows.mean(dim=0)
    scale = rows.std(dim=0, correction=0)
    scale = torch.where(scale > 1e-6 * (mean.abs() + 1e-6), scale, torch.ones_like(scale))
    rows = (rows - mean) / scale
    goal = torch.from_numpy(targets.astype(np.int64)).to(rows.device)
    weights = torch.zeros(len(classes), rows.shape[1], device=rows.device) if start is None else start.weights.clone()
    bias = torch.zeros(len(classes), device=rows.device) if start is None else start.bias.clone()
    _minimize(rows, goal, weights, bias, strength=strength, report=report)
    return LinearModel(mean=mean, scale=scale, weights=weights.detach(), bias=bias.detach(), classes=classes)


def _minimize(rows: Tensor, goal: Tensor, weights: Tensor, bias: Tensor, *, strength: float, report: Report) -> None:
    parameters = [weights.requires_grad_(), bias.requires_grad_()]
    search = torch.optim.LBFGS(
        parameters,
        max_iter=_ITERATIONS,
        tolerance_grad=1e-5,
        tolerance_change=1e-8,
        history_size=20,
        line_search_fn="strong_wolfe",
    )
    evaluations = 0

    def closure() -> Tensor:
        nonlocal evaluations
        report("fitting the linear probe", evaluations, 0)
        evaluations += 1
        search.zero_grad()
        loss = F.cross_entropy(rows @ weights.T + bias, goal) + strength / 2 * weights.square().sum()
        loss.backward()
        return loss

    search.step(closure)  # type: ignore[no-untyped-call]


def _hold_out(labels: NDArray[np.int64], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to fit on, and rows to choose by: a fifth of every class that has two images or more."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(labels))[:_CHOOSING_ROWS]
    kept: list[NDArray[np.int64]] = []
    held: list[NDArray[np.int64]] = []
    for number in np.unique(labels[order]):
        members = order[labels[order] == number]
        count = max(1, round(len(members) * _VALIDATION_SHARE)) if len(members) > 1 else 0
        held.append(members[:count])
        kept.append(members[count:])
    return np.sort(np.concatenate(kept)), np.sort(np.concatenate(held))


def _as_tensor(rows: NDArray[np.float32], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32)).to(device)
