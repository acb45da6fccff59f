"""What can be seen of an encoder from inside: each kind of picture once, for the command, the engine and the window."""

from dataclasses import dataclass
from typing import Literal

InsideKind = Literal["attention", "saliency", "colors", "channels", "match"]


@dataclass(frozen=True)
class InsideInfo:
    """The name of a kind of picture for a person, and a sentence that says what it shows."""

    title: str
    help: str


INSIDE_KINDS: dict[InsideKind, InsideInfo] = {
    "attention": InsideInfo("Attention", "Where the class token of a transformer looks, head by head."),
    "saliency": InsideInfo(
        "What stands out", "The first principal component of the last map (Eigen-CAM); no class is needed."
    ),
    "colors": InsideInfo("What is alike", "Places with like features have one color, the same in all images."),
    "channels": InsideInfo("Channels", "The channels of the last map that vary the most from place to place."),
    "match": InsideInfo("Like one place", "What is most like one place of one image, there and in the others."),
}
"""In the order in which they are offered."""
