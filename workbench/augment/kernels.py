"""The hot loops of augmentation on a CPU, compiled by numba: resampling, color, blur.

The same arithmetic as the torch code beside which they stand (`geometry`, `color`, `blur`), without its
temporaries: an image at a time, in pieces that stay in the first cache. What becomes of an image depends on
nothing but that image. All of them let go of Python's lock. Compiled once per machine, then read from a cache.

Images are (n, C, h, w) float32 in [0, 1], C-contiguous. Imported by `compiled` alone, when it is first needed.
"""

from typing import Any

import numpy as np
from numba import njit

Array = Any  # numba's arrays are numpy's; its types stand in the signatures.

_FAST: dict[str, Any] = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy", "boundscheck": False}

BRIGHTNESS, CONTRAST, SATURATION, HUE = 0, 1, 2, 3

_RED, _GREEN, _BLUE = np.float32(0.2989), np.float32(0.587), np.float32(0.114)
_ZERO, _HALF, _ONE, _TWO, _SIX = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2), np.float32(6)
_THIRD, _SIXTH, _FIVE_SIXTHS = np.float32(1 / 3), np.float32(1 / 6), np.float32(5 / 6)
_TINY = np.float32(1e-12)

_CHUNK = 512
"""Pixels that a color image is worked on at a time: three channels of them are 6 KB."""


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _clamped(value: Any) -> Any:
    return min(max(value, _ZERO), _ONE)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _scale(plane: Array, own: Any, added: Any) -> None:
    """clamp(own · x + added), which is brightness, and contrast about a mean."""
    for x in range(plane.shape[0]):
        plane[x] = _clamped(plane[x] * own + added)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _saturate(red: Array, green: Array, blue: Array, own: Any) -> None:
    lost = _ONE - own
    for x in range(red.shape[0]):
        gray = (red[x] * _RED + green[x] * _GREEN + blue[x] * _BLUE) * lost
        red[x] = _clamped(red[x] * own + gray)
        green[x] = _clamped(green[x] * own + gray)
        blue[x] = _clamped(blue[x] * own + gray)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _channel(turns: Any, valley: Any, chroma: Any, top: Any, low: Any) -> Any:
    """A channel of HSV: a trapezoid over the hue about the middle of its valley (see `color.shift_hue_`)."""
    wave = turns - valley
    wave = abs(wave - np.floor(wave + _HALF))
    return max(min(wave * (_SIX * chroma) + (top - _TWO * chroma), top), low)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _turn_hue(reds: Array, greens: Array, blues: Array, shift: Any) -> None:
    for x in range(reds.shape[0]):
        red, green, blue = reds[x], greens[x], blues[x]
        larger, smaller = max(green, blue), min(green, blue)
        swapped = _ONE if green < blue else _ZERO
        second = _ONE if red < larger else _ZERO
        top, middle = max(red, larger), min(red, larger)
        low = min(middle, smaller)
        chroma = top - low
        start = (swapped * _TWO - _THIRD) * second - swapped
        turns = abs((middle - smaller) / (max(chroma, _TINY) * _SIX) + start) + shift
        reds[x] = _channel(turns, _HALF, chroma, top, low)
        greens[x] = _channel(turns, _FIVE_SIXTHS, chroma, top, low)
        blues[x] = _channel(turns, _SIXTH, chroma, top, low)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _adjust(flat: Array, first: int, last: int, kind: int, factor: Any) -> None:
    """One adjustment that looks at single pixels only; saturation and hue are for color. flat: (C, pixels)."""
    # Slices that start at 0 are what the compiler turns into vector instructions.
    if kind == BRIGHTNESS:
        for channel in range(flat.shape[0]):
            _scale(flat[channel][first:last], factor, _ZERO)
    elif flat.shape[0] == 3 and kind == SATURATION:
        _saturate(flat[0][first:last], flat[1][first:last], flat[2][first:last], factor)
    elif flat.shape[0] == 3 and kind == HUE:
        _turn_hue(flat[0][first:last], flat[1][first:last], flat[2][first:last], factor)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _adjust_all(flat: Array, first: int, last: int, kinds: Array, factors: Array, used: Array) -> None:
    for position in range(kinds.shape[0]):
        kind = kinds[position]
        if used[kind]:
            _adjust(flat, first, last, kind, factors[kind])


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _luma_sum(red: Array, green: Array, blue: Array) -> Any:
    total = _ZERO
    for x in range(red.shape[0]):
        total += red[x] * _RED + green[x] * _GREEN + blue[x] * _BLUE
    return np.float64(total)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _sum(plane: Array) -> Any:
    total = _ZERO
    for x in range(plane.shape[0]):
        total += plane[x]
    return np.float64(total)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _gray_sum(flat: Array, first: int, last: int) -> Any:
    """The sum of gray values, or of all channels alike where there are not three. flat: (C, pixels)."""
    if flat.shape[0] == 3:
        return _luma_sum(flat[0][first:last], flat[1][first:last], flat[2][first:last])
    total = 0.0
    for channel in range(flat.shape[0]):
        total += _sum(flat[channel][first:last]) / flat.shape[0]
    return total


