"""Gaussian blur: down and then across, a row at a time, so that nothing but one channel's copy leaves the cache."""

import numpy as np

from workbench.augment.kernels.compiling import IMAGES, ROWS, Floats, Places, inner, kernel

_ZERO, _ONE = np.float32(0), np.float32(1)


@inner
def _down(source: Floats, y: int, bell: Floats, radius: int, row: Floats) -> None:
    """Row y of a channel (h, w), blurred along y."""
    height = source.shape[0]
    center, weight = source[y], bell[0]
    for x in range(row.shape[0]):
        row[x] = center[x] * weight
    for k in range(1, radius + 1):
        up = source[abs(y - k)]
        down = source[y + k if y + k < height else 2 * (height - 1) - y - k]
        weight = bell[k]
        for x in range(row.shape[0]):
            row[x] += (up[x] + down[x]) * weight


@inner
def _across(line: Floats, bell: Floats, radius: int, row: Floats) -> None:
    """A row from a line with a margin of `radius` at both ends, which is filled here; blurred along x."""
    width = row.shape[0]
    for x in range(radius):
        line[radius - 1 - x] = line[radius + 1 + x]
        line[radius + width + x] = line[radius + width - 2 - x]
    middle, weight = line[radius : radius + width], bell[0]
    for x in range(width):
        row[x] = middle[x] * weight
    for k in range(1, radius + 1):
        left, right = line[radius - k : radius - k + width], line[radius + k : radius + k + width]
        weight = bell[k]
        for x in range(width):
            row[x] += (left[x] + right[x]) * weight
    for x in range(width):
        row[x] = min(max(row[x], _ZERO), _ONE)


@kernel(IMAGES, ROWS, "float32[:, ::1]", ROWS)
def blur(images: Floats, rows: Places, bells: Floats, radii: Places) -> None:
    """A bell along y and then along x on images[rows], in place: mirrored at the border, clamped to [0, 1].

    bells: (m, R + 1), the weights of a pixel and of its neighbors to one side; radii: (m,), below the sides.
    """
    channels, height, width = images.shape[1:]
    source = np.empty((height, width), dtype=np.float32)
    line = np.empty(width + 2 * bells.shape[1], dtype=np.float32)
    for i in range(rows.shape[0]):
        radius, bell = radii[i], bells[i]
        middle = line[radius : radius + width]
        for channel in range(channels):
            target = images[rows[i], channel]
            for y in range(height):
                for x in range(width):  # An assignment of arrays takes numba seconds to compile.
                    source[y, x] = target[y, x]
            for y in range(height):
                _down(source, y, bell, radius, middle)
                _across(line, bell, radius, target[y])
