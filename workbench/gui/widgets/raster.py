"""Points as pixels: a million colored dots into one picture in tens of milliseconds. numpy only, no Qt.

Drawing a million items one by one takes a toolkit seconds. Here every point becomes an index into the
picture, and one assignment per pixel of a dot's shape colors all of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Codes = NDArray[np.uint8]
Pixels = NDArray[np.uint32]

_LEVELS = 8
_MOST_WRITES = 5_000_000


@dataclass(frozen=True, kw_only=True)
class View:
    """pixel = position * scale + offset, in device pixels; y grows upwards in positions."""

    scale: float
    left: float
    top: float

    def to_pixels(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Where points are drawn."""
        return x * np.float32(self.scale) + np.float32(self.left), y * np.float32(-self.scale) + np.float32(self.top)

    def to_position(self, x: float, y: float) -> tuple[float, float]:
        """What is at a pixel."""
        return (x - self.left) / self.scale, (self.top - y) / self.scale

    def zoomed(self, factor: float, x: float, y: float) -> "View":
        """Larger by `factor`, with the pixel (x, y) where it is."""
        left, top = x - (x - self.left) * factor, y - (y - self.top) * factor
        return View(scale=self.scale * factor, left=left, top=top)

    def moved(self, x: float, y: float) -> "View":
        """Shifted by pixels."""
        return View(scale=self.scale, left=self.left + x, top=self.top + y)


def fit_view(x: Floats, y: Floats, width: int, height: int) -> View:
    """All points with a margin; the same scale on both axes, for distances mean the same on both."""
    if not len(x):
        return View(scale=1.0, left=width / 2, top=height / 2)
    left, right, low, high = float(x.min()), float(x.max()), float(y.min()), float(y.max())
    span_x, span_y = right - left, high - low
    if max(span_x, span_y) < 1e-6:  # all in one place: a collapsed representation
        span_x = span_y = 1.0
    scale = 0.92 * min(width / max(span_x, 1e-12), height / max(span_y, 1e-12))
    return View(scale=scale, left=width / 2 - (left + right) / 2 * scale, top=height / 2 + (low + high) / 2 * scale)


def dot_size(count: int, *, width: int, height: int, zoom: float, ratio: float = 1.0) -> float:
    """A dot's diameter in device pixels: smaller the more points there are, growing as one zooms in."""
    room = (width * height / max(1, count)) ** 0.5
    return float(np.clip(0.38 * room * max(zoom, 1e-3) ** 0.7, ratio, 9.0 * ratio))


def draw_points(
    x: Floats, y: Floats, inks: Codes, *, view: View, colors: Pixels, width: int, height: int, size: float
) -> Pixels:
    """A picture (height, width) of premultiplied ARGB, later points over earlier ones.

    x, y: (n,); inks: (n,) positions in `colors`; colors: (k,) ARGB, not premultiplied; size: diameter in pixels.
    """
    margin = 2 * (int(size) // 2 + 1)
    row_length = width + 2 * margin
    flat, kept = _places(x, y, view, margin, row_length, height + 2 * margin)
    inks = inks if kept is None else inks[kept]
    picture = np.zeros(row_length * (height + 2 * margin), np.uint32)
    if size < 1.6:
        _draw_density(picture, flat, inks, colors)
    else:
        while size > 2.0 and len(flat) * size * size > _MOST_WRITES:
            size *= 0.8
        _draw_discs(picture, flat, inks, colors, row_length, size)
    return np.ascontiguousarray(picture.reshape(-1, row_length)[margin : margin + height, margin : margin + width])


def _places(
    x: Floats, y: Floats, view: View, margin: int, columns: int, rows: int
) -> tuple[NDArray[np.int32], NDArray[np.intp] | None]:
    """Each visible point's position in the flat picture, and which points these are (None: all).

    The picture has a margin all around, twice as wide as a dot reaches: dots whose middle is just outside
    still show their edge, and none is written beyond a row's end.
    """
    across, down = view.to_pixels(x, y)
    # Truncation towards zero would draw -0.9 in column 0; with the margin added, only the hidden border is affected.
    with np.errstate(invalid="ignore"):  # What is too far away for int32 becomes its limit: not visible either.
        column = (across + np.float32(margin)).astype(np.int32)
        row = (down + np.float32(margin)).astype(np.int32)
    border = np.int32(margin // 2)
    inner_columns, inner_rows = np.uint32(columns - margin), np.uint32(rows - margin)
    visible = ((column - border).view(np.uint32) < inner_columns) & ((row - border).view(np.uint32) < inner_rows)
    flat = row * np.int32(columns) + column
    if visible.all():
        return flat, None
    kept = np.flatnonzero(visible)
    return flat[kept], kept


def _draw_density(picture: Pixels, flat: NDArray[np.int32], inks: Codes, colors: Pixels) -> None:
    """One pixel a point, the more opaque the more points share it."""
    counts = np.bincount(flat, minlength=len(picture))
    top = np.zeros(len(picture), np.uint8)
    top[flat] = inks
    hit = np.flatnonzero(counts)
    shades = np.stack([_premultiplied(colors, strength) for strength in np.linspace(0.5, 1.0, _LEVELS)])
    level = np.minimum(counts[hit], _LEVELS) - 1
    picture[hit] = shades[level, top[hit]]


def _draw_discs(
    picture: Pixels, flat: NDArray[np.int32], inks: Codes, colors: Pixels, row_length: int, size: float
) -> None:
    """Anti-aliased discs: thin edges first, so that the body of one dot is never cut by the edge of another."""
    for coverage, offsets in _stamp(size):
        ink = _premultiplied(colors, coverage)[inks]
        for down, across in offsets:
            picture[flat + np.int32(down * row_length + across)] = ink


def _stamp(size: float) -> list[tuple[float, list[tuple[int, int]]]]:
    """The pixels of a disc by how much of each it covers, least first."""
    reach = int(size) // 2 + 1
    fine = (np.arange(8) + 0.5) / 8 - 0.5
    across = (np.arange(-reach, reach + 1)[:, None] + fine).reshape(-1)
    disc = across[:, None] ** 2 + across**2 <= (size / 2) ** 2
    share = disc.reshape(2 * reach + 1, 8, 2 * reach + 1, 8).mean(axis=(1, 3))
    steps = np.ceil(share * 4).astype(np.int64)
    levels = []
    for step in range(1, 5):
        cells = [(int(down), int(column)) for down, column in np.argwhere(steps == step) - reach]
        if cells:
            levels.append((step / 4, cells))
    return levels


def _premultiplied(colors: Pixels, strength: float) -> Pixels:
    """ARGB with alpha times `strength`, and color times alpha."""
    alpha = (colors >> 24) * (strength / 255.0)
    channels = [np.round(((colors >> shift) & 255) * alpha).astype(np.uint32) << shift for shift in (16, 8, 0)]
    whole = np.round(alpha * 255.0).astype(np.uint32) << 24
    return (whole | channels[0] | channels[1] | channels[2]).astype(np.uint32)
