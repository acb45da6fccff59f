"""Paints small pictures, many at once: a textured body with an eye, on a ground, in light from above.

However a body is turned, the light stays: its upper side is bright and its shadow lies below, so that a picture has an
upright position, as photographs have, that the orientation of the body does not tell.

Everything is a field over the pixels of a batch, (n, H, W) float32. A body is a signed distance
(negative inside) in units of its own radius, so that its edge, its rim and its shadow come from one
number, smooth at any scale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
_Outline = Callable[[Field, Field], Field]

SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
COLORS = ("red", "yellow", "green", "cyan", "blue", "magenta")
TEXTURES = ("solid", "stripes", "dots", "checker")
ORIENTATIONS = ("up", "right", "down", "left")
BACKGROUNDS = ("plain", "gradient", "clouds", "grain")

_HUES = np.array([0.0, 47.0, 125.0, 182.0, 222.0, 305.0], dtype=np.float32) / 360.0
_CLOUD = 8  # Knots of the cloud noise along a side.
_LIGHT = 0.30  # How much brighter a body is at its top (and darker at its foot), a radius from its middle.
_DROP = 0.32  # How far below a body its shadow lies, in radii.


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is on n pictures. Factors are indices (n,) into the tuples above; `chance` is (n, 20) in [0, 1):

    everything that varies beside the factors. `seed` is for the grain and the clouds.
    """

    shape: NDArray[np.int64]
    color: NDArray[np.int64]
    texture: NDArray[np.int64]
    orientation: NDArray[np.int64]
    background: NDArray[np.int64]
    chance: Field
    seed: tuple[int, ...]

    def between(self, slot: int, low: float, high: float) -> Field:
        """(n, 1, 1): the chance of that slot as a number from low to high."""
        return (low + (high - low) * self.chance[:, slot, None, None]).astype(np.float32)


def paint(scene: Scene, size: int) -> NDArray[np.uint8]:
    """(n, size, size, 3) RGB."""
    rng = np.random.default_rng(scene.seed)
    x, y = _pixels(size)
    at = _place(scene, size)
    picture = _ground(scene, x, y, rng=rng)
    shadow = np.exp(-2.5 * np.maximum(np.hypot(at.away_x, at.away_y - _DROP) - 0.6, 0.0))
    picture *= (1.0 - 0.42 * shadow)[..., None]
    body = _body(scene, at.own_x, at.own_y, at.body, edge=at.edge)
    body *= (1.0 - _LIGHT * at.away_y)[..., None]
    _blend(picture, body, _inside(at.body, at.edge))
    _blend(picture, np.float32(0.97), _inside(at.eye, at.edge))
    _blend(picture, np.float32(0.08), _inside(at.pupil, at.edge))

    noise = rng.standard_normal(picture.shape[:3], dtype=np.float32) * scene.between(4, 0.0, 0.03)
    picture = (picture + noise[..., None]) * scene.between(5, 0.75, 1.1)[..., None]
    return np.asarray(np.rint(np.clip(picture, 0.0, 1.0) * 255.0), dtype=np.uint8)


def outline(scene: Scene, size: int) -> NDArray[np.bool_]:
    """(n, size, size): where the body is, its eye included, by the middle of each pixel."""
    at = _place(scene, size)
    return np.asarray((at.body < 0) | (at.eye < 0))


class _Place(NamedTuple):
    """Where things are on n pictures, in radii of the body: (n, H, W) each, `edge` (n, 1, 1) the size of a pixel.

    away_x, away_y: from the middle of the body; own_x, own_y: the same, turned as it is. body, eye, pupil: signed
    distances.
    """

    away_x: Field
    away_y: Field
    own_x: Field
    own_y: Field
    edge: Field
    body: Field
    eye: Field
    pupil: Field


