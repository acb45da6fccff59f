"""Numbers behind a curve: smoothing, and thinning to what a screen can show. numpy only, no Qt."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One line of a plot. x: (n,) ascending; y: (n,); points that are not finite are left out.

    `color` is a position in the theme's cycle, -1 is gray. `note` stands at the line's end in place of `label`.
    """

    label: str
    x: Values
    y: Values
    color: int = 0
    note: str = ""
    smoothed: bool = False
    """Whether the plot's smoothing applies (its raw line then stays, faint, behind it)."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """A horizontal line to compare with."""

    label: str
    y: float
    dotted: bool = False


@dataclass(kw_only=True, eq=False)
class Trace:
    """A curve made ready for drawing: finite points only, and its smoothed values once they were asked for."""

    curve: Curve
    x: Values = field(init=False)
    y: Values = field(init=False)
    _weight: float = field(default=0.0, init=False)
    _smooth: Values | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        x = np.asarray(self.curve.x, dtype=np.float64)
        y = np.asarray(self.curve.y, dtype=np.float64)
        finite = np.isfinite(y)
        self.x, self.y = (x, y) if finite.all() else (x[finite], y[finite])

    def values(self, weight: float) -> Values:
        """y, smoothed where the curve wants it."""
        if not self.curve.smoothed or weight <= 0:
            return self.y
        if self._smooth is None or weight != self._weight:
            self._smooth, self._weight = smooth(self.y, weight), weight
        return self._smooth


def smooth(values: Values, weight: float) -> Values:
    """Exponential moving average without the start's pull towards zero (as in Adam, Kingma and Ba 2015, section 3).

    m_t = weight * m_(t-1) + (1 - weight) * y_t, divided by 1 - weight^t. values: (n,). The recurrence is
    solved in blocks so short that weight^-length stays within float64; what a block inherits from the one
    before it is known beforehand, and is added to its first value.
    """
    count = len(values)
    if count == 0 or weight <= 0:
        return values
    length = max(1, min(count, int(27.0 / -math.log(weight))))
    blocks = -(-count // length)
    flat: Values = np.zeros(blocks * length)
    flat[:count] = values
    grid = flat.reshape(blocks, length)
    powers = weight ** np.arange(length)
    ends = grid @ powers[::-1]
    ends[1:] += weight**length * ends[:-1]  # a block further back weighs e^-54 and less: below rounding
    grid[1:, 0] += weight * ends[:-1]
    grid *= 1.0 / powers
    np.cumsum(grid, axis=1, out=grid)
    grid *= powers * (1.0 - weight)
    early = flat[: min(count, int(40.0 / -math.log(weight)) + 1)]  # later, weight^t is below rounding
    early /= -np.expm1(np.arange(1, len(early) + 1) * math.log(weight))
    return flat[:count]


def visible(x: Values, low: float, high: float) -> slice:
    """The points within [low, high] and one more on either side, so that lines run to the border."""
    first, last = np.searchsorted(x, (low, high), side="left")
    return slice(max(0, int(first) - 1), min(len(x), int(last) + 1))


def envelope(x: Values, y: Values, low: float, high: float, columns: int) -> tuple[Values, Values]:
    """At most four points per pixel column that draw the same line: first, least, greatest, last.

    x, y: (n,), x ascending, already cut to what is visible. Returns thinner x and y.
    """
    if len(x) <= 4 * columns or columns < 1:
        return x, y
    edges = np.searchsorted(x, np.linspace(low, high, columns + 1)[:-1])
    starts = np.unique(np.concatenate(([0], edges[edges < len(x)])))
    ends = np.concatenate((starts[1:], [len(x)])) - 1
    least, greatest = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    middle = (x[starts] + x[ends]) / 2
    thin_x = np.stack((x[starts], middle, middle, x[ends]), axis=1)
    thin_y = np.stack((y[starts], least, greatest, y[ends]), axis=1)
    return thin_x.reshape(-1), thin_y.reshape(-1)
