"""Normalized numbers as colors: 0 is mid gray, black and white are so many deviations away. No Qt."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

REACH = 2.5
"""Deviations from the mean that are shown as black and as white."""


class Shades:
    """What (x - mean) / std makes of uint8 pictures, by a table per channel. mean, std: in [0, 1], for each channel,
    or one for all three that are shown; beyond three they are not shown.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        means, deviations = (_of_three(numbers, other) for numbers, other in ((mean, REACH), (std, 1.0)))
        self.numbers: NDArray[np.float64] = (np.arange(256) / 255 - means[:, None]) / deviations[:, None]
        """(3, 256): what the network gets for each channel and value."""
        self.table: Pixels = np.rint(np.clip(self.numbers / REACH * 0.5 + 0.5, 0, 1) * 255).astype(np.uint8)
        """(3, 256): the shade for each channel and value."""

    def applied(self, pictures: NDArray[np.generic]) -> Pixels:
        """Pictures (..., 3) uint8 in those shades."""
        shaded = np.empty(pictures.shape, np.uint8)
        for channel in range(3):
            shaded[..., channel] = self.table[channel][pictures[..., channel]]
        return shaded

    def at(self, pixel: NDArray[np.uint8]) -> tuple[float, float, float]:
        """The network's numbers for one (3,) pixel."""
        red, green, blue = (float(self.numbers[channel, int(pixel[channel])]) for channel in range(3))
        return red, green, blue


def _of_three(numbers: Sequence[float], other: float) -> NDArray[np.float64]:
    """A number for each channel that is shown; of two planes `other` keeps the third black."""
    if len(numbers) == 1:
        return np.full(3, float(numbers[0]))
    return np.asarray([*numbers[:3], *[other] * (3 - len(numbers))], np.float64)
