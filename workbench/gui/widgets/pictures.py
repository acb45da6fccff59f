"""Arrays as pictures: quick, sharp on any screen, and honest when enlarged."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter, QPolygonF, QTransform

ENLARGED = 2.0
"""Past this factor pixels are shown as squares, so that nobody mistakes smoothing for detail."""


def as_image(pixels: NDArray[np.generic]) -> QImage:
    """(h, w, 3) uint8 RGB as a picture with a copy of its pixels."""
    block = np.ascontiguousarray(pixels, dtype=np.uint8)
    height, width, channels = block.shape
    if channels != 3:
        raise ValueError(f"a picture has three channels, not {channels}")
    return QImage(block.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


class Pictures(Sequence[QImage]):
    """Pixels (n, h, w, 3) uint8 as pictures, each made when it is first looked at: most may be out of sight.

    `before`: pictures that these replace. Where the pixels are the same, so is the picture, and whoever has painted
    it (see `Scaler`) need not do so again. `block`: the pixels; `made`: the pictures that were looked at, by place.
    """

    def __init__(self, block: NDArray[np.generic] | None = None, before: "Pictures | None" = None) -> None:
        self.block = np.zeros((0, 0, 0, 3), np.uint8) if block is None else np.asarray(block, np.uint8)
        self.made: dict[int, QImage] = {}
        self._old_block, self._old_made = (before.block, before.made) if before else (self.block, self.made)

    def __len__(self) -> int:
        return len(self.block)

    @overload
    def __getitem__(self, place: int) -> QImage: ...
    @overload
    def __getitem__(self, place: slice) -> list[QImage]: ...
    def __getitem__(self, place: int | slice) -> QImage | list[QImage]:
        """The picture at a place."""
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        image = self.made.get(place)
        if image is None:
            pixels = self.block[place]
            image = self._old_made.get(place)
            if image is None or not np.array_equal(pixels, self._old_block[place]):
                image = as_image(pixels)
            self.made[place] = image
        return image

    def __iter__(self) -> Iterator[QImage]:
        return (self[place] for place in range(len(self)))

    @property
    def size(self) -> QSize:
        """Of each of them."""
        return QSize(self.block.shape[2], self.block.shape[1])


def as_pixels(image: QImage) -> NDArray[np.uint8]:
    """A picture as (h, w, 3) uint8 RGB."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return lines[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).copy()


def part(
    pixels: NDArray[np.generic], corners: Sequence[tuple[float, float]], width: int, height: int
) -> NDArray[np.uint8]:
    """(height, width, 3): what lies between four corners of (h, w, 3) uint8, black outside of it.

    corners: from 0 to 1, top left first, clockwise; another order turns or mirrors the part.
    """
    image = as_image(pixels)
    ends = [QPointF(x * image.width(), y * image.height()) for x, y in corners]
    goal = QPolygonF([QPointF(0, 0), QPointF(width, 0), QPointF(width, height), QPointF(0, height)])
    made = QImage(width, height, QImage.Format.Format_RGB32)
    made.fill(Qt.GlobalColor.black)
    moved = QTransform()
    if QTransform.quadToQuad(QPolygonF(ends), goal, moved):  # False where the corners lie on one line
        with QPainter(made) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setTransform(moved)
            painter.drawImage(0, 0, image)
    return as_pixels(made)


def fitted(size: QSize, box: QRectF) -> QRectF:
    """The largest rectangle of a picture's shape inside a box, at its top left."""
    return QRectF(box.topLeft(), QSizeF(size).scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio))


class Scaler:
    """Keeps pictures at the size at which they are painted, so that a repaint costs a copy."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, int], QImage] = {}

    def clear(self) -> None:
        """Forgets everything: the pictures are to be painted at another size."""
        self._kept.clear()

    def keep(self, images: Iterable[QImage]) -> None:
        """Forgets all pictures but these."""
        keys = {image.cacheKey() for image in images}
        self._kept = {key: scaled for key, scaled in self._kept.items() if key[0] in keys}

    def paint(self, painter: QPainter, box: QRectF, image: QImage) -> None:
        """Paints a picture filling a box: smooth when shrunk or little enlarged, in squares past 200 %."""
        ratio = painter.device().devicePixelRatioF()
        width, height = max(1, round(box.width() * ratio)), max(1, round(box.height() * ratio))
        key = (image.cacheKey(), width, height)
        scaled = self._kept.get(key)
        if scaled is None:
            coarse = width > ENLARGED * image.width()
            how = Qt.TransformationMode.FastTransformation if coarse else Qt.TransformationMode.SmoothTransformation
            scaled = image.scaled(width, height, Qt.AspectRatioMode.IgnoreAspectRatio, how)
            scaled = scaled.convertToFormat(QImage.Format.Format_RGB32)
            self._kept[key] = scaled
        painter.drawImage(box, scaled)
