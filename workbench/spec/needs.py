"""What a method needs of views, images and backbone, in the words that the window, the check and the trainer share."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from workbench.spec.catalog import BackboneCard, MethodCard
from workbench.spec.experiment import DataSpec, ViewSpec


class UnmetNeed(Struct, frozen=True, kw_only=True):
    """Why a method cannot use a view plan or a backbone: a short sentence, and what to do about it."""

    kind: Literal["too few", "local", "backbone"]
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


FILM_SPLITS = ("clips", "stretches", "folders")
"""Ways to split that leave no frame for testing beside one that is trained on."""


def films_torn(data: DataSpec, title: str) -> str:
    """Why a method that learns from films cannot use a split; "" where it can."""
    if data.split in FILM_SPLITS:
        return ""
    return (
        f"{title} needs whole stretches of film: set the split to whole clips, or to the last stretch of each "
        "(data.split = 'clips' or 'stretches')."
    )


_NEEDS = {
    "maps": "{method} needs a map of features over the image, which {backbone} does not give.",
    "tokens": "{method} needs a network that can be run on some patches of an image, and {backbone} cannot.",
}


def unmet_backbone(method: MethodCard, backbone: BackboneCard, backbones: Sequence[BackboneCard]) -> UnmetNeed | None:
    """What the backbone lacks for this method, and which of `backbones` have it; None where it suits."""
    missing = [need for need in method.needs if need not in backbone.provides]
    if not missing:
        return None
    able = [card.title for card in usable(method, backbones)]
    named = f"{', '.join(able[:-1])} or {able[-1]}" if len(able) > 1 else "".join(able)
    words = _NEEDS.get(missing[0], "{method} needs '" + missing[0] + "', which {backbone} does not give.")
    return UnmetNeed(
        kind="backbone",
        title=words.format(method=method.title, backbone=backbone.title),
        text=f"Choose {named}." if named else "No backbone here does.",
    )


def usable(method: MethodCard, backbones: Sequence[BackboneCard]) -> tuple[BackboneCard, ...]:
    """The backbones that give what a method needs."""
    return tuple(card for card in backbones if set(method.needs) <= set(card.provides))


def unmet_color(data: DataSpec, method: MethodCard) -> str:
    """That a method needs color and the images are stored without, as a sentence; "" where they suit it."""
    if not method.needs_color or data.channels == "rgb":
        return ""
    stored = "in gray" if data.channels == "gray" else "as planes"
    return f"{method.title} learns from colors, and the images are taken {stored}."


def global_count(views: Sequence[ViewSpec]) -> int:
    """How many global views of each image a plan makes."""
    return sum(view.count for view in views if view.role == "global")
