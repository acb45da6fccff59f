"""Two pictures of one thing in one place: before stands left of a line that can be moved, after right of it.

Whole-number zooms show every pixel as a square of screen pixels, so that nobody mistakes smoothing for detail.
"""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontInfo,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui import theme
from workbench.gui.widgets.pictures import ENLARGED, as_image
from workbench.gui.widgets.placement import Placement
from workbench.gui.widgets.shades import Shades

Pixels = NDArray[np.uint8]

_GRIP = 8.0
_STEP = 0.05
_NOTCH = 120  # what one click of a wheel turns
_PAN = 48.0
_SPACE_ANNOUNCED = (QEvent.Type.ShortcutOverride, Qt.Key.Key_Space)


class Wipe(QWidget):
    """`divided(share)` when the line is moved, `zoomed(zoom)`, `told(words)` for the pixel under the pointer.

    Keyboard: Shift with Left and Right moves the line, Home and End take it to the sides, Space shows only
    "before" while it is held; plus and minus zoom, 0 fits, Ctrl with arrows moves a zoomed picture.
    """

    divided = Signal(float)
    zoomed = Signal(int)
    told = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._before: Pixels | None = None
        self._after: Pixels | None = None
        self._names = ("before", "after")
        self._shades: Shades | None = None
        self._painted: list[QImage] = []
        self._share = 0.5
        self._peeks = False
        self._placement = Placement()
        self._turned = 0
        self._held = ""
        self._last = QPointF()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setAccessibleName("Before and after")
        theme.changed.connect(self.update)

    @property
    def share(self) -> float:
        """Where the line is, from 0 (only after) to 1 (only before)."""
        return self._share

    @property
    def zoom(self) -> int:
        """Screen pixels per pixel of the later picture; 0 fits."""
        return self._placement.zoom

    def set_pictures(self, before: Pixels | None, after: Pixels | None, names: tuple[str, str]) -> None:
        """(h, w, 3) uint8 each, with what they are; sizes may differ, both fill the same place."""
        self._before, self._after, self._names = before, after, names
        height, width = after.shape[:2] if after is not None else (0, 0)
        self._placement.set_size(width, height)
        self._make()

    def set_shades(self, shades: Shades | None) -> None:
        """Paints, and tells, what normalization makes of the values; None shows them as they are."""
        self._shades = shades
        self._make()

    def set_share(self, share: float) -> None:
        """Moves the line."""
        share = min(1.0, max(0.0, share))
        if share != self._share:
            self._share = share
            self.divided.emit(share)
            self.update()

    def set_zoom(self, zoom: int, about: QPointF | None = None) -> None:
        """0 fits; else so many screen pixels per pixel. What is at `about` stays there."""
        if zoom != self._placement.zoom:
            self._placement.set_zoom(zoom, about)
            self.zoomed.emit(zoom)
            self.update()

    def zoom_by(self, way: int, about: QPointF | None = None) -> None:
        """The next larger (1) or smaller (-1) zoom than what is seen."""
        self.set_zoom(self._placement.next_zoom(way), about)

    def sizeHint(self) -> QSize:
        """Takes what there is."""
        return QSize(400, 400)

    def box(self) -> QRectF:
        """Where the pictures are, in the widget."""
        return self._placement.box()

    def words(self, x: int, y: int) -> str:
        """'x 12, y 40 · after 210 180 32 · before 200 171 30', with the network's numbers where these are shown."""
        parts = [f"x {x}, y {y}"]
        for name, picture in (("after", self._after), ("before", self._before)):
            if picture is not None and self._after is not None and picture.shape == self._after.shape:
                parts.append(f"{name} {self._numbers(picture[y, x])}")
        return " · ".join(parts)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A moved picture stays in sight."""
        super().resizeEvent(event)
        self._take_room()

    def event(self, event: QEvent) -> bool:
        """Another screen may have other pixels; Space is taken before a shortcut."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._take_room()
        elif isinstance(event, QKeyEvent) and (event.type(), event.key()) == _SPACE_ANNOUNCED:
            event.accept()  # It is held here, whatever it plays elsewhere on the page.
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """After over the whole place, before over the left of the line."""
        del event
        tokens = theme.tokens()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.background))
            painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
            if not self._painted:
                return
            box, line = self.box(), self._line()
            after, before = self._painted[0], self._painted[-1]
            self._paint_picture(painter, after, box)
            if len(self._painted) > 1:
                painter.save()
                left = QRectF(box.left(), box.top(), line - box.left(), box.height())
                painter.setClipRect(left)
                self._paint_picture(painter, before, box)
                painter.restore()
                self._paint_names(painter, box.intersected(QRectF(self.rect())), line)
                if not self._peeks:
                    self._paint_line(painter, box.intersected(QRectF(self.rect())), line)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Takes the line, or a picture that is larger than the room; elsewhere the line jumps to the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = self._holds(event.position())
            self._last = event.position()
            self._follow(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drags, and tells the pixel."""
        if self._held:
            self._follow(event.position())
        shapes = {"line": Qt.CursorShape.SplitHCursor, "picture": Qt.CursorShape.OpenHandCursor}
        self.setCursor(shapes.get(self._held or self._holds(event.position()), Qt.CursorShape.CrossCursor))
        pixel = self._placement.pixel_at(event.position())
        self.told.emit(self.words(*pixel) if pixel else "")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Lets go."""
        del event
        self._held = ""

    def leaveEvent(self, event: QEvent) -> None:
        """No pixel is under the pointer."""
        self.told.emit("")
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms about the pointer, one step for a notch; a touchpad's small turns add up."""
        self._turned += event.angleDelta().y()
        if abs(self._turned) >= _NOTCH:
            self.zoom_by(1 if self._turned > 0 else -1, event.position())
            self._turned = 0
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        key = Qt.Key(event.key())
        sideways = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        upright = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and key in sideways | upright:
            self._pan(QPointF(-_PAN * sideways.get(key, 0), -_PAN * upright.get(key, 0)))
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and key in sideways:
            self.set_share(self._share + _STEP * sideways[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.set_share(0.0 if key == Qt.Key.Key_Home else 1.0)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom_by(-1 if key == Qt.Key.Key_Minus else 1)
        elif key == Qt.Key.Key_0:
            self.set_zoom(0)
        elif key == Qt.Key.Key_Space:
            self._peek(peeks=True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The later picture comes back."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._peek(peeks=False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Nothing is held any more."""
        self._peek(peeks=False)
        super().focusOutEvent(event)

    def _make(self) -> None:
        """Pictures to paint: after, then before."""
        pictures = [picture for picture in (self._after, self._before) if picture is not None]
        shaded = [self._shades.applied(picture) if self._shades else picture for picture in pictures]
        self._painted = [as_image(picture) for picture in shaded] if self._after is not None else []
        self.update()

    def _take_room(self) -> None:
        self._placement.set_room(QSizeF(self.size()), self.devicePixelRatioF())

    def _line(self) -> float:
        """Where the line is, on a whole screen pixel."""
        box = self.box()
        return self._placement.snapped(box.left() + (1.0 if self._peeks else self._share) * box.width())

    def _holds(self, spot: QPointF) -> str:
        """What a press would take."""
        if self._before is not None and abs(spot.x() - self._line()) <= _GRIP:
            return "line"
        if self._placement.overflows:
            return "picture"
        return "" if self._before is None else "line"

    def _follow(self, spot: QPointF) -> None:
        if self._held == "picture":
            self._pan(spot - self._last)
        elif self._held == "line":
            box = self.box()
            self.set_share((spot.x() - box.left()) / max(1.0, box.width()))
        self._last = spot

    def _pan(self, by: QPointF) -> None:
        self._placement.move(by)
        self.update()

    def _peek(self, *, peeks: bool) -> None:
        if peeks != self._peeks:
            self._peeks = peeks
            self.update()

    def _numbers(self, pixel: Pixels) -> str:
        gray = pixel[0] == pixel[1] == pixel[2]
        text = str(int(pixel[0])) if gray else " ".join(str(int(value)) for value in pixel)
        if self._shades is None:
            return text
        return f"{text} ({' '.join(f'{value:+.2f}' for value in self._shades.at(pixel))})"

    def _paint_picture(self, painter: QPainter, picture: QImage, box: QRectF) -> None:
        smooth = not self.zoom and box.width() * self.devicePixelRatioF() < ENLARGED * picture.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(box, picture)

    def _paint_line(self, painter: QPainter, seen: QRectF, line: float) -> None:
        tokens = theme.tokens()
        if not seen.left() <= line <= seen.right():
            return
        for color, width in ((tokens.card, 4.0), (tokens.accent, 2.0)):
            painter.setPen(QPen(QColor(color), width))
            painter.drawLine(QPointF(line, seen.top()), QPointF(line, seen.bottom()))
        grip = QPointF(line, seen.center().y())
        painter.setBrush(QColor(tokens.accent))
        painter.setPen(QPen(QColor(tokens.card), 2))
        painter.drawEllipse(grip, 8, 8)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent), 1.5))
            painter.drawEllipse(grip, 11, 11)

    def _paint_names(self, painter: QPainter, seen: QRectF, line: float) -> None:
        """What stands on either side, in its lower outer corner, where there is room for it."""
        tokens = theme.tokens()
        font = QFont(self.font())
        font.setPixelSize(max(9, round(QFontInfo(font).pixelSize() * 0.85)))
        painter.setFont(font)
        line = min(seen.right(), max(seen.left(), line))
        for name, room in zip(self._names, (line - seen.left(), seen.right() - line), strict=True):
            width = painter.fontMetrics().horizontalAdvance(name) + 12
            if width + 24 > room:
                continue
            left = seen.left() + 8 if name is self._names[0] else seen.right() - 8 - width
            chip = QRectF(left, seen.bottom() - 28, width, 20)
            ground = QColor(tokens.card)
            ground.setAlpha(215)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(chip, 4, 4)
            painter.setPen(QColor(tokens.text))
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, name)
