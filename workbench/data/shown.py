"""Which channels of an image a person sees: the first three as red, green and blue."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

SHOWN = 3


def as_pictures(stored: NDArray[np.unsignedinteger[Any]]) -> Pixels:
    """Stored pixels (n, C, h, w) of 8 or 16 bits as pictures (n, h, w, 3)."""
    last = np.moveaxis(stored[:, :SHOWN], 1, -1)
    if last.dtype == np.uint16:
        return of_three(np.rint(last.astype(np.float32) * np.float32(255 / 65_535)).astype(np.uint8))
    return of_three(last)


def of_three(pictures: NDArray[np.generic]) -> Pixels:
    """(n, h, w, 1 to 3) bytes as (n, h, w, 3): gray is the same in all three; of two planes there is no blue."""
    count = pictures.shape[-1]
    if count == 1:
        pictures = np.repeat(pictures, SHOWN, axis=-1)
    elif count == 2:
        pictures = np.concatenate([pictures, np.zeros_like(pictures[..., :1])], axis=-1)
    return np.ascontiguousarray(pictures, dtype=np.uint8)
