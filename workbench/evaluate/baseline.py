"""Raw pixels as features: what can be told from the images without any network."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.spec.progress import Report, ignore

PIXEL_SIDE = 16


def pixel_features(
    pixels: NDArray[np.unsignedinteger[Any]], rows: NDArray[np.int64], *, report: Report = ignore
) -> NDArray[np.float32]:
    """Rows of (N, C, S, S) shrunk to at most 16 px by means over squares: (n, C · s · s) float32 in [0, 1].

    Larger would cost more than it adds: the baseline stands for color and coarse layout.
    """
    factor = max(1, -(-pixels.shape[-1] // PIXEL_SIDE))
    side = pixels.shape[-1] // factor
    most = np.iinfo(pixels.dtype).max
    features = np.empty((len(rows), pixels.shape[1] * side * side), dtype=np.float32)
    for start in range(0, len(rows), 256):
        report("shrinking pixels", start, len(rows))
        block = pixels[rows[start : start + 256], :, : side * factor, : side * factor].astype(np.float32) / most
        squares = block.reshape(*block.shape[:2], side, factor, side, factor).mean(axis=(3, 5))
        features[start : start + len(block)] = squares.reshape(len(block), -1)
    return features
