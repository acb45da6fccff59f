"""What a method may know of the frames of films: read from paths and stored pixels."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.data.clips import positions
from workbench.method.frames import Frames

_PRETENDED = 100


def frames_of(pixels: NDArray[np.unsignedinteger[Any]], paths: Sequence[str], rows: NDArray[np.int64]) -> Frames:
    """The clip, the place and the motion of `rows` of the pixel store, whose images are at `paths`."""
    clip, position = positions([paths[row] for row in rows])
    motion = np.zeros(len(rows), np.float32)
    order = np.lexsort((position, clip))
    scale = float(np.iinfo(pixels.dtype).max)
    for one, following in pairwise(order):
        if clip[one] == clip[following]:
            before, after = (pixels[rows[place]].astype(np.float32) for place in (one, following))
            motion[one] = np.abs(after - before).mean() / scale
    return Frames(clip=torch.from_numpy(clip), position=torch.from_numpy(position), motion=torch.from_numpy(motion))


def pretended_frames(count: int) -> Frames:
    """Clips of 100 frames that all move alike: to measure a method that has no images yet."""
    numbers = torch.arange(count)
    return Frames(clip=numbers // _PRETENDED, position=numbers % _PRETENDED, motion=torch.ones(count))