@njit("void(float32[:,:,:,::1], int64[::1], int64[:,::1], float32[:,::1], boolean[::1])", **_FAST)
def jitter(images: Array, rows: Array, order: Array, factors: Array, used: Array) -> None:
    """Brightness, contrast, saturation and hue of images[rows], each in its own order, in place.

    order, factors: (m, 4), the kinds as numbered above; used: (4,), which of the kinds there are at all.
    Contrast needs the image's mean gray value, so there are two passes: what comes before it, and the rest.
    """
    channels, size = images.shape[1], images.shape[2] * images.shape[3]
    for i in range(rows.shape[0]):
        flat = images[rows[i]].reshape(channels, size)
        turn = 4
        for position in range(4):
            if order[i, position] == CONTRAST and used[CONTRAST]:
                turn = position
        total = 0.0
        for first in range(0, size, _CHUNK):
            last = min(size, first + _CHUNK)
            _adjust_all(flat, first, last, order[i, :turn], factors[i], used)
            if turn < 4:
                total += _gray_sum(flat, first, last)
        if turn == 4:
            continue
        own = factors[i, CONTRAST]
        level = np.float32(total / size) * (_ONE - own)
        for first in range(0, size, _CHUNK):
            last = min(size, first + _CHUNK)
            for channel in range(channels):
                _scale(flat[channel][first:last], own, level)
            _adjust_all(flat, first, last, order[i, turn + 1 :], factors[i], used)


@njit("void(float32[:,:,:,::1], int64[::1])", **_FAST)
def grayscale(images: Array, rows: Array) -> None:
    """Every channel of the RGB images[rows] becomes the gray value, in place."""
    size = images.shape[2] * images.shape[3]
    for i in range(rows.shape[0]):
        flat = images[rows[i]].reshape(3, size)
        red, green, blue = flat[0], flat[1], flat[2]
        for x in range(size):
            gray = red[x] * _RED + green[x] * _GREEN + blue[x] * _BLUE
            red[x] = gray
            green[x] = gray
            blue[x] = gray


