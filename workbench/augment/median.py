"""The median filter as a sorting network over whole images.

Neighbors are compared as shifted images: no branches, and the same result to the bit on every device. Columns are
sorted once for all squares that share them, and so are runs of two and four columns (A. Adams, "Fast median filters
using separable sorting networks", 2021); the median is then picked out of two sorted parts.
"""

from itertools import zip_longest

import torch
import torch.nn.functional as F
from torch import Tensor

# Values held at once, about one for each pixel of a square: in a CPU's cache, or in half a gigabyte of a GPU.
_ON_CPU, _ELSEWHERE = 2**20, 2**27

Sorted = list[Tensor]
"""Lines of one length, from the smallest value at every place to the largest."""


def medians(images: Tensor, radius: int) -> Tensor:
    """The median of the (2 r + 1)² pixels about each, mirrored at the border (which is not repeated).

    images: (n, C, h, w) without NaN; returns new ones. The radius ends one below the shorter side.
    """
    radius = min(radius, min(images.shape[2:]) - 1)
    if radius < 1:
        return images.clone()
    height, width = images.shape[2:]
    padded = F.pad(images, (radius,) * 4, mode="reflect")
    found = torch.empty_like(padded)
    line, made = padded.view(-1), found.view(-1)
    # Shifts go over all images as one line: what runs over from row to row is cut off at the end.
    wide, side = padded.shape[3], 2 * radius + 1
    reach = (side - 1) * (wide + 1)
    step = (_ON_CPU if images.device.type == "cpu" else _ELSEWHERE) // side**2
    for start in range(0, len(line) - reach, step):
        made[start : start + step][: len(line) - reach - start] = _of_squares(line[start:][: step + reach], wide, side)
    return found[..., :height, :width].contiguous()


def _of_squares(line: Tensor, width: int, side: int) -> Tensor:
    """At each pixel the median of the square to its right and below, as far as there is one.

    line: rows of `width` pixels, one after the other.
    """
    length = len(line) - (side - 1) * width
    column = _sort([line[row * width :][:length] for row in range(side)])
    most = 1 << (side.bit_length() - 1)
    return _ranked(*_beside(_run(column, most), _run(column, side - most), most), side * side // 2)


def _run(column: Sorted, count: int) -> Sorted:
    """So many neighboring columns as one."""
    if count == 1:
        return column
    most = 1 << ((count - 1).bit_length() - 1)
    return _merge(*_beside(_run(column, most), _run(column, count - most), most))


def _beside(left: Sorted, right: Sorted, by: int) -> tuple[Sorted, Sorted]:
    """Both, the right ones from `by` places on, as far as both reach."""
    length = min(len(left[0]), len(right[0]) - by)
    return [line[:length] for line in left], [line[by:][:length] for line in right]


def _sort(lines: list[Tensor]) -> Sorted:
    if len(lines) == 1:
        return lines
    half = len(lines) // 2
    return _merge(_sort(lines[:half]), _sort(lines[half:]))


def _merge(first: Sorted, second: Sorted) -> Sorted:
    """Batcher's odd-even merge, for any two lengths (Knuth, The Art of Computer Programming 3, section 5.3.4)."""
    if not first or not second:
        return first or second
    if len(first) == len(second) == 1:
        return [torch.minimum(first[0], second[0]), torch.maximum(first[0], second[0])]
    odd, even = _merge(first[::2], second[::2]), _merge(first[1::2], second[1::2])
    merged = odd[:1]
    for lower, upper in zip_longest(even, odd[1:]):
        if lower is None or upper is None:
            merged.append(upper if lower is None else lower)
        else:
            merged += [torch.minimum(lower, upper), torch.maximum(lower, upper)]
    return merged


def _ranked(first: Sorted, second: Sorted, rank: int) -> Tensor:
    """The value of that rank, from 0, among all of both: the smallest bound on `rank + 1` of them."""
    bounds = []
    for taken in range(rank + 2):
        others = rank + 1 - taken
        if taken > len(first) or others > len(second):
            continue
        ends = ([first[taken - 1]] if taken else []) + ([second[others - 1]] if others else [])
        bounds.append(torch.maximum(*ends) if len(ends) == 2 else ends[0])
    lowest = bounds[0]
    for bound in bounds[1:]:
        lowest = torch.minimum(lowest, bound)
    return lowest
