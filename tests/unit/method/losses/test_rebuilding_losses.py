import numpy as np
import pytest
import torch
from torch import Tensor

from tests.unit.method.losses.oracle import assert_same
from workbench.method.losses.rebuilding import explained, squared_error, variety
from workbench.method.rebuilding import LEAST_VARIETY


def images(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_squared_error_is_torchs_and_with_weights_a_slow_loop() -> None:
    answers, targets = images(4, 3, 6, 5).requires_grad_(), images(4, 3, 6, 5, seed=1)
    assert_same(squared_error(answers, targets), torch.nn.functional.mse_loss(answers, targets), answers)
    weights = torch.rand(4, 1, 6, 5)
    total = answers.new_zeros(())
    for image, own in enumerate(weights[:, 0]):
        for channel in range(3):
            apart = (answers[image, channel] - targets[image, channel]) ** 2
            total = total + (own * apart).sum() / (3 * own.sum())
    assert_same(squared_error(answers, targets, weights), total / 4, answers)


def test_half_precision_is_summed_in_single() -> None:
    answers = images(4, 3, 6, 5).bfloat16()
    assert squared_error(answers, torch.zeros(4, 3, 6, 5)).dtype == torch.float32


def test_explained_is_r_squared_and_variety_a_ratio_of_variances() -> None:
    answers, targets = images(50, 2, 3, 3).double(), images(50, 2, 3, 3, seed=1).double() * 2
    variance = np.var(targets.numpy(), axis=0, ddof=1).mean()
    wanted = 1 - ((answers - targets) ** 2).mean().item() / variance
    assert explained(answers, targets).item() == pytest.approx(wanted, rel=1e-4)
    assert variety(answers, targets).item() == pytest.approx(
        np.var(answers.numpy(), axis=0, ddof=1).mean() / variance, rel=1e-4
    )
    assert explained(targets, targets).item() == pytest.approx(1)


def test_one_picture_for_all_images_explains_nothing_and_has_no_variety() -> None:
    targets = images(200, 3, 4, 4) + images(1, 3, 4, 4, seed=1)
    mean = targets.mean(dim=0, keepdim=True).expand_as(targets)
    assert explained(mean, targets).item() == pytest.approx(0, abs=0.01)
    assert variety(mean, targets).item() < LEAST_VARIETY


def test_only_what_was_hidden_counts() -> None:
    targets = images(60, 3, 4, 4)
    hidden = (torch.rand(60, 1, 4, 4, generator=torch.Generator().manual_seed(2)) < 0.5).float()
    answers = torch.where(hidden > 0, targets, 100.0)
    assert squared_error(answers, targets, hidden).item() == 0
    assert explained(answers, targets, hidden).item() == pytest.approx(1)
    assert variety(answers, targets, hidden).item() == pytest.approx(1)
