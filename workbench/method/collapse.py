"""Symptoms that several methods share."""

from typing import Any

from workbench.method.contract import Setting, Symptom

LEAST_SPREAD = 0.2
"""Of `losses.spread.deviation`, 0.5 to 1 in a healthy run: below this, the mean cosine of two images is 0.96."""


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
