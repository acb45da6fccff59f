"""What the methods share that rebuild an image: figures beside the loss, their pictures, and how they fail."""

from typing import Any

from torch import Tensor

from workbench.method.contract import Setting, Symptom, detached
from workbench.method.exhibit import Panel
from workbench.method.losses.rebuilding import explained, variety

LEAST_VARIETY = 0.01
"""Of the answers' variance over the targets': an untrained decoder has more, one that paints the mean has less."""


def figures(answers: Tensor, targets: Tensor, where: Tensor | None = None) -> dict[str, Tensor]:
    """The parts 'explained' and 'variety' of a loss."""
    return detached(explained=explained(answers, targets, where), variety=variety(answers, targets, where))


def mean_of(views: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of the figures of several views."""
    return {name: sum(view[name] for view in views) / len(views) for name in views[0]}  # type: ignore[misc]


def pictures(given: tuple[str, Tensor], target: Tensor, answer: tuple[str, Tensor]) -> tuple[Panel, ...]:
    """Three columns of normalized images: what goes in, with its title, the image, and what comes out, with its own."""
    return (
        Panel(part="input", title=given[0], images=given[1]),
        Panel(part="target", title="The image", images=target),
        Panel(part="answer", title=answer[0], images=answer[1].float()),
    )


def only_the_mean(advice: str) -> Symptom[Any]:
    """That the part 'variety' says that all images get the same blurred picture; `advice` is what to do."""

    def is_sick(value: float, params: Any, setting: Setting) -> bool:
        del params, setting
        return value < LEAST_VARIETY

    return Symptom(
        part="variety",
        is_sick=is_sick,
        title="All images get the same blurred picture",
        text="What the decoder paints hardly differs from image to image: it is the mean of all images, which is the "
        f"best answer for a network that looks at nothing. {advice}",
    )
