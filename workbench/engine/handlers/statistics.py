"""What normalization takes out of every view, as far as it can be told before a run has read all its images."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.engine.messages import Arrays, PixelStatistics, PixelStatisticsReply
from workbench.spec.errors import DataError
from workbench.spec.normalization import fixed_statistics
from workbench.spec.pixels import channels_of
from workbench.spec.progress import Report

_AT_ONCE = 32


def pixel_statistics(request: PixelStatistics, report: Report) -> tuple[PixelStatisticsReply, Arrays]:
    """The numbers that `data.normalize` stands for; the set's own are measured on these images. No torch.

    Files that cannot be read are left out. Raises `DataError` where none can.
    """
    from workbench.data.planes import counted
    from workbench.data.prepare import readable_images

    data = counted(request.data, Path(request.data.folder).expanduser(), request.paths)
    fixed = fixed_statistics(data, channels_of(data))
    if fixed is not None:
        return PixelStatisticsReply(mean=fixed[0], std=fixed[1]), {}
    counts: NDArray[np.int64] | None = None
    images = 0
    for start in range(0, len(request.paths), _AT_ONCE):
        report("measuring colors", start, len(request.paths))
        pixels, _, _ = readable_images(Path(data.folder), request.paths[start : start + _AT_ONCE], data)
        if len(pixels):
            found = _counted(pixels)
            counts = found if counts is None else counts + found
            images += len(pixels)
    if counts is None:
        raise DataError("None of these images can be read, so there is no mean to measure.")
    mean, std = _moments(counts)
    return PixelStatisticsReply(mean=mean, std=std, images=images), {}


def _counted(pixels: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.int64]:
    """(C, levels): how often each value occurs in (n, C, S, S). Sums of counts are exact in any order."""
    levels = int(np.iinfo(pixels.dtype).max) + 1
    return np.stack([np.bincount(channel.ravel(), minlength=levels) for channel in np.moveaxis(pixels, 1, 0)])


def _moments(counts: NDArray[np.int64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    values = np.linspace(0.0, 1.0, counts.shape[1])
    shares = counts / counts.sum(axis=1, keepdims=True)
    means = shares @ values
    variances = (shares * (values - means[:, None]) ** 2).sum(axis=1)
    smallest = 1.0 / (counts.shape[1] - 1)  # As in the pixel store: images of one even color must not divide by zero.
    deviations = np.sqrt(np.maximum(variances, smallest**2))
    return tuple(map(float, means)), tuple(map(float, deviations))
