"""How often each value occurs in a picture, channel by channel, before and after."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui import theme
from workbench.gui.widgets.shades import Shades

Pixels = NDArray[np.uint8]
Counts = NDArray[np.int64]

_COLORS = ("#d64545", "#3f9b50", "#3f74d6")
_NAMES = ("red", "green", "blue")
_BINS = 64
_STRIP, _GAP, _AXIS = 34.0, 6.0, 16.0
_NONE: Counts = np.zeros((0, 256), np.int64)


class Histogram(QWidget):
    """A strip per channel, one alone for gray pictures: before as a pale shape, after as a line over it.

    Heights are square roots, so that rare values are seen beside an even background.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._after = _NONE
        self._before = _NONE
        self._shades: Shades | None = None
        self._planes = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Histogram")
        self.setToolTip("How often each value occurs: before filled, after as a line. Heights are square roots.")
        theme.changed.connect(self.update)

    @property
    def after(self) -> Counts:
        """(channels, 256): how often each value occurs in the later picture."""
        return self._after

    @property
    def before(self) -> Counts:
        """(channels, 256) of the earlier picture; (0, 256) without one."""
        return self._before

    def set_pictures(self, before: Pixels | None, after: Pixels | None) -> None:
        """(h, w, 3) uint8 each."""
        pictures = [picture for picture in (before, after) if picture is not None]
        gray = self._planes == 1 or (self._planes == 0 and all(_is_gray(picture) for picture in pictures))
        strips = 1 if gray else min(3, self._planes or 3)
        self._before = counted(before)[:strips] if before is not None else _NONE
        self._after = counted(after)[:strips] if after is not None else _NONE
        self.setAccessibleDescription("; ".join(self.words()))
        self.updateGeometry()
        self.update()

    def set_planes(self, count: int) -> None:
        """Pictures show the first three of so many planes; 0 where they are in color or gray."""
        self._planes = count

    def set_shades(self, shades: Shades | None) -> None:
        """Writes the network's numbers at the ends of the axis; None writes 0 and 255."""
        self._shades = shades
        self.update()

    def words(self) -> tuple[str, ...]:
        """'before: 0.1 % at 0, 0.0 % at 255', and the same of after: how much is clipped, or black or white anyway."""
        told = []
        for name, counts in (("before", self._before), ("after", self._after)):
            if counts.size:
                dark, bright = (100 * float(counts[:, end].sum()) / float(counts.sum()) for end in (0, 255))
                told.append(f"{name}: {dark:.1f} % at 0, {bright:.1f} % at 255")
        return tuple(told)

    def channels(self) -> str:
        """'red, green, blue', 'gray', or 'planes 1, 2, 3': what the strips are, from above."""
        if self._planes:
            return f"plane{'s' if len(self._after) > 1 else ''} " + ", ".join(
                str(number + 1) for number in range(len(self._after))
            )
        return ", ".join(_NAMES) if len(self._after) == len(_NAMES) else "gray"

    def sizeHint(self) -> QSize:
        """As high as its strips."""
        strips = max(1, len(self._after))
        return QSize(200, round(strips * _STRIP + (strips - 1) * _GAP + _AXIS))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Strips, and the ends of the axis below each where these differ, else below the last."""
        del event
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            font = QFont(self.font())
            font.setPixelSize(max(9, round(QFontInfo(font).pixelSize() * 0.8)))
            painter.setFont(font)
            for number in range(len(self._after)):
                area = QRectF(0.5, number * (_STRIP + _GAP) + 1, self.width() - 1, _STRIP - 1)
                self._paint_strip(painter, number, area)
            if len(self._after):
                self._paint_axis(painter, QRectF(0, self.height() - _AXIS, self.width(), _AXIS))

    def _paint_strip(self, painter: QPainter, number: int, area: QRectF) -> None:
        tokens = theme.tokens()
        lines = [_heights(counts[number]) for counts in (self._before, self._after) if counts.size]
        most = max(float(line.max()) for line in lines)
        if self._before.size:
            shape = [area.bottomLeft(), *_outline(lines[0], most, area), area.bottomRight()]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.scroll))
            painter.drawPolygon(QPolygonF(shape))
        painter.setPen(QPen(QColor(tokens.grid), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        color = QColor(_COLORS[number]) if len(self._after) > 1 else QColor(tokens.text)
        painter.setPen(QPen(color, 1.5))
        painter.drawPolyline(QPolygonF(_outline(lines[-1], most, area)))

    def _paint_axis(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(QColor(theme.tokens().secondary))
        low, high = "0", "255"
        if self._shades is not None:
            low, high = (f"{self._shades.numbers[:, end].mean():+.1f}" for end in (0, 255))
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, low)
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, high)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.channels())


def counted(picture: Pixels) -> Counts:
    """(3, 256): how often each value occurs in (h, w, 3) uint8."""
    return np.stack([np.bincount(picture[..., channel].ravel(), minlength=256) for channel in range(3)])


def _is_gray(picture: Pixels) -> bool:
    return bool((picture[..., 0] == picture[..., 1]).all() and (picture[..., 1] == picture[..., 2]).all())


def _heights(counts: Counts) -> NDArray[np.float64]:
    """Square roots of the shares in each bin; shares, since the pictures may differ in size."""
    shares: NDArray[np.float64] = np.sqrt(counts.reshape(_BINS, -1).sum(axis=1) / max(1, int(counts.sum())))
    return shares


def _outline(line: NDArray[np.float64], most: float, area: QRectF) -> list[QPointF]:
    step = area.width() / (len(line) - 1)
    scale = area.height() / most if most else 0.0
    return [
        QPointF(area.left() + number * step, area.bottom() - float(value) * scale) for number, value in enumerate(line)
    ]
