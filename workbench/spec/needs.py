"""What a method needs of the views and of the images, in the words that the window, the check and the trainer share."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from workbench.spec.catalog import MethodCard
from workbench.spec.experiment import DataSpec, ViewSpec


class UnmetNeed(Struct, frozen=True, kw_only=True):
    """Why a method cannot use a view plan: a short sentence, and what to do about it."""

    kind: Literal["too few", "local"]
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.title} {self.text}"


def unmet_need(views: Sequence[ViewSpec], method: MethodCard) -> UnmetNeed | None:
    """What the views lack for this method, or have in vain; None where they suit it."""
    made = global_count(views)
    if made < method.global_views:
        wanted = "1 global view" if method.global_views == 1 else f"{method.global_views} global views"
        return UnmetNeed(
            kind="too few",
            title=f"{method.title} needs {wanted} of each image, not {made}.",
            text="Make more of them, or choose another preset.",
        )
    if not method.local_views and any(view.role == "local" for view in views):
        return UnmetNeed(
            kind="local",
            title=f"{method.title} cannot use local views.",
            text="They would cost time and change nothing. Remove them, or choose a method that uses them.",
        )
    return None


def unmet_color(data: DataSpec, method: MethodCard) -> str:
    """That a method needs color and the images are stored without, as a sentence; "" where they suit it."""
    if not method.needs_color or data.channels == "rgb":
        return ""
    stored = "in gray" if data.channels == "gray" else "as planes"
    return f"{method.title} learns from colors, and the images are taken {stored}."


def global_count(views: Sequence[ViewSpec]) -> int:
    """How many global views of each image a plan makes."""
    return sum(view.count for view in views if view.role == "global")
