"""Learning rate and weight decay as pure functions of where training stands."""

import math
from typing import Literal


def learning_rate(
    position: float, *, total: int, base: float, warmup: float, shape: Literal["cosine", "constant"]
) -> float:
    """The learning rate of one step.

    `position` counts steps from 0 (a fraction where a time limit moves it), `total` is the number of
    steps of the run, `warmup` how many of them rise in a straight line to `base`: step 0 gets
    base / warmup, and step `warmup` the first full `base`. After that it falls to 0 at `total` along
    half a cosine (Loshchilov and Hutter 2017, eq. 5, without restarts), or stays.
    """
    warmup = min(warmup, float(total))
    if position < warmup:
        return base * min(1.0, (position + 1) / warmup)
    if shape == "constant":
        return base
    done = min(1.0, (position - warmup) / max(1.0, total - warmup))
    return base * 0.5 * (1 + math.cos(math.pi * done))


def scaled_learning_rate(per_256: float, batch_size: int) -> float:
    """The linear scaling rule (Goyal et al. 2017): the learning rate is given per 256 images."""
    return per_256 * batch_size / 256


def weight_decay(position: float, *, total: int, base: float, factor: float) -> float:
    """From `base` at step 0 to `base` × `factor` at `total`, along half a cosine (Caron et al. 2021, section 3.2)."""
    if factor == 1:
        return base
    done = min(1.0, position / max(1, total))
    return base * (factor - (factor - 1) * 0.5 * (1 + math.cos(math.pi * done)))
