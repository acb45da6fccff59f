"""Normalized numbers as colors: 0 is mid gray, black and white are so many deviations away. No Qt."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

REACH = 2.5
"""Deviations from the mean that are shown as black and as white."""


class Shades:
    """What (x - mean) / std makes of uint8 pictures, by a table per channel. mean, std: in [0, 1], for three
    channels, or one for all.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        means, deviations = (np.broadcast_to(np.asarray(numbers, np.float64), 3) for numbers in (mean, std))
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
