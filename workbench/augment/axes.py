"""Resampling along one axis: which pixels of a line make each sample, and with what weights.

Samples are taken bilinearly, `factor` times finer than wanted, and then shrunk by the filter that torch and
Pillow call antialiased bilinear: a triangle, here `factor` samples wide to either side. Both together are one
weighted sum of neighboring pixels. Every weight is a function of its own image's numbers, whatever the batch.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
_FEWEST = 3
"""With a filter there are at least so many pixels in a sum, so that their number never chooses how it is rounded."""


class Axis(NamedTuple):
    """Sample i of image n is the sum over t of pixel starts[n, i] + t, weighted by taps[n, t, i].

    starts: (n, size) int64, going only up, or only down. taps: (n, T, size) float32.
    """

    starts: NDArray[np.int64]
    taps: NDArray[np.float32]


def sums_along(
    slopes: Doubles, offsets: Doubles, within: NDArray[np.bool_], *, source: int, size: int, factor: int
) -> Axis:
    """`size` samples of `source` pixels, at slope · x + offset for x from -1 to 1, the outer corners.

    slopes, offsets: (n,). within: (n,), whether the edge goes on outside, which is black otherwise.
    """
    fine = size * factor
    x = (2 * np.arange(fine) + 1) / fine - 1
    places = ((slopes[:, None] * x + offsets[:, None] + 1) * source - 1) / 2
    rim = np.where(within, 0.0, 1.0)[:, None]
    places = np.minimum(np.maximum(places, -rim), source - 1 + rim)
    if factor > 1 or source == 1:
        return _filtered(places, source=source, size=size, factor=factor)
    starts = np.minimum(np.maximum(np.floor(places), 0), source - 2)
    taps = [np.maximum(0, 1 - np.abs(places - starts - side)) for side in (0, 1)]
    return _axis(starts, np.stack(taps, axis=1))


def _filtered(places: Doubles, *, source: int, size: int, factor: int) -> Axis:
    """places: (n, size · factor), where the samples are, in pixels."""
    numbers, weights = _triangles(size, factor)
    under = places[:, numbers]
    lowest = np.clip(np.floor(under.min(axis=2)), 0, source - 1).astype(np.int64)
    highest = np.clip(np.floor(under.max(axis=2)) + 1, 0, source - 1).astype(np.int64)
    longest = min(source, max(_FEWEST, int((highest - lowest).max(initial=0)) + 1))
    starts = np.minimum(lowest, source - longest)
    pixels = starts[:, None] + np.arange(longest)[:, None]
    taps = np.zeros(pixels.shape)
    for k in range(numbers.shape[1]):
        taps += weights[:, k] * np.maximum(0, 1 - np.abs(under[:, None, :, k] - pixels))
    return _axis(starts, taps)


def _axis(starts: Doubles | NDArray[np.int64], taps: Doubles) -> Axis:
    """As kernels want them: in the order of the indices."""
    return Axis(np.ascontiguousarray(starts, dtype=np.int64), np.ascontiguousarray(taps, dtype=np.float32))


def _triangles(size: int, factor: int) -> tuple[NDArray[np.int64], Doubles]:
    """For each sample, (size, 2 · factor), the finer samples under its triangle, and their weights of sum one."""
    centers = factor * (np.arange(size)[:, None] + 0.5)
    numbers = np.floor(centers - factor + 0.5).astype(np.int64) + np.arange(2 * factor)
    heights = np.maximum(0, 1 - np.abs(numbers - centers + 0.5) / factor)
    heights[(numbers < 0) | (numbers >= size * factor)] = 0
    return np.clip(numbers, 0, size * factor - 1), heights / heights.sum(axis=1, keepdims=True)
