"""Where views come from: their outlines, drawn over the original image."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

_MANY = 4


@dataclass(frozen=True, slots=True)
class Outline:
    """The corners of a view on its image, from 0 to 1, and its color. None where nothing is known yet."""

    corners: Sequence[tuple[float, float]]
    color: QColor


def paint_outlines(painter: QPainter, target: QRectF, outlines: Sequence[Outline], chosen: int = -1) -> None:
    """Draws them inside `target`; the chosen one thick, the others faint meanwhile."""
    painter.save()
    painter.setClipRect(target, Qt.ClipOperation.IntersectClip)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for number, outline in enumerate(outlines):
        if not outline.corners:
            continue
        color = QColor(outline.color)
        if chosen >= 0 and number != chosen:
            color.setAlpha(70)
        width = 2.5 if number == chosen else 1.2 if len(outlines) > _MANY else 1.8
        ends = [
            QPointF(target.left() + x * target.width(), target.top() + y * target.height()) for x, y in outline.corners
        ]
        halo = QColor("white" if color.lightness() < 130 else "black")
        halo.setAlpha(color.alpha() // 2)
        for pen in (QPen(halo, width + 1.4), QPen(color, width)):
            painter.setPen(pen)
            painter.drawPolygon(QPolygonF(ends))
    painter.restore()
