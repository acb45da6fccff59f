"""Losses of methods that rebuild an image, and figures that tell whether they only paint the mean of all images."""

import torch
from torch import Tensor

from workbench.method.losses.precision import float32

_LEAST = 1e-6


def squared_error(answers: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean of (answer − target)² over images, channels and pixels; with weights (B, 1, h, w) weighted per image.

    All images count the same, whatever their weights add up to.
    answers, targets: (B, C, h, w). Returns a scalar in float32.
    """
    with float32(answers):
        apart = (answers.float() - targets.float()).square()
        return _mean(apart, weights)


def explained(answers: Tensor, targets: Tensor, where: Tensor | None = None) -> Tensor:
    """Share of the targets' variance that the answers explain (R²): 1 for perfect ones, 0 for the mean of all images.

    The mean is taken pixel by pixel over the batch. where: (B, 1, h, w) of 0 and 1, the pixels that count.
    """
    with float32(answers), torch.no_grad():
        return 1 - squared_error(answers, targets, where) / _variance(targets.float(), where)


def variety(answers: Tensor, targets: Tensor, where: Tensor | None = None) -> Tensor:
    """Variance of the answers from image to image, as a share of the targets': 0 where all images get one answer."""
    with float32(answers), torch.no_grad():
        return _variance(answers.float(), where) / _variance(targets.float(), where)


def _mean(values: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return values.mean()
    of_image = (values * weights).sum(dim=(1, 2, 3)) / (weights.sum(dim=(1, 2, 3)) * values.shape[1]).clamp(min=_LEAST)
    return of_image.mean()


def _variance(images: Tensor, where: Tensor | None) -> Tensor:
    """Mean over pixels of the unbiased variance over images, of those that count."""
    counts = images.new_ones(1, 1, 1, 1) if where is None else where
    held = counts.expand(len(images), 1, *images.shape[2:])
    number = held.sum(dim=0)
    center = (images * held).sum(dim=0) / number.clamp(min=1)
    freedom = (number - 1).clamp(min=0).sum() * images.shape[1]
    return ((images - center).square() * held).sum() / freedom.clamp(min=1) + _LEAST
