"""Floats as the bytes of a picture."""

import numpy as np
from numpy.typing import NDArray

from workbench.augment.kernels.compiling import Floats, kernel

_ZERO, _WHITE = np.float32(0), np.float32(255)


@kernel("float32[:, :, ::1]", "uint8[:, :, ::1]")
def interleave(images: Floats, pictures: NDArray[np.uint8]) -> None:
    """pictures (n, pixels, C) from images (n, C, pixels) in [0, 1]: 255 levels, rounded to the nearest."""
    for i in range(images.shape[0]):
        picture = pictures[i]
        for channel in range(images.shape[1]):
            plane = images[i, channel]
            for x in range(plane.shape[0]):
                picture[x, channel] = np.uint8(min(max(np.rint(plane[x] * _WHITE), _ZERO), _WHITE))
