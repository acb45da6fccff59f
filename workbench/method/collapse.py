"""Symptoms that several methods share."""

from collections.abc import Callable
from typing import Any

from workbench.method.contract import Setting, Symptom
from workbench.method.losses.redundancy import VARIANCE_EPSILON

LEAST_SPREAD = 0.2
"""Of `losses.spread.deviation`, which is 0.8 to 1 in a healthy run: below it two images have a mean cosine of 0.96."""


def same_vectors(advice: str, *, below: float = LEAST_SPREAD) -> Symptom[Any]:
    """That the part 'spread', a `deviation`, says that all images have the same vector; `advice` is what to do."""

    def is_sick(value: float, params: Any, setting: Setting) -> bool:
        del params, setting
        return value < below

    return Symptom(
        part="spread",
        is_sick=is_sick,
        title="All images get the same vector",
        text="The vectors that the loss sees hardly differ from image to image (their spread is far below 1), so that "
        f"it is low without anything being learned. {advice}",
    )


def no_variance(weight: Callable[[Any], float]) -> Symptom[Any]:
    """That the part 'variance', VICReg's term times its `weight`, is near the most that it can be."""

    def is_sick(value: float, params: Any, setting: Setting) -> bool:
        del setting
        most = weight(params) * (1 - VARIANCE_EPSILON**0.5)
        return bool(most > 0 and value > 0.95 * most)

    return Symptom(
        part="variance",
        is_sick=is_sick,
        title="All images get the same vector",
        text="The variance term is near the most that it can be: no entry of the vectors differs between images. "
        "Raise its weight, or lower the learning rate or the weight of the covariance.",
    )
