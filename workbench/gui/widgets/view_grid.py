"""Images × views: each image beside what the network would see of it, with its crops drawn on the original."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from workbench.engine.messages import OpDrawn
from workbench.gui import icons, theme
from workbench.gui.widgets.columns import HEADER, arranged
from workbench.gui.widgets.crop_boxes import Outline, paint_outlines
from workbench.gui.widgets.grid_content import GridContent
from workbench.gui.widgets.pictures import Scaler, fitted

_BUTTON, _BUTTON_GAP = 22.0, 4.0
_FRAME = 3
"""How far the frame of a chosen picture reaches beyond it."""
SMALLEST, LARGEST = 48, 320
"""Sides of a picture that can be asked for."""


class ViewGrid(QAbstractScrollArea):
    """Paints only what is visible. `selected(image, view)` when a view is chosen, `hovered(words)` about what is
    under the pointer, `resized(side)` when pictures are to be of another size.
    """

    selected = Signal(int, int)
    hovered = Signal(str)
    resized = Signal(int)
    opened = Signal()
    """The chosen view is wanted large: a double click, Enter, or the button on the picture under the pointer."""

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
        self._columns = arranged(0, 0, QSizeF(), self._target)
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
        """Other pictures. Only cells that look different are painted again."""
        before, self._content = self._content, content
        if content.shape == before.shape:
            self.viewport().update(self._changed_since(before))
        else:
            image, view = self._selection
            self._selection = (min(image, max(0, len(content.paths) - 1)), min(view, max(0, len(content.names) - 1)))
            self._lay_out()
            self.viewport().update()
        self._scaler.keep(image for row in (content.originals, *content.views) for image in row.made.values())

    def _changed_since(self, before: GridContent) -> QRegion:
        """The visible cells that show something else than they did."""
        changed = QRegion()
        seen = self._seen()
        for image in range(len(self._content.paths)):
            if not self.cell_rect(image, -1).intersects(seen):
                continue
            for view in range(-1, len(self._content.names)):
                if self._content.looks(image, view) != before.looks(image, view):
                    changed += self.cell_rect(image, view).toAlignedRect().adjusted(-_FRAME, -_FRAME, _FRAME, _FRAME)
        return changed

    def select(self, image: int, view: int) -> None:
        """Chooses a picture."""
        if (image, view) != self._selection:
            self._selection = (image, view)
            self.viewport().update()
            self.selected.emit(image, view)

    def set_cell(self, side: int) -> None:
        """How large a picture is to be, about, within `SMALLEST` and `LARGEST`."""
        side = min(LARGEST, max(SMALLEST, side))
        if side == self._target:
            return
        self._target = side
        self.resized.emit(side)
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
        """Chooses the picture under the pointer; its button opens it."""
        hit = self._hit(event.position())
        if hit and event.button() == Qt.MouseButton.LeftButton:
            self.select(hit[0], max(0, hit[1]))
            if self._has_button(hit) and self.button_rect(*hit).contains(event.position()):
                self.opened.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Wants the picture under the pointer large."""
        if self._hit(event.position()) and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit()

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
        """Arrows choose the next picture; Enter wants it large."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._content.views:
            self.opened.emit()
            return
        image, view = self._selection
        views, images = max(1, len(self._content.names)), len(self._content.paths)
        place = image * views + view
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -views * self._columns.groups,
            Qt.Key.Key_Down: views * self._columns.groups,
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
        parts = [f"{drawn.title.lower()} {drawn.text}".strip() for drawn in self._drawn(image, view)]
        return ("\n" if lines else " · ").join([self._content.names[view], *parts])

    def cell_rect(self, image: int, view: int) -> QRectF:
        """Where a picture is, in the viewport (view -1 is the original)."""
        return self._columns.rect(image, view, self.verticalScrollBar().value())

    def button_rect(self, image: int, view: int) -> QRectF:
        """Where the button that opens a view large is, while the pointer is over its picture."""
        picture = self._picture_rect(image, view)
        side = min(_BUTTON, picture.width() / 2)
        return QRectF(picture.right() - side - _BUTTON_GAP, picture.top() + _BUTTON_GAP, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Visible pictures only."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        seen = self._seen()
        painter.save()
        painter.setClipRect(seen)
        for image in range(len(self._content.paths)):
            if self.cell_rect(image, -1).intersects(seen):
                self._paint_image(painter, image, event.region())
        painter.restore()
        if event.rect().top() < HEADER:
            self._paint_header(painter)

    def _seen(self) -> QRectF:
        """Where pictures can be seen: below the header."""
        return QRectF(QRect(0, HEADER, self.viewport().width(), self.viewport().height() - HEADER))

    def _paint_header(self, painter: QPainter) -> None:
        tokens = theme.tokens()
        names = ("original", *self._content.names)
        font = QFont(self.font())
        painter.setFont(font)
        for group in range(min(self._columns.groups, len(self._content.paths))):
            for view, name in enumerate(names, start=-1):
                box = self.cell_rect(group, view)
                box.moveTop(0)
                box.setHeight(HEADER - 4)
                if view >= 0 and self._boxes:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(self._color(view))
                    painter.drawEllipse(QPointF(box.left() + 4, box.center().y()), 3.5, 3.5)
                    box.setLeft(box.left() + 12)
                painter.setPen(QColor(tokens.secondary))
                text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(box.width()))
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_image(self, painter: QPainter, image: int, wanted: QRegion) -> None:
        tokens = theme.tokens()
        for view in range(-1, len(self._content.names)):
            reach = self.cell_rect(image, view).toAlignedRect().adjusted(-_FRAME, -_FRAME, _FRAME, _FRAME)
            if not wanted.intersects(reach):
                continue
            if not self._has(image, view):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(tokens.track))
                painter.drawRoundedRect(self.cell_rect(image, view), 4, 4)
                continue
            target = self._picture_rect(image, view)
            self._scaler.paint(painter, target, self._content.row(view)[image])
            if (image, view) == self._selection:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(tokens.accent), 2))
                painter.drawRect(target.adjusted(-2, -2, 2, 2))
            if view < 0 and self._boxes:
                views = range(len(self._content.names))
                chosen = self._under[1] if self._under is not None and self._under[0] == image else -1
                outlines = [Outline(self._content.corners(image, other), self._color(other)) for other in views]
                paint_outlines(painter, target, outlines, chosen)
            if (image, view) == self._under and self._has_button(self._under):
                self._paint_button(painter, self.button_rect(image, view))

    def _paint_button(self, painter: QPainter, box: QRectF) -> None:
        tokens = theme.tokens()
        ground = QColor(tokens.card)
        ground.setAlpha(225)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 4, 4)
        icons.draw(painter, "enlarge", box.adjusted(3, 3, -3, -3), QColor(tokens.text))

    def _has(self, image: int, view: int) -> bool:
        return image < len(self._content.row(view))

    def _has_button(self, hit: tuple[int, int]) -> bool:
        return hit[1] >= 0 and self._has(*hit)

    def _picture_rect(self, image: int, view: int) -> QRectF:
        """Where a picture is within its cell; views that are smaller than others look smaller, but not tiny."""
        size = self._content.row(view).size
        cell = self.cell_rect(image, view)
        largest = max((row.size.width() for row in self._content.views if image < len(row)), default=1)
        share = 1.0 if view < 0 else max(0.7, min(1.0, size.width() / largest))
        return fitted(size, QRectF(cell.topLeft(), cell.size() * share))

    def _color(self, view: int) -> QColor:
        """The color of the view's kind, in one of three shades to tell neighbors apart."""
        kinds = self._content.kinds
        if view >= len(kinds):
            return theme.class_color(view)
        number = sum(1 for other in kinds[:view] if other == kinds[view])
        return theme.class_color(kinds[view]).lighter(100 + 30 * (number % 3))

    def _drawn(self, image: int, view: int) -> Sequence[OpDrawn]:
        drawn = self._content.drawn
        return drawn[view][image].ops if view < len(drawn) and image < len(drawn[view]) else ()

    def _lay_out(self) -> None:
        """Fits the columns to the room."""
        room = QSizeF(self.viewport().size())
        self._columns = arranged(len(self._content.names), len(self._content.paths), room, self._target)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, round(self._columns.height - room.height())))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(round(self._columns.cell / 2))

    def _reveal(self, image: int) -> None:
        box = self.cell_rect(image, -1)
        bar = self.verticalScrollBar()
        if box.top() < HEADER:
            bar.setValue(round(bar.value() + box.top() - HEADER))
        elif box.bottom() > self.viewport().height():
            bar.setValue(round(bar.value() + box.bottom() - self.viewport().height()))

    def _hit(self, point: QPointF) -> tuple[int, int] | None:
        if point.y() < HEADER:
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
