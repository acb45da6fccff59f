"""What a method's task looks like to a person: columns of pictures, one row per image."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Part = Literal["input", "target", "answer"]
"""What the network is given, what it should say, and what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One column. images: (B, C, h, w) on any device, of 1 or 3 channels or as many as the data has.

    `normalized`: they are scaled as views are, and are shown as the views are; otherwise they are pictures from 0 to
    1. title: two or three words over the column. captions: a word or two under each picture, B of them, or none.
    right: whether each answer is right, where it is either right or wrong.
    Inputs and targets must not depend on the network's weights: they are shown before it has learned anything.
    """

    part: Part
    title: str
    images: Tensor
    normalized: bool = True
    captions: tuple[str, ...] = ()
    right: tuple[bool, ...] = ()