def _place(scene: Scene, size: int) -> _Place:
    x, y = _pixels(size)
    radius = scene.between(2, 0.52, 0.76)
    away_x, away_y = (x - scene.between(0, -0.22, 0.22)) / radius, (y - scene.between(1, -0.22, 0.22)) / radius
    turn = np.deg2rad(90.0 * scene.orientation[:, None, None] + scene.between(3, -20.0, 20.0)).astype(np.float32)
    own_x, own_y = _turned(away_x, away_y, -turn)
    eye = np.where(scene.shape == SHAPES.index("ring"), 0.64, 0.40).astype(np.float32)[:, None, None]
    return _Place(
        away_x,
        away_y,
        own_x,
        own_y,
        edge=2.0 / size / radius,
        body=_by_kind(scene.shape, (_circle, _square, _triangle, _star, _cross, _ring), own_x, own_y),
        eye=np.hypot(own_x, own_y + eye) - 0.165,
        pupil=np.hypot(own_x, own_y + eye + 0.035) - 0.09,
    )


def _pixels(size: int) -> tuple[Field, Field]:
    """The middles of the pixels of a picture, from -1 to 1: x (1, 1, W) and y (1, H, 1)."""
    line = ((np.arange(size, dtype=np.float32) + 0.5) * 2.0 / size - 1.0).astype(np.float32)
    return line[None, None, :], line[None, :, None]


def _body(scene: Scene, own_x: Field, own_y: Field, distance: Field, *, edge: Field) -> Field:
    hue = _HUES[scene.color] + (scene.chance[:, 6] - 0.5) * (20.0 / 360.0)
    saturation = 0.62 + 0.33 * scene.chance[:, 7]
    value = 0.78 + 0.20 * scene.chance[:, 8]
    light = _rgb(hue, saturation, value)[:, None, None, :]
    dark = _rgb(hue, np.minimum(1.0, saturation + 0.1), value * (0.64 + 0.10 * scene.chance[:, 9]))[:, None, None, :]
    across, along = _turned(own_x, own_y, scene.between(10, 0.0, 2.0 * np.pi))
    pitch = scene.between(11, 0.40, 0.56)
    across, along = across / pitch + scene.between(12, 0.0, 1.0), along / pitch + scene.between(13, 0.0, 1.0)
    kinds = (_no_pattern, _stripes, _dots, _checker)
    pattern = _by_kind(scene.texture, kinds, across, along)
    share = np.clip(0.5 - pattern * pitch / edge / 1.5, 0.0, 1.0)[..., None]
    rim = np.clip((distance + 0.15) / 0.06, 0.0, 1.0)[..., None]
    return np.asarray((light + (dark - light) * share) * (1.0 - 0.7 * rim), dtype=np.float32)


def _ground(scene: Scene, x: Field, y: Field, *, rng: np.random.Generator) -> Field:
    """Muted, from dark to light, so that two pictures of one thing are far apart as mere pixels."""
    count, size = len(scene.shape), x.shape[-1]
    hue, saturation = scene.chance[:, 14], 0.06 + 0.28 * scene.chance[:, 15]
    value = 0.18 + 0.78 * scene.chance[:, 16]
    step = np.where(value > 0.58, -1.0, 1.0) * (0.14 + 0.10 * scene.chance[:, 17])
    first = _rgb(hue, saturation, value)[:, None, None, :]
    second = _rgb(hue + 0.12 * (scene.chance[:, 18] - 0.5), saturation, np.clip(value + step, 0, 1))[:, None, None, :]
    knots = rng.random((count, _CLOUD, _CLOUD), dtype=np.float32)
    speckles = rng.random((count, size, size), dtype=np.float32)
    slope = scene.between(19, 0.0, 2.0 * np.pi)
    mixture = np.zeros((count, size, size), dtype=np.float32)
    for kind, name in enumerate(BACKGROUNDS):
        rows = np.flatnonzero(scene.background == kind)
        if name == "gradient":
            mixture[rows] = 0.5 + 0.5 * (x * np.cos(slope[rows]) + y * np.sin(slope[rows])) / 1.3
        elif name == "clouds":
            weights = _smooth_weights(_CLOUD, size)
            mixture[rows] = np.clip((weights @ knots[rows] @ weights.T - 0.5) * 3.2 + 0.5, 0.0, 1.0)
        elif name == "grain":
            mixture[rows] = speckles[rows] ** 2
    return np.asarray(first + (second - first) * mixture[..., None], dtype=np.float32)