@njit("void(float32[:,:,:,::1], int64[::1], float32[:,::1], int64[::1])", **_FAST)
def blur(images: Array, rows: Array, bells: Array, radii: Array) -> None:
    """A bell along y and then along x on images[rows], in place: mirrored at the border, clamped to [0, 1].

    bells: (m, R + 1), the weights of a pixel and of its neighbors to one side; radii: (m,), below the sides.
    """
    channels, height, width = images.shape[1:]
    widest = bells.shape[1] - 1
    line = np.empty(width + 2 * widest, dtype=np.float32)
    source = np.empty((height, width), dtype=np.float32)
    for i in range(rows.shape[0]):
        radius, bell = radii[i], bells[i]
        middle = line[radius : radius + width]
        for channel in range(channels):
            target = images[rows[i], channel]
            source[:] = target
            for y in range(height):
                center = source[y]
                for x in range(width):
                    middle[x] = center[x] * bell[0]
                for k in range(1, radius + 1):
                    up = source[abs(y - k)]
                    down = source[y + k if y + k < height else 2 * (height - 1) - y - k]
                    weight = bell[k]
                    for x in range(width):
                        middle[x] += (up[x] + down[x]) * weight
                for x in range(radius):
                    line[radius - 1 - x] = line[radius + 1 + x]
                    line[radius + width + x] = line[radius + width - 2 - x]
                row = target[y]
                for x in range(width):
                    row[x] = middle[x] * bell[0]
                for k in range(1, radius + 1):
                    left, right = line[radius - k : radius - k + width], line[radius + k : radius + k + width]
                    weight = bell[k]
                    for x in range(width):
                        row[x] += (left[x] + right[x]) * weight
                for x in range(width):
                    row[x] = _clamped(row[x])


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _triangle(position: int, scale: int, fine: int, weights: Array) -> int:
    """The weights of torch's antialiased bilinear filter at a whole `scale`; returns the first of `fine` samples."""
    center = scale * (position + 0.5)
    first = max(0, int(center - scale + 0.5))
    last = min(fine, int(center + scale + 0.5))
    total = 0.0
    for k in range(2 * scale + 1):
        weights[k] = 0.0
    for k in range(last - first):
        weights[k] = max(0.0, 1.0 - abs((k + first - center + 0.5) / scale))
        total += weights[k]
    for k in range(last - first):
        weights[k] /= total
    return first


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _axis(
    size: int, factor: int, slope: Any, offset: Any, source: int, within: bool, starts: Array, taps: Array
) -> int:
    """Which pixels of `source` make each of `size` samples along an axis, and their weights.

    Sampled bilinearly at `factor` times as many points slope · x + offset, then shrunk by the triangle filter.
    starts: (size,), taps: (T, size), filled. Returns the number of taps that are needed.
    """
    fine = size * factor
    triangle = np.empty(2 * factor + 1, dtype=np.float64)
    needed = 1
    taps[:] = _ZERO
    for i in range(size):
        first, count = i, 1
        triangle[0] = 1.0
        if factor > 1:
            first, count = _triangle(i, factor, fine, triangle), 2 * factor
        low, high = source, -1
        for turn in range(2):
            for k in range(count):
                weight = triangle[k]
                if weight == 0.0:
                    continue
                where = ((slope * ((2.0 * (first + k) + 1.0) / fine - 1.0) + offset + 1.0) * source - 1.0) / 2.0
                if within:
                    where = min(max(where, 0.0), source - 1.0)
                left = int(np.floor(where))
                share = where - left
                for side in range(2):
                    pixel = left + side
                    part = weight * (share if side else 1.0 - share)
                    if pixel < 0 or pixel >= source or part == 0.0:
                        continue
                    if turn == 0:
                        low, high = min(low, pixel), max(high, pixel)
                    else:
                        taps[pixel - low, i] += np.float32(part)
            if turn == 0 and high < low:
                low, high = 0, 0
        starts[i] = low
        needed = max(needed, high - low + 1)
    return needed


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _blend_rows(source: Array, top: int, count: int, weights: Array, start: int, line: Array) -> None:
    """The weighted sum of rows of (H, W) from `top` on, of the columns from `start` on."""
    weight = weights[0]
    pixels = source[top][start:]
    for x in range(line.shape[0]):
        line[x] = pixels[x] * weight
    for k in range(1, min(count, source.shape[0] - top)):
        weight = weights[k]
        if weight != _ZERO:
            pixels = source[top + k][start:]
            for x in range(line.shape[0]):
                line[x] += pixels[x] * weight


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _gather(line: Array, lefts: Array, taps: Array, count: int, target: Array) -> None:
    """Every sample is a weighted sum of neighbors in the line. Unsigned places spare a check for negative ones."""
    if count == 2:
        first, second = taps[0], taps[1]
        for x in range(target.shape[0]):
            left = np.uint64(lefts[x])
            target[x] = line[left] * first[x] + line[left + np.uint64(1)] * second[x]
        return
    first = taps[0]
    for x in range(target.shape[0]):
        target[x] = line[np.uint64(lefts[x])] * first[x]
    for k in range(1, count):
        weights = taps[k]
        for x in range(target.shape[0]):
            target[x] += line[np.uint64(lefts[x] + k)] * weights[x]


