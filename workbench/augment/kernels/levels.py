"""Floats as the bytes of a picture."""

import numpy as np
from numpy.typing import NDArray

from workbench.augment.kernels.compiling import Floats, inner, kernel

_ZERO, _WHITE = np.float32(0), np.float32(255)


@inner
def _level(value: np.float32) -> np.uint8:
    return np.uint8(min(max(np.rint(value * _WHITE), _ZERO), _WHITE))


@kernel("float32[:, :, ::1]", "uint8[:, :, ::1]")
def interleave(images: Floats, pictures: NDArray[np.uint8]) -> None:
    """pictures (n, pixels, C) from images (n, C, pixels) in [0, 1]: 255 levels, rounded to the nearest.

    Three channels in one go: bytes that follow each other are written together, five times as fast.
    """
    for i in range(images.shape[0]):
        picture = pictures[i].reshape(-1)
        channels = images.shape[1]
        if channels == 3:
            red, green, blue = images[i, 0], images[i, 1], images[i, 2]
            for x in range(red.shape[0]):
                picture[3 * x] = _level(red[x])
                picture[3 * x + 1] = _level(green[x])
                picture[3 * x + 2] = _level(blue[x])
        else:
            for channel in range(channels):
                plane = images[i, channel]
                for x in range(plane.shape[0]):
                    picture[x * channels + channel] = _level(plane[x])
