"""Images × views: each image beside what the network would see of it, with its crops drawn on the original."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
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
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from workbench.engine.messages import OpDrawn, ViewDrawn
from workbench.gui import theme
from workbench.gui.widgets.pictures import Scaler, fitted

_GAP = 8
_GROUP_GAP = 24
_HEADER = 24
_EDGE = 3  # room for the frame of a chosen picture


@dataclass(frozen=True, slots=True)
class GridContent:
    """What the grid shows. `views[v][i]` is view v of image i; `kinds[v]` the number of its view kind."""

    paths: tuple[str, ...] = ()
    originals: list[QImage] = field(default_factory=list)
    views: list[list[QImage]] = field(default_factory=list)
    names: tuple[str, ...] = ()
    kinds: tuple[int, ...] = ()
    drawn: tuple[tuple[ViewDrawn, ...], ...] = ()


class ViewGrid(QAbstractScrollArea):
    """Paints only what is visible. `selected(image, view)` when a picture is chosen; -1 is the original."""

    selected = Signal(int, int)
    hovered = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Images and their views")
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self._content = GridContent()
        self._scaler = Scaler()
        self._target = 104
        self._cell = 104.0
        self._groups = 1
        self._selection = (0, 0)
        self._under: tuple[int, int] | None = None
        self._boxes = True

    @property
    def content(self) -> GridContent:
        """What is shown."""
        return self._content

    @property
    def selection(self) -> tuple[int, int]:
        """The chosen image and view."""
        return self._selection

    def set_content(self, content: GridContent) -> None:
        """Other pictures."""
        shape_changed = (len(content.paths), content.names) != (len(self._content.paths), self._content.names)
        self._content = content
        self._scaler.clear()
        image, view = self._selection
        self._selection = (min(image, max(0, len(content.paths) - 1)), min(view, max(0, len(content.names) - 1)))
        if shape_changed:
            self._lay_out()
        self.viewport().update()

    def select(self, image: int, view: int) -> None:
        """Chooses a picture."""
        if (image, view) != self._selection:
            self._selection = (image, view)
            self.viewport().update()
            self.selected.emit(image, view)

    def set_cell(self, side: int) -> None:
        """How large a picture is to be, about (48 to 320 px)."""
        self._target = min(320, max(48, side))
        self._scaler.clear()
        self._lay_out()
        self.viewport().update()

    @property
    def cell(self) -> int:
        """The wanted side of a picture."""
        return self._target

    def set_boxes_visible(self, visible: bool) -> None:
        """Draws the crops on the originals, or not."""
        self._boxes = visible
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """Takes what there is."""
        return QSize(640, 400)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fits the columns to the width."""
        super().resizeEvent(event)
        self._lay_out()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolls; with Ctrl makes pictures larger or smaller."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_cell(self._target + (16 if event.angleDelta().y() > 0 else -16))
            event.accept()
        else:
            super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Chooses the picture under the pointer."""
        hit = self._hit(event.position())
        if hit and event.button() == Qt.MouseButton.LeftButton:
            self.select(hit[0], max(0, hit[1]))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Brings out the crop of the view under the pointer."""
        hit = self._hit(event.position())
        if hit != self._under:
            self._under = hit
            self.hovered.emit(self.describe(*hit) if hit else "")
            self.viewport().update()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self._under = None
        self.hovered.emit("")
        self.viewport().update()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows choose the next picture."""
        image, view = self._selection
        views, images = max(1, len(self._content.names)), len(self._content.paths)
        place = image * views + view
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -views * self._groups,
            Qt.Key.Key_Down: views * self._groups,
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or not images:
            super().keyPressEvent(event)
        elif 0 <= place + move < images * views:
            self.select(*divmod(place + move, views))
            self._reveal(self._selection[0])

    def viewportEvent(self, event: QEvent) -> bool:
        """The numbers that were drawn, as a tooltip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            hit = self._hit(QPointF(event.pos()))
            if hit:
                QToolTip.showText(event.globalPos(), self.describe(*hit, lines=True), self.viewport())
            else:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def describe(self, image: int, view: int, *, lines: bool = False) -> str:
        """What was drawn for a view of an image, in words; the file's name for an original."""
        if view < 0:
            return self._content.paths[image]
        parts = [f"{drawn.title}: {drawn.text}" for drawn in self._drawn(image, view)]
        name = self._content.names[view]
        return "\n".join([name, *parts]) if lines else f"{name} · " + " · ".join(parts)

    def cell_rect(self, image: int, view: int) -> QRectF:
        """Where a picture is, in the viewport (view -1 is the original)."""
        columns = len(self._content.names) + 1
        group_width = columns * (self._cell + _GAP) - _GAP + _GROUP_GAP
        x = _EDGE + (image % self._groups) * group_width + (view + 1) * (self._cell + _GAP)
        y = _HEADER + _EDGE + (image // self._groups) * (self._cell + _GAP) - self.verticalScrollBar().value()
        return QRectF(x, y, self._cell, self._cell)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Visible pictures only."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(event.rect())
        seen = QRectF(QRect(0, _HEADER, self.viewport().width(), self.viewport().height() - _HEADER))
        painter.save()
        painter.setClipRect(seen, Qt.ClipOperation.IntersectClip)
        for image in range(len(self._content.paths)):
            if self.cell_rect(image, -1).intersects(seen):
                self._paint_image(painter, image)
        painter.restore()
        self._paint_header(painter)

    def _paint_header(self, painter: QPainter) -> None:
        tokens = theme.tokens()
        names = ("original", *self._content.names)
        font = QFont(self.font())
        painter.setFont(font)
        for group in range(min(self._groups, len(self._content.paths))):
            for view, name in enumerate(names, start=-1):
                box = self.cell_rect(group, view)
                box.moveTop(0)
                box.setHeight(_HEADER - 4)
                if view >= 0 and self._boxes:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(self._color(view))
                    painter.drawEllipse(QPointF(box.left() + 4, box.center().y()), 3.5, 3.5)
                    box.setLeft(box.left() + 12)
                painter.setPen(QColor(tokens.secondary))
                text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(box.width()))
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_image(self, painter: QPainter, image: int) -> None:
        tokens = theme.tokens()
        largest = max((row[image].width() for row in self._content.views if image < len(row)), default=1)
        for view in range(-1, len(self._content.names)):
            row = self._content.originals if view < 0 else self._content.views[view]
            cell = self.cell_rect(image, view)
            if image >= len(row):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(tokens.track))
                painter.drawRoundedRect(cell, 4, 4)
                continue
            share = 1.0 if view < 0 else max(0.7, min(1.0, row[image].width() / largest))
            target = fitted(row[image], QRectF(cell.topLeft(), cell.size() * share))
            self._scaler.paint(painter, target, row[image])
            if (image, view) == self._selection:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(tokens.accent), 2))
                painter.drawRect(target.adjusted(-2, -2, 2, 2))
            if view < 0 and self._boxes:
                self._paint_boxes(painter, image, target)

    def _paint_boxes(self, painter: QPainter, image: int, target: QRectF) -> None:
        """The quadrilateral of each view; the one under the pointer thick, the others faint meanwhile."""
        painter.save()
        painter.setClipRect(target, Qt.ClipOperation.IntersectClip)
        chosen = self._under[1] if self._under and self._under[0] == image else -1
        many = len(self._content.names) > 4
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for view in range(len(self._content.names)):
            corners = self._corners(image, view)
            if not corners:
                continue
            color = self._color(view)
            if chosen >= 0 and view != chosen:
                color.setAlpha(70)
            points = [
                QPointF(target.left() + x * target.width(), target.top() + y * target.height()) for x, y in corners
            ]
            width = 2.5 if view == chosen else 1.2 if many else 1.8
            halo = QColor("white" if color.lightness() < 130 else "black")
            halo.setAlpha(color.alpha() // 2)
            painter.setPen(QPen(halo, width + 1.4))
            painter.drawPolygon(QPolygonF(points))
            painter.setPen(QPen(color, width))
            painter.drawPolygon(QPolygonF(points))
        painter.restore()

    def _color(self, view: int) -> QColor:
        """The color of the view's kind, in one of three shades to tell neighbors apart."""
        kinds = self._content.kinds
        if view >= len(kinds):
            return theme.class_color(view)
        number = sum(1 for other in kinds[:view] if other == kinds[view])
        return theme.class_color(kinds[view]).lighter(100 + 30 * (number % 3))

    def _corners(self, image: int, view: int) -> Sequence[tuple[float, float]]:
        drawn = self._content.drawn
        if view >= len(drawn) or image >= len(drawn[view]):
            return ()
        return drawn[view][image].corners

    def _drawn(self, image: int, view: int) -> Sequence[OpDrawn]:
        drawn = self._content.drawn
        return drawn[view][image].ops if view < len(drawn) and image < len(drawn[view]) else ()

    def _lay_out(self) -> None:
        """As many groups of columns side by side as fit at about the wanted size, then stretched to the width."""
        columns = len(self._content.names) + 1
        images = max(1, len(self._content.paths))
        width = max(1, self.viewport().width() - 2 * _EDGE)
        group = columns * (self._target + _GAP) - _GAP
        self._groups = max(1, min(images, (width + _GROUP_GAP) // (group + _GROUP_GAP)))
        room = width - (self._groups - 1) * _GROUP_GAP - self._groups * (columns - 1) * _GAP
        largest = self._target * (1.6 if self._groups < images else 1.25)
        self._cell = float(min(largest, max(40.0, math.floor(room / (self._groups * columns)))))
        rows = math.ceil(images / self._groups)
        height = _HEADER + 2 * _EDGE + rows * (self._cell + _GAP) - _GAP
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, round(height - self.viewport().height())))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(round(self._cell / 2))

    def _reveal(self, image: int) -> None:
        box = self.cell_rect(image, -1)
        bar = self.verticalScrollBar()
        if box.top() < _HEADER:
            bar.setValue(round(bar.value() + box.top() - _HEADER))
        elif box.bottom() > self.viewport().height():
            bar.setValue(round(bar.value() + box.bottom() - self.viewport().height()))

    def _hit(self, point: QPointF) -> tuple[int, int] | None:
        if point.y() < _HEADER:
            return None
        for image in range(len(self._content.paths)):
            box = self.cell_rect(image, -1)
            if not box.top() <= point.y() <= box.bottom():
                continue
            for view in range(-1, len(self._content.names)):
                if self.cell_rect(image, view).contains(point):
                    return image, view
        return None

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Repaints at the new place."""
        del dx, dy
        self._under = None
        self.viewport().update()

    def place_of(self, image: int, view: int) -> QPoint:
        """The middle of a picture, in the viewport."""
        return self.cell_rect(image, view).center().toPoint()