@njit("void(float32[:,:,:,::1], float64[:,:,::1], int64[::1], boolean[::1], int64, float32[:,:,:,::1])", **_FAST)
def crop(images: Array, matrices: Array, factors: Array, within: Array, longest: int, result: Array) -> None:
    """Resampling by matrices that neither turn nor shear: along y, then along x, with weights made once per image.

    images: (n, C, H, W); matrices: (n, 3, 3), output to input; factors: (n,), how many times finer than the view
    an image is sampled before it is shrunk; within: (n,), whether the edge goes on outside; longest: a bound on
    the taps of a sample.
    """
    n, channels, height, width = images.shape
    rows, columns = result.shape[2], result.shape[3]
    tops, lefts = np.empty(rows, dtype=np.int64), np.empty(columns, dtype=np.int64)
    down, across = np.empty((longest, rows), dtype=np.float32), np.empty((longest, columns), dtype=np.float32)
    line = np.zeros(width + longest, dtype=np.float32)  # Taps beyond the last pixel have no weight.
    for i in range(n):
        matrix, factor = matrices[i], factors[i]
        tall = _axis(rows, factor, matrix[1, 1], matrix[1, 2], height, within[i], tops, down)
        wide = _axis(columns, factor, matrix[0, 0], matrix[0, 2], width, within[i], lefts, across)
        start, end = lefts.min(), min(width, lefts.max() + wide)
        for channel in range(channels):
            source, target = images[i, channel], result[i, channel]
            for y in range(rows):
                _blend_rows(source, tops[y], tall, down[:, y], start, line[start:end])
                _gather(line, lefts, across, wide, target[y])


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _points(m: Array, v: Any, height: int, width: int, within: bool, across: Array, down: Array) -> None:
    """Where the samples of a row lie on the image, in pixels from the middle of the first. v: the row, from -1 to 1."""
    # Far outside all is black, and whole numbers would overflow.
    low, right, bottom = (0.0, width - 1.0, height - 1.0) if within else (-2.0, width + 1.0, height + 1.0)
    columns = across.shape[0]
    for x in range(columns):
        u = (2.0 * x + 1.0) / columns - 1.0
        depth = max(m[2, 0] * u + m[2, 1] * v + m[2, 2], 1e-4)
        across[x] = min(max((((m[0, 0] * u + m[0, 1] * v + m[0, 2]) / depth + 1.0) * width - 1.0) / 2.0, low), right)
        down[x] = min(max((((m[1, 0] * u + m[1, 1] * v + m[1, 2]) / depth + 1.0) * height - 1.0) / 2.0, low), bottom)


@njit(**_FAST)  # type: ignore[untyped-decorator]
def _at(plane: Array, y: int, x: int) -> Any:
    """A pixel; black outside."""
    return plane[y, x] if 0 <= y < plane.shape[0] and 0 <= x < plane.shape[1] else _ZERO


@njit("void(float32[:,:,:,::1], float64[:,:,::1], boolean[::1], float32[:,:,:,::1])", **_FAST)
def sample(images: Array, matrices: Array, within: Array, result: Array) -> None:
    """Bilinear samples at the points of a homography; outside is the edge where `within`, else black.

    As `torch.nn.functional.grid_sample` with `align_corners=False` and padding 'border' or 'zeros'.
    """
    n, channels, height, width = images.shape
    rows, columns = result.shape[2], result.shape[3]
    across, down = np.empty(columns, dtype=np.float64), np.empty(columns, dtype=np.float64)
    for i in range(n):
        for y in range(rows):
            _points(matrices[i], (2.0 * y + 1.0) / rows - 1.0, height, width, within[i], across, down)
            for x in range(columns):
                left, top = int(np.floor(across[x])), int(np.floor(down[x]))
                fx, fy = np.float32(across[x] - left), np.float32(down[x] - top)
                if 0 <= left < width - 1 and 0 <= top < height - 1:
                    first, below = np.uint64(left), np.uint64(top)
                    for channel in range(channels):
                        upper, lower = images[i, channel, below], images[i, channel, below + np.uint64(1)]
                        above = upper[first] * (_ONE - fx) + upper[first + np.uint64(1)] * fx
                        under = lower[first] * (_ONE - fx) + lower[first + np.uint64(1)] * fx
                        result[i, channel, y, x] = above * (_ONE - fy) + under * fy
                    continue
                for channel in range(channels):
                    plane = images[i, channel]
                    above = _at(plane, top, left) * (_ONE - fx) + _at(plane, top, left + 1) * fx
                    under = _at(plane, top + 1, left) * (_ONE - fx) + _at(plane, top + 1, left + 1) * fx
                    result[i, channel, y, x] = above * (_ONE - fy) + under * fy
