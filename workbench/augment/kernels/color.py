"""Brightness, contrast, saturation, hue and grayscale, in one or two passes over an image."""

import numpy as np

from workbench.augment.kernels.compiling import ROWS, Flags, Floats, Places, inner, kernel

BRIGHTNESS, CONTRAST, SATURATION, HUE = 0, 1, 2, 3

# Plain Python numbers would be doubles, and make every sum one.
_RED, _GREEN, _BLUE = np.float32(0.2989), np.float32(0.587), np.float32(0.114)
_ZERO, _HALF, _ONE, _TWO, _SIX = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2), np.float32(6)
_THIRD, _SIXTH, _FIVE_SIXTHS = np.float32(1 / 3), np.float32(1 / 6), np.float32(5 / 6)
_TINY = np.float32(1e-12)

_BLOCK = 512
"""Pixels that an image is worked on at a time: three channels of them are 6 KB."""


@inner
def _scale(block: Floats, own: np.float32, added: np.float32) -> None:
    """clamp(own · x + added), which is brightness, and contrast about a mean. block: (C, pixels)."""
    for channel in range(block.shape[0]):
        for x in range(_BLOCK):
            block[channel, x] = min(max(block[channel, x] * own + added, _ZERO), _ONE)


@inner
def _saturate(block: Floats, own: np.float32) -> None:
    lost = _ONE - own
    for x in range(_BLOCK):
        red, green, blue = block[0, x], block[1, x], block[2, x]
        gray = (red * _RED + green * _GREEN + blue * _BLUE) * lost
        block[0, x] = min(max(red * own + gray, _ZERO), _ONE)
        block[1, x] = min(max(green * own + gray, _ZERO), _ONE)
        block[2, x] = min(max(blue * own + gray, _ZERO), _ONE)


@inner
def _channel(turns: np.float32, chroma: np.float32, top: np.float32, low: np.float32) -> np.float32:
    """A channel is a trapezoid over the hue about the middle of its valley (see `color.shift_hue_`)."""
    wave = abs(turns - np.floor(turns + _HALF))
    return max(min(wave * (_SIX * chroma) + (top - _TWO * chroma), top), low)


@inner
def _turn_hue(block: Floats, shift: np.float32) -> None:
    for x in range(_BLOCK):
        red, green, blue = block[0, x], block[1, x], block[2, x]
        larger, smaller = max(green, blue), min(green, blue)
        swapped = _ONE if green < blue else _ZERO
        second = _ONE if red < larger else _ZERO
        top, middle = max(red, larger), min(red, larger)
        low = min(middle, smaller)
        chroma = top - low
        start = (swapped * _TWO - _THIRD) * second - swapped
        turns = abs((middle - smaller) / (max(chroma, _TINY) * _SIX) + start) + shift
        block[0, x] = _channel(turns - _HALF, chroma, top, low)
        block[1, x] = _channel(turns - _FIVE_SIXTHS, chroma, top, low)
        block[2, x] = _channel(turns - _SIXTH, chroma, top, low)


@inner
def _add_gray(block: Floats, sums: Floats) -> None:
    """Adds gray values, or all channels alike where there are not three, to sums (pixels,)."""
    if block.shape[0] == 3:
        for x in range(_BLOCK):
            sums[x] += block[0, x] * _RED + block[1, x] * _GREEN + block[2, x] * _BLUE
    else:
        for channel in range(block.shape[0]):
            for x in range(_BLOCK):
                sums[x] += block[channel, x]


@inner
def _load(image: Floats, first: int, block: Floats) -> None:
    """The pixels of (C, pixels) from `first` on; black, which all adjustments leave black, beyond the last."""
    count = min(_BLOCK, image.shape[1] - first)
    for channel in range(block.shape[0]):
        source, target = image[channel, first : first + count], block[channel]
        for x in range(count):
            target[x] = source[x]
        for x in range(count, _BLOCK):
            target[x] = _ZERO


@inner
def _store(block: Floats, image: Floats, first: int) -> None:
    count = min(_BLOCK, image.shape[1] - first)
    for channel in range(block.shape[0]):
        source, target = block[channel], image[channel, first : first + count]
        for x in range(count):
            target[x] = source[x]


@inner
def _adjust(block: Floats, kind: int, factor: np.float32, level: np.float32) -> None:
    if kind == BRIGHTNESS:
        _scale(block, factor, _ZERO)
    elif kind == CONTRAST:
        _scale(block, factor, level)
    elif block.shape[0] == 3 and kind == SATURATION:
        _saturate(block, factor)
    elif block.shape[0] == 3 and kind == HUE:
        _turn_hue(block, factor)


@inner
def _mean(sums: Floats, count: int) -> np.float32:
    total = 0.0
    for x in range(_BLOCK):
        total += sums[x]
    return np.float32(total / count)


@kernel("float32[:, :, ::1]", ROWS, "int64[:, ::1]", "float32[:, ::1]", "boolean[::1]")
def jitter(images: Floats, rows: Places, order: Places, factors: Floats, used: Flags) -> None:
    """Brightness, contrast, saturation and hue of images[rows], each in its own order, in place.

    images: (n, C, pixels). order, factors: (m, 4), the kinds as numbered above; used: (4,), which of the kinds
    there are at all. Contrast needs the image's mean gray value, so there are two passes: one up to it, in which
    the mean is taken, and one with the rest.
    """
    channels, size = images.shape[1], images.shape[2]
    block, sums = np.empty((channels, _BLOCK), dtype=np.float32), np.empty(_BLOCK, dtype=np.float32)
    for i in range(rows.shape[0]):
        image, level = images[rows[i]], _ZERO
        turn = 4
        for position in range(4):
            if order[i, position] == CONTRAST and used[CONTRAST]:
                turn = position
        for x in range(_BLOCK):
            sums[x] = _ZERO
        for stage in range(2 if turn < 4 else 1):
            begin, end = (turn, 4) if stage else (0, turn)
            for first in range(0, size, _BLOCK):
                _load(image, first, block)
                for position in range(begin, end):
                    kind = order[i, position]
                    if used[kind]:
                        _adjust(block, kind, factors[i, kind], level)
                if end < 4:
                    _add_gray(block, sums)
                if begin < end:
                    _store(block, image, first)
            if end < 4:
                level = _mean(sums, size if channels == 3 else size * channels) * (_ONE - factors[i, CONTRAST])


@kernel("float32[:, :, ::1]", ROWS)
def grayscale(images: Floats, rows: Places) -> None:
    """Every channel of the RGB images[rows] becomes the gray value, in place. images: (n, 3, pixels)."""
    for i in range(rows.shape[0]):
        red, green, blue = images[rows[i], 0], images[rows[i], 1], images[rows[i], 2]
        for x in range(red.shape[0]):
            gray = red[x] * _RED + green[x] * _GREEN + blue[x] * _BLUE
            red[x] = gray
            green[x] = gray
            blue[x] = gray
