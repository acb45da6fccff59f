"""Small charts as inline SVG: no frame, a faint grid, labels at the ends of the lines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.export.page.markup import escape

COLORS = 10
OTHERS = "var(--c9)"
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 96, 10, 34
_MOST_POINTS = 600
_LABEL_HEIGHT = 15

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line. `points` are in the order of x; a label is written at its end."""

    points: Points
    label: str = ""
    color: str = "var(--line)"
    style: Literal["solid", "faint", "dashed", "dotted"] = "solid"


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis. low and high None: from the data. `unit` is written at its end."""

    low: float | None = None
    high: float | None = None
    unit: str = ""
    scale: Literal["linear", "log", "percent"] = "linear"


def line_chart(series: Sequence[Series], *, x: Axis, y: Axis, width: int = 640, height: int = 280) -> str:
    """Lines over a shared x. Values that are not finite, or not positive on a log axis, are left out."""
    drawn = [(one, _usable(one.points, y)) for one in series]
    drawn = [(one, points) for one, points in drawn if points]
    if not drawn:
        return ""
    horizontal = _Scale.of([px for _, points in drawn for px, _ in points], x, _LEFT, width - _RIGHT)
    vertical = _Scale.of([py for _, points in drawn for _, py in points], y, height - _BOTTOM, _TOP)
    parts = [_grid(horizontal, vertical, x, y, width=width, height=height)]
    for one, points in drawn:
        path = " ".join(f"{horizontal.at(px):.1f},{vertical.at(py):.1f}" for px, py in points)
        parts.append(f'<polyline class="line {one.style}" stroke="{one.color}" points="{path}"/>')
    ends = [(one, horizontal.at(points[-1][0]), vertical.at(points[-1][1])) for one, points in drawn if one.label]
    parts.extend(_end_labels(ends, top=_TOP, bottom=height - _BOTTOM))
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>'


def point_map(positions: NDArray[np.float32], groups: NDArray[np.int64], *, width: int = 760, height: int = 520) -> str:
    """Points (N, 2), each in the color of its group (0 … 9; the last is gray), scaled alike in both directions."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    scale = float(min((width - 16) / span[0], (height - 16) / span[1]))
    placed = (positions - (low + high) / 2) * [scale, -scale] + [width / 2, height / 2]
    dot = 5.0 if len(positions) <= 1000 else 4.0 if len(positions) <= 3000 else 3.0
    parts = []
    for group in np.unique(groups)[::-1]:  # Gray first, so that it lies below.
        path = "".join(f"M{px:.1f} {py:.1f}h0" for px, py in placed[groups == group])
        parts.append(f'<path class="dots" stroke="var(--c{group})" stroke-width="{dot}" d="{path}"/>')
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>'


def interval_bar(
    value: float, low: float, high: float, *, color: str = "var(--accent)", mark: float | None = None
) -> str:
    """A share and its interval on a line from 0 to 1; `mark` is another share, as a short line across."""
    left, middle, right = (4 + 120 * share for share in (low, value, high))
    across = ""
    if mark is not None:
        x = f"{4 + 120 * mark:.1f}"
        across = f'<line x1="{x}" x2="{x}" y1="2" y2="14" stroke="var(--text)" stroke-width="1.5"/>'
    return (
        '<svg class="interval" viewBox="0 0 128 16" role="img">'
        '<line x1="4" x2="124" y1="8" y2="8" stroke="var(--track)" stroke-width="2"/>'
        f'<line x1="{left:.1f}" x2="{right:.1f}" y1="8" y2="8" stroke="{color}" stroke-width="4" opacity="0.45"/>'
        f'<circle cx="{middle:.1f}" cy="8" r="4" fill="{color}"/>{across}</svg>'
    )


def thinned(points: Points, most: int = _MOST_POINTS) -> list[tuple[float, float]]:
    """At most `most` points: each the mean of a stretch, with the first and the last as they are."""
    if len(points) <= most:
        return list(points)
    values = np.asarray(points, dtype=np.float64)
    stretches = np.array_split(values[1:-1], most - 2)
    middle = [(float(part[:, 0].mean()), float(part[:, 1].mean())) for part in stretches]
    return [tuple(values[0].tolist()), *middle, tuple(values[-1].tolist())]


def smoothed(points: Points, *, keep: float = 0.9) -> list[tuple[float, float]]:
    """An exponential mean without the pull of its start (as Adam corrects it)."""
    result, mean, weight = [], 0.0, 0.0
    for at, value in points:
        mean = keep * mean + (1 - keep) * value
        weight = keep * weight + (1 - keep)
        result.append((at, mean / weight))
    return result


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, about `count` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """From a value to a place in the picture."""

    low: float
    high: float
    begin: float
    end: float
    marks: tuple[float, ...]
    log: bool

    @classmethod
    def of(cls, values: Sequence[float], axis: Axis, begin: float, end: float) -> "_Scale":
        log = axis.scale == "log"
        low = min(values) if axis.low is None else axis.low
        high = max(values) if axis.high is None else axis.high
        if log:
            low, high = math.log10(low), math.log10(high)
            low, high = math.floor(low + 1e-9), max(math.ceil(high - 1e-9), math.floor(low) + 1)
            marks = tuple(10.0**power for power in range(int(low), int(high) + 1))
        else:
            if not high > low:
                low, high = low - 0.5, high + 0.5
            marks = tuple(ticks(low, high))
        return cls(low=low, high=high, begin=begin, end=end, marks=marks, log=log)

    def at(self, value: float) -> float:
        share = ((math.log10(value) if self.log else value) - self.low) / (self.high - self.low)
        return self.begin + (self.end - self.begin) * share


def _usable(points: Points, y: Axis) -> list[tuple[float, float]]:
    return [
        (at, value)
        for at, value in points
        if math.isfinite(at) and math.isfinite(value) and (y.scale != "log" or value > 0)
    ]


def _grid(horizontal: _Scale, vertical: _Scale, x: Axis, y: Axis, *, width: int, height: int) -> str:
    parts = []
    right = width - _RIGHT
    for mark in vertical.marks:
        place = vertical.at(mark)
        parts.append(f'<line class="gridline" x1="{_LEFT}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{place + 4:.1f}" text-anchor="end">{_mark(mark, y)}</text>')
    for mark in horizontal.marks:
        place = horizontal.at(mark)
        parts.append(f'<text x="{place:.1f}" y="{height - 14}" text-anchor="middle">{_mark(mark, x)}</text>')
    if x.unit:
        parts.append(f'<text x="{width - _RIGHT + 24}" y="{height - 14}">{escape(x.unit)}</text>')
    return "".join(parts)


def _mark(value: float, axis: Axis) -> str:
    if axis.scale == "percent":
        return f"{value * 100:.4g} %"
    return f"{value:g}".replace("-", "−")


def _end_labels(ends: Sequence[tuple[Series, float, float]], *, top: float, bottom: float) -> list[str]:
    """Labels beside the ends of their lines, moved apart where they would lie on each other."""
    places = sorted(ends, key=lambda end: end[2])
    free = top
    heights = []
    for _, _, y in places:
        free = max(free, y)
        heights.append(free)
        free += _LABEL_HEIGHT
    limit = bottom
    for index in range(len(heights) - 1, -1, -1):
        heights[index] = min(heights[index], limit)
        limit = heights[index] - _LABEL_HEIGHT
    return [
        f'<text class="label" x="{x + 8:.1f}" y="{y + 4:.1f}" style="fill:{one.color}">{escape(one.label)}</text>'
        for (one, x, _), y in zip(places, heights, strict=True)
    ]
