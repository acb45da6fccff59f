"""What a method answers when it is asked its own questions about images that it has not learned from."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers to one task of a method ("rotation"), for one batch of held-out images.

    right: (n,) float, for each image the share of its questions that were answered right, in [0, 1]: an image counts
    once, however many questions it gives, as these are not independent. chance: the share that guessing gets right.
    """

    task: str
    right: Tensor
    chance: float
