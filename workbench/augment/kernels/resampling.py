"""Crops and homographies: bilinear samples (see `workbench.augment.geometry`)."""

import numpy as np

from workbench.augment.kernels.compiling import IMAGES, ROWS, Doubles, Flags, Floats, Places, inner, kernel

_ZERO = np.float32(0)
_STARTS, _TAPS = "int64[:, ::1]", "float32[:, :, ::1]"
_MATRICES, _FLAGS = "float64[:, :, ::1]", "boolean[::1]"
_HORIZON = 1e-4


@inner
def _across(line: Floats, starts: Places, taps: Floats, row: Floats) -> None:
    """A row of samples from a line of pixels. Unsigned places spare the compiler a check for negative ones."""
    first = taps[0]
    if taps.shape[0] == 2:
        second = taps[1]
        for x in range(row.shape[0]):
            left = np.uint64(starts[x])
            row[x] = line[left] * first[x] + line[left + np.uint64(1)] * second[x]
    else:
        for x in range(row.shape[0]):
            row[x] = line[np.uint64(starts[x])] * first[x]
        for k in range(1, taps.shape[0]):
            weights = taps[k]
            for x in range(row.shape[0]):
                row[x] += line[np.uint64(starts[x] + k)] * weights[x]


@inner
def _down(lines: Floats, start: int, taps: Floats, y: int, row: Floats) -> None:
    """Row y of samples: the weighted sum of lines (H, w) from `start` on."""
    if taps.shape[0] == 2:
        one, other = lines[start], lines[start + 1]
        first, second = taps[0, y], taps[1, y]
        for x in range(row.shape[0]):
            row[x] = one[x] * first + other[x] * second
    else:
        for x in range(row.shape[0]):
            row[x] = _ZERO
        for k in range(taps.shape[0]):
            line, weight = lines[start + k], taps[k, y]
            if weight != _ZERO:
                for x in range(row.shape[0]):
                    row[x] += line[x] * weight


@kernel(IMAGES, ROWS, _STARTS, _TAPS, _STARTS, _TAPS, IMAGES)
def crop(
    images: Floats, rows: Places, tops: Places, down: Floats, lefts: Places, across: Floats, result: Floats
) -> None:
    """result[rows] from images[rows]: across, and then down.

    images: (n, C, H, W); result: (n, C, h, w). Sample x of row i is the sum of the pixels lefts[i, x] … lefts[i, x]
    + T - 1 of a line, weighted by across[i, :, x], (m, T, w); tops and down are the same for rows, (m, h) and
    (m, S, h). Starts only go up, or only down, with the samples.
    """
    channels, height = images.shape[1], images.shape[2]
    lines = np.empty((height, result.shape[3]), dtype=np.float32)
    for i in range(rows.shape[0]):
        first, last = tops[i, 0], tops[i, result.shape[2] - 1]
        for channel in range(channels):
            source, target = images[rows[i], channel], result[rows[i], channel]
            for y in range(min(first, last), max(first, last) + down.shape[1]):
                _across(source[y], lefts[i], across[i], lines[y])
            for y in range(result.shape[2]):
                _down(lines, tops[i, y], down[i], y, target[y])


@inner
def _aim(matrix: Doubles, v: float, height: int, width: int, rim: float, places: Doubles) -> None:
    """Where samples of the row at v lie: places (2, w), x and y in pixels, no farther outside than the rim."""
    count = places.shape[1]
    for x in range(count):
        u = (2.0 * x + 1.0) / count - 1.0
        depth = max(matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2], _HORIZON)
        across = (((matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2]) / depth + 1.0) * width - 1.0) / 2.0
        down = (((matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2]) / depth + 1.0) * height - 1.0) / 2.0
        places[0, x] = min(max(across, -rim), width - 1.0 + rim)
        places[1, x] = min(max(down, -rim), height - 1.0 + rim)


@inner
def _weigh(places: Doubles, height: int, width: int, corners: Places, weights: Floats) -> None:
    """The upper left of the four neighbors of each sample, as its place in a channel, and the four weights (4, w)."""
    for x in range(places.shape[1]):
        left = max(0.0, min(np.floor(places[0, x]), width - 2.0))
        top = max(0.0, min(np.floor(places[1, x]), height - 2.0))
        near, far = max(0.0, 1.0 - abs(places[0, x] - left)), max(0.0, 1.0 - abs(places[0, x] - left - 1.0))
        above, below = max(0.0, 1.0 - abs(places[1, x] - top)), max(0.0, 1.0 - abs(places[1, x] - top - 1.0))
        far *= width > 1
        below *= height > 1
        corners[x] = np.int64(top) * width + np.int64(left)
        weights[0, x] = near * above
        weights[1, x] = far * above
        weights[2, x] = near * below
        weights[3, x] = far * below


@inner
def _collect(plane: Floats, corners: Places, right: int, below: int, weights: Floats, row: Floats) -> None:
    """A row of samples from a channel (pixels,). right, below: how far off the neighbors are."""
    first, second, third, fourth = weights[0], weights[1], weights[2], weights[3]
    for x in range(row.shape[0]):
        corner = np.uint64(corners[x])
        lower = corner + np.uint64(below)
        upper = plane[corner] * first[x] + plane[corner + np.uint64(right)] * second[x]
        row[x] = upper + plane[lower] * third[x] + plane[lower + np.uint64(right)] * fourth[x]


@kernel("float32[:, :, ::1]", "int64", ROWS, _MATRICES, _FLAGS, IMAGES)
def sample(images: Floats, height: int, rows: Places, matrices: Doubles, within: Flags, result: Floats) -> None:
    """Bilinear samples of images[rows] at the points of homographies; outside is the edge where `within`, else black.

    As `torch.nn.functional.grid_sample` with `align_corners=False` and padding 'border' or 'zeros'. images:
    (n, C, height · width). result: (m, C, h, w), an image for each of the m rows, as are matrices (m, 3, 3) and
    within (m,).
    """
    channels, width = images.shape[1], images.shape[2] // height
    right, below = (1 if width > 1 else 0), (width if height > 1 else 0)
    rows_made, columns = result.shape[2], result.shape[3]
    places = np.empty((2, columns), dtype=np.float64)
    corners, weights = np.empty(columns, dtype=np.int64), np.empty((4, columns), dtype=np.float32)
    for i in range(rows.shape[0]):
        for y in range(rows_made):
            v = (2.0 * y + 1.0) / rows_made - 1.0
            _aim(matrices[i], v, height, width, 0.0 if within[i] else 1.0, places)
            _weigh(places, height, width, corners, weights)
            for channel in range(channels):
                _collect(images[rows[i], channel], corners, right, below, weights, result[i, channel, y])
