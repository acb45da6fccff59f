"""Arrays as pictures: quick, sharp on any screen, and honest when enlarged."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter

from workbench.engine.messages import Arrays

ENLARGED = 2.0
"""Past this factor pixels are shown as squares, so that nobody mistakes smoothing for detail."""


def as_image(pixels: NDArray[np.generic]) -> QImage:
    """(h, w, 3) uint8 RGB as a picture with a copy of its pixels."""
    block = np.ascontiguousarray(pixels, dtype=np.uint8)
    height, width, channels = block.shape
    if channels != 3:
        raise ValueError(f"a picture has three channels, not {channels}")
    return QImage(block.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def as_images(arrays: Arrays, name: str) -> list[QImage]:
    """(n, h, w, 3) uint8 as pictures; none where the reply has no such array."""
    block = arrays.get(name)
    return [as_image(pixels) for pixels in block] if block is not None else []


def fitted(image: QImage, box: QRectF) -> QRectF:
    """The largest rectangle of the picture's shape inside a box, at its top left."""
    size = QSizeF(image.size()).scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio)
    return QRectF(box.topLeft(), size)


class Scaler:
    """Keeps pictures at the size at which they are painted, so that a repaint costs a copy."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, int], QImage] = {}

    def clear(self) -> None:
        """Forgets everything: the pictures have changed."""
        self._kept.clear()

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
