"""Where a picture lies in a room at a zoom: on whole screen pixels, about the pointer, and never out of sight."""

import math

from PySide6.QtCore import QPointF, QRectF, QSizeF

ZOOMS = (0, 1, 2, 4, 8, 16, 32)
"""Screen pixels per pixel; 0 fits the picture into the room."""

_SNAPS = 4.0  # From here on a fitted picture is a whole number of times as large.


class Placement:
    """A picture of `size` pixels in a room. Lengths are device-independent; `ratio` screen pixels make one."""

    def __init__(self) -> None:
        self.zoom = 0
        self.size = QSizeF()
        self._room = QSizeF()
        self._ratio = 1.0
        self._shift = QPointF()

    def set_size(self, width: int, height: int) -> None:
        """Another picture; one of another size is not moved."""
        if QSizeF(width, height) != self.size:
            self.size = QSizeF(width, height)
            self._shift = QPointF()

    def set_room(self, room: QSizeF, ratio: float) -> None:
        """Another room, or another screen."""
        self._room, self._ratio = room, ratio
        self.move(QPointF())

    @property
    def fitting(self) -> float:
        """Screen pixels per pixel at which the picture just fits; a whole number where that costs little."""
        if self.size.isEmpty() or self._room.isEmpty():
            return 1.0
        across, down = self._room.width() / self.size.width(), self._room.height() / self.size.height()
        scale = min(across, down) * self._ratio
        return float(math.floor(scale)) if scale >= _SNAPS else scale

    @property
    def scale(self) -> float:
        """Screen pixels per pixel."""
        return float(self.zoom) if self.zoom else self.fitting

    @property
    def overflows(self) -> bool:
        """Whether not all of the picture is in sight."""
        box = self._extent()
        return box.width() > self._room.width() + 0.5 or box.height() > self._room.height() + 0.5

    def box(self) -> QRectF:
        """Where the picture lies; its corner is on a whole screen pixel."""
        size = self._extent()
        left = (self._room.width() - size.width()) / 2 + self._shift.x()
        top = (self._room.height() - size.height()) / 2 + self._shift.y()
        return QRectF(QPointF(self.snapped(left), self.snapped(top)), size)

    def snapped(self, length: float) -> float:
        """The nearest edge of a screen pixel."""
        return round(length * self._ratio) / self._ratio

    def pixel_at(self, spot: QPointF) -> tuple[int, int] | None:
        """(x, y) of the pixel under a place, None beside the picture."""
        box = self.box()
        if box.isEmpty() or not box.contains(spot):
            return None
        x = int((spot.x() - box.left()) / box.width() * self.size.width())
        y = int((spot.y() - box.top()) / box.height() * self.size.height())
        return min(int(self.size.width()) - 1, x), min(int(self.size.height()) - 1, y)

    def move(self, by: QPointF) -> None:
        """Moves the picture, as far as it leaves no room empty that it could fill."""
        size, moved = self._extent(), self._shift + by
        most_x = max(0.0, (size.width() - self._room.width()) / 2)
        most_y = max(0.0, (size.height() - self._room.height()) / 2)
        self._shift = QPointF(min(most_x, max(-most_x, moved.x())), min(most_y, max(-most_y, moved.y())))

    def set_zoom(self, zoom: int, about: QPointF | None = None) -> None:
        """One of `ZOOMS`; what is at `about` (the middle of the room) stays there as far as it can."""
        spot = about if about is not None else QPointF(self._room.width() / 2, self._room.height() / 2)
        old = self.box()
        self.zoom = zoom
        if old.isEmpty():
            return
        along = QPointF((spot.x() - old.left()) / old.width(), (spot.y() - old.top()) / old.height())
        self._shift = QPointF()
        new = self.box()
        self.move(spot - QPointF(new.left() + along.x() * new.width(), new.top() + along.y() * new.height()))

    def next_zoom(self, way: int) -> int:
        """The next larger (1) or smaller (-1) of `ZOOMS` than what is seen now; the same where there is none."""
        stops = sorted((self.fitting if zoom == 0 else float(zoom), zoom) for zoom in ZOOMS)
        if way > 0:
            return next((zoom for size, zoom in stops if size > 1.001 * self.scale), self.zoom)
        return next((zoom for size, zoom in reversed(stops) if size < self.scale / 1.001), self.zoom)

    def _extent(self) -> QSizeF:
        return self.size * (self.scale / self._ratio)
