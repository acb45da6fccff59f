"""The embedding map: every image a point. Zoom, pan, lasso, and what lies under the cursor."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui import theme
from workbench.gui.widgets import lasso
from workbench.gui.widgets.raster import Codes, Floats, Pixels, View, dot_size, draw_points, fit_view

DWELL_MS = 125
"""How long the cursor rests before the point under it is told."""

_REACH = 12.0
_MOST_ZOOM = 2000.0
_CYCLE = 30
_GRAY = _CYCLE
_DIM = 32
"""Inks: 0-29 the cycle of class colors, 30 gray for unknown, 32 and more the same, dimmed."""


class EmbeddingMap(QWidget):
    """Points colored by class. A drag pans, or draws a lasso while `lasso_on` or with Shift; the wheel zooms.

    The picture is painted by `raster.draw_points`: a million points pan at more than thirty frames a second.

    Signals:
        hovered: the position of the point under a resting cursor, -1 for none.
        clicked: the position of the clicked point, -1 for none.
        lassoed: (array of positions, whether they are added to the selection).
    """

    hovered = Signal(int)
    clicked = Signal(int)
    lassoed = Signal(object, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        nothing = np.empty(0, np.float32)
        self._x, self._y = nothing, nothing
        self._classes: NDArray[np.int64] = np.empty(0, np.int64)
        self._shown: frozenset[int] | None = None
        self._selected: NDArray[np.bool_] | None = None
        self._marked = -1
        self._shuffled: NDArray[np.int64] = np.empty(0, np.int64)
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self._inks: Codes = np.empty(0, np.uint8)
        self._drawn: tuple[Floats, Floats] = (nothing, nothing)
        self._view: View | None = None
        self._fitted = View(scale=1.0, left=0.0, top=0.0)
        self._picture: QImage | None = None
        self._outline: list[QPointF] = []
        self._kept: NDArray[np.float64] | None = None
        self._grabbed: QPointF | None = None
        self._pressed: QPointF | None = None
        self._cursor = QPointF()
        self._lasso_on = False
        self._dwell = QTimer(self, singleShot=True, interval=DWELL_MS)
        self._dwell.timeout.connect(self._on_dwell)
        self._motion = QVariantAnimation(self, duration=320, startValue=0.0, endValue=1.0)
        self._motion.valueChanged.connect(self._on_motion)
        self._way: tuple[Floats, Floats, Floats, Floats] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 200)
        self.setAccessibleName("embedding map")
        theme.changed.connect(self._redraw)

    # What is shown

    @property
    def count(self) -> int:
        """How many points there are."""
        return len(self._x)

    @property
    def marked(self) -> int:
        """The ringed point, -1 for none."""
        return self._marked

    def set_points(self, positions: NDArray[np.float32], *, animate: bool = False) -> None:
        """Places the points. positions: (N, 2). With `animate` and the same N they glide from where they were."""
        x = np.ascontiguousarray(positions[:, 0], np.float32)
        y = np.ascontiguousarray(positions[:, 1], np.float32)
        finite = np.isfinite(x) & np.isfinite(y)
        if not finite.all():
            x, y = np.where(finite, x, np.float32(0)), np.where(finite, y, np.float32(0))
        same = len(x) == len(self._x) and len(x) > 0
        before = (self._x, self._y)
        self._kept = None  # The points have gone elsewhere.
        self._motion.stop()
        self._x, self._y = x, y
        if not same:
            self._classes = np.full(len(x), -1, np.int64)
            self._selected, self._marked = None, -1
        self._sort()
        if same and animate and self.isVisible():
            self._way = (before[0][self._order], before[1][self._order], *self._drawn)
            self._drawn = self._way[:2]
            if self._is_fitted():
                self.fit()
            self._motion.start()
        else:
            self.fit()

    def set_classes(self, classes: NDArray[np.int64]) -> None:
        """(N,) the class of each point, which gives its color; -1 is unknown and gray."""
        self._classes = np.asarray(classes, np.int64)
        self._sort()
        self._redraw()

    def show_classes(self, shown: frozenset[int] | None) -> None:
        """Dims every class that is not among these; None dims none."""
        self._shown = shown
        self._sort()
        self._redraw()

    def set_selection(self, positions: NDArray[np.int64] | None) -> None:
        """Dims all but these points; None dims none."""
        self._selected = None
        if positions is None:
            self._kept = None
        else:
            self._selected = np.zeros(len(self._x), np.bool_)
            self._selected[positions] = True
        self._sort()
        self._redraw()

    def set_marked(self, position: int) -> None:
        """Rings one point; -1 none."""
        self._marked = position
        self.update()

    def set_lasso(self, on: bool) -> None:
        """Whether a drag draws a lasso rather than pans."""
        self._lasso_on = on
        self.setCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor)

    def draw_lasso(self, outline: list[QPointF], *, adds: bool = False) -> None:
        """Selects what is inside an outline in the widget, as if it had been drawn; it stays with the selection."""
        self._kept = self._corners(outline)
        self.lassoed.emit(self.points_inside(outline), adds)
        self.update()

    def fit(self) -> None:
        """Shows all points."""
        self._view = None
        self._redraw()

    def zoom(self, factor: float) -> None:
        """Larger or smaller, around the middle."""
        self._zoom_at(factor, QPointF(self.width() / 2, self.height() / 2))

    def point_at(self, spot: QPointF) -> int:
        """The nearest shown point within reach of a place in the widget, -1 where there is none."""
        if not len(self._x):
            return -1
        ratio = self.devicePixelRatioF()
        view = self._current_view()
        x, y = view.to_position(spot.x() * ratio, spot.y() * ratio)
        distance = (self._x - np.float32(x)) ** 2 + (self._y - np.float32(y)) ** 2
        dimmed = self._dimmed()
        if dimmed is not None:
            distance[dimmed] = np.inf
        nearest = int(distance.argmin())
        near = float(distance[nearest]) ** 0.5 * view.scale <= _REACH * ratio
        return nearest if near else -1

    def place_of(self, position: int) -> QPointF:
        """Where a point is in the widget."""
        view, ratio = self._current_view(), self.devicePixelRatioF()
        x, y = view.to_pixels(self._x[position : position + 1], self._y[position : position + 1])
        return QPointF(float(x[0]) / ratio, float(y[0]) / ratio)

    def sizeHint(self) -> QSize:
        """As large as it can be."""
        return QSize(800, 600)

    def _dimmed(self) -> NDArray[np.bool_] | None:
        dimmed = None if self._selected is None else ~self._selected
        if self._shown is not None:
            hidden = ~np.isin(self._classes, list(self._shown))
            dimmed = hidden if dimmed is None else dimmed | hidden
        return dimmed

    def _sort(self) -> None:
        """The order of drawing: shuffled, so that no class covers all others; dimmed points first."""
        count = len(self._x)
        if len(self._shuffled) != count:
            self._shuffled = np.random.default_rng(0).permutation(count)
        order = self._shuffled
        inks = np.where(self._classes < 0, _GRAY, self._classes % _CYCLE).astype(np.uint8)
        dimmed = self._dimmed()
        if dimmed is not None:
            inks[dimmed] += _DIM
            below = dimmed[order]
            order = np.concatenate((order[below], order[~below]))
        self._order, self._inks = order, inks[order]
        self._motion.stop()
        self._drawn = (self._x[order], self._y[order])

    def _on_motion(self, share: float) -> None:
        if self._way is None:
            return
        smooth = np.float32(share * share * (3 - 2 * share))
        from_x, from_y, to_x, to_y = self._way
        self._drawn = (from_x + (to_x - from_x) * smooth, from_y + (to_y - from_y) * smooth)
        if share >= 1.0:
            self._way = None
        self._redraw()

    # The picture

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    def _is_fitted(self) -> bool:
        return self._view is None or self._view == self._fitted

    def _current_view(self) -> View:
        if self._view is None:
            ratio = self.devicePixelRatioF()
            self._fitted = fit_view(self._x, self._y, round(self.width() * ratio), round(self.height() * ratio))
            self._view = self._fitted
        return self._view

    def _colors(self) -> Pixels:
        cycle = [theme.class_color(number) for number in range(_CYCLE)] + [QColor(theme.tokens().secondary)]
        colors = np.zeros(_DIM + _CYCLE + 1, np.uint32)
        for ink, color in enumerate(cycle):
            rgb = QColor(color).rgb() & 0xFFFFFF
            colors[ink] = 0xE6000000 | rgb
            colors[_DIM + ink] = 0x58000000 | rgb
        return colors

    def picture(self) -> QImage:
        """The points at the widget's size, on nothing (transparent)."""
        ratio = self.devicePixelRatioF()
        width, height = max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))
        view = self._current_view()
        zoom = view.scale / self._fitted.scale
        pixels = draw_points(
            *self._drawn,
            self._inks,
            view=view,
            colors=self._colors(),
            width=width,
            height=height,
            size=dot_size(len(self._x), width=width, height=height, zoom=zoom, ratio=ratio),
        )
        image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied).copy()
        image.setDevicePixelRatio(ratio)
        return image

    def paintEvent(self, event: QPaintEvent) -> None:
        """The kept picture, then what moves: the lasso and the ring."""
        del event
        if self._picture is None:
            self._picture = self.picture()
        with QPainter(self) as painter:
            painter.drawImage(QPointF(0, 0), self._picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if 0 <= self._marked < len(self._x):
                painter.setPen(QPen(QColor(theme.tokens().text), 2))
                painter.drawEllipse(self.place_of(self._marked), 7, 7)
            if shown := self._outline or self._kept_outline():
                pen = QPen(QColor(theme.tokens().text), 1.4)
                pen.setDashPattern([4, 3])
                painter.setPen(pen)
                painter.drawPolygon(QPolygonF(shown))

    def changeEvent(self, event: QEvent) -> None:
        """Another palette asks for another picture."""
        if event.type() == QEvent.Type.PaletteChange:
            self._redraw()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A view of everything stays one; another keeps its middle."""
        if self._view is not None:
            ratio = self.devicePixelRatioF()
            old = event.oldSize()
            if self._is_fitted() or not old.isValid():
                self._view = None
            else:
                shift_x, shift_y = (self.width() - old.width()) / 2 * ratio, (self.height() - old.height()) / 2 * ratio
                self._view = self._view.moved(shift_x, shift_y)
        self._redraw()
        super().resizeEvent(event)

    # The mouse

    def _zoom_at(self, factor: float, spot: QPointF) -> None:
        view = self._current_view()
        zoom = min(max(view.scale / self._fitted.scale * factor, 0.2), _MOST_ZOOM)
        ratio = self.devicePixelRatioF()
        factor = zoom * self._fitted.scale / view.scale
        self._view = view.zoomed(factor, spot.x() * ratio, spot.y() * ratio)
        self._redraw()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms around the cursor."""
        self._zoom_at(1.0018 ** event.angleDelta().y(), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins a lasso or takes hold of the map."""
        self._dwell.stop()
        self.hovered.emit(-1)
        self._pressed = event.position()
        adds = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() == Qt.MouseButton.LeftButton and (self._lasso_on or adds):
            self._outline = [event.position()]
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton):
            self._grabbed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draws the lasso, pans, or waits for the cursor to rest."""
        spot = event.position()
        if self._outline:
            step = spot - self._outline[-1]
            if abs(step.x()) + abs(step.y()) >= 2:
                self._outline.append(spot)
                self.update()
        elif self._grabbed is not None:
            ratio = self.devicePixelRatioF()
            step = spot - self._grabbed
            self._view = self._current_view().moved(step.x() * ratio, step.y() * ratio)
            self._grabbed = spot
            self._redraw()
        else:
            self._cursor = spot
            self._dwell.start()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends a lasso; a press and release in one place is a click."""
        outline, self._outline, self._grabbed = self._outline, [], None
        pressed, self._pressed = self._pressed, None
        if pressed is not None and (event.position() - pressed).manhattanLength() < 4 and len(outline) < 4:
            if event.button() == Qt.MouseButton.LeftButton:
                self.clicked.emit(self.point_at(event.position()))
        elif len(outline) >= 3:
            adds = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.draw_lasso(outline, adds=adds)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Everything again."""
        del event
        self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape lets go of the selection; plus, minus and 0 zoom."""
        match event.key():
            case Qt.Key.Key_Escape:
                self.lassoed.emit(np.empty(0, np.int64), False)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom(1.4)
            case Qt.Key.Key_Minus:
                self.zoom(1 / 1.4)
            case Qt.Key.Key_0:
                self.fit()
            case _:
                super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the cursor."""
        self._dwell.stop()
        self.hovered.emit(-1)
        super().leaveEvent(event)

    def points_inside(self, outline: list[QPointF]) -> NDArray[np.int64]:
        """The positions of points inside an outline in the widget; those of dimmed classes are left out."""
        found = lasso.inside(self._corners(outline), self._x, self._y)
        if self._shown is not None:
            found &= np.isin(self._classes, list(self._shown))
        return np.flatnonzero(found)

    def _corners(self, outline: list[QPointF]) -> NDArray[np.float64]:
        ratio, view = self.devicePixelRatioF(), self._current_view()
        return np.array([view.to_position(spot.x() * ratio, spot.y() * ratio) for spot in outline], np.float64)

    def _kept_outline(self) -> list[QPointF]:
        if self._kept is None:
            return []
        x, y = self._current_view().to_pixels(*np.asarray(self._kept.T, np.float32))
        ratio = self.devicePixelRatioF()
        return [QPointF(px / ratio, py / ratio) for px, py in zip(x.tolist(), y.tolist(), strict=True)]

    def _on_dwell(self) -> None:
        self.hovered.emit(self.point_at(self._cursor))