def _smooth_weights(knots: int, points: int) -> Field:
    """(points, knots): a cubic B-spline over equally spaced knots, rows adding up to 1."""
    place = np.linspace(1.0, knots - 2.0, points, dtype=np.float32)
    away = np.abs(place[:, None] - np.arange(knots, dtype=np.float32))
    near = 2.0 / 3.0 - away**2 + away**3 / 2.0
    return np.where(away < 1.0, near, np.maximum(2.0 - away, 0.0) ** 3 / 6.0).astype(np.float32)


def _by_kind(
    kind: NDArray[np.int64], functions: tuple[Callable[[Field, Field], Field], ...], x: Field, y: Field
) -> Field:
    out = np.empty_like(x)
    for number, function in enumerate(functions):
        rows = np.flatnonzero(kind == number)
        if len(rows):
            out[rows] = function(x[rows], y[rows])
    return out


def _circle(x: Field, y: Field) -> Field:
    return np.asarray(np.hypot(x, y) - 0.86, dtype=np.float32)


def _square(x: Field, y: Field) -> Field:
    return np.asarray(np.maximum(np.abs(x), np.abs(y)) - 0.76, dtype=np.float32)


def _triangle(x: Field, y: Field) -> Field:
    leaning = np.sqrt(3.0) / 2.0 * np.abs(x) - 0.5 * (y + 0.08)
    return np.asarray(np.maximum(y + 0.08, leaning) - 0.54, dtype=np.float32)


def _star(x: Field, y: Field) -> Field:
    """Five points. The plane is folded into one tenth, in which the outline is a straight line."""
    tenth = np.pi / 5.0
    angle = np.abs((np.arctan2(x, -y) + tenth) % (2.0 * tenth) - tenth)
    length = np.hypot(x, y)
    along, across = length * np.cos(angle), length * np.sin(angle)
    tip, notch = 1.06, (0.50 * np.cos(tenth), 0.50 * np.sin(tenth))
    run, rise = notch[0] - tip, notch[1]
    return np.asarray(((along - tip) * rise - across * run) / np.hypot(run, rise), dtype=np.float32)


def _cross(x: Field, y: Field) -> Field:
    long, wide = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    return np.asarray(np.maximum(long - 0.92, wide - 0.34), dtype=np.float32)


def _ring(x: Field, y: Field) -> Field:
    return np.asarray(np.abs(np.hypot(x, y) - 0.66) - 0.28, dtype=np.float32)


def _no_pattern(x: Field, y: Field) -> Field:
    del y
    return np.ones_like(x)


def _stripes(x: Field, y: Field) -> Field:
    del y
    return np.asarray(np.abs(x % 1.0 - 0.5) - 0.24, dtype=np.float32)


def _dots(x: Field, y: Field) -> Field:
    return np.asarray(np.hypot(x % 1.0 - 0.5, y % 1.0 - 0.5) - 0.29, dtype=np.float32)


def _checker(x: Field, y: Field) -> Field:
    """Signed distance (nearly) to the edges of the dark fields: the product of two waves of squares."""
    near_x, near_y = 0.25 - np.abs(x % 1.0 - 0.5), 0.25 - np.abs(y % 1.0 - 0.5)
    return np.asarray(-np.sign(near_x * near_y) * np.minimum(np.abs(near_x), np.abs(near_y)), dtype=np.float32)


def _inside(distance: Field, edge: Field) -> Field:
    """1 inside, 0 outside, and the share of the pixel between."""
    return np.asarray(np.clip(0.5 - distance / edge, 0.0, 1.0), dtype=np.float32)


def _blend(picture: Field, over: Field | np.float32, share: Field) -> None:
    picture += (over - picture) * share[..., None]


def _turned(x: Field, y: Field, angle: Field) -> tuple[Field, Field]:
    cosine, sine = np.cos(angle), np.sin(angle)
    return x * cosine - y * sine, x * sine + y * cosine


def _rgb(hue: Field, saturation: Field, value: Field) -> Field:
    """HSV (n,) each, hue in turns, to (n, 3)."""
    sector = (hue[:, None] * 6.0 + np.array([5.0, 3.0, 1.0], dtype=np.float32)) % 6.0
    fall = np.clip(np.minimum(sector, 4.0 - sector), 0.0, 1.0)
    return np.asarray(value[:, None] * (1.0 - saturation[:, None] * fall), dtype=np.float32)
