"""Images × views: each image beside what the network would see of it, with its crops drawn on the original."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QRegion
from PySide6.QtWidgets import QWidget

from workbench.engine.messages import OpDrawn
from workbench.gui import icons, theme
from workbench.gui.widgets.columns import Columns, arranged
from workbench.gui.widgets.crop_boxes import Outline, paint_outlines
from workbench.gui.widgets.grid_content import GridContent
from workbench.gui.widgets.picture_grid import PictureGrid
from workbench.gui.widgets.pictures import fitted
from workbench.gui.words import minus

_BUTTON, _BUTTON_GAP = 22.0, 4.0
_FRAME = 3
"""How far the frame of a chosen picture reaches beyond it."""


class ViewGrid(PictureGrid):
    """`selected(image, view)` when a view is chosen; view -1 is the original, in the first column."""

    FIRST = -1

    selected = Signal(int, int)
    opened = Signal()
    """The chosen view is wanted large: a double click, Enter, or the button on the picture under the pointer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Images and their views", 104, parent)
        self._content = GridContent()
        self._selection = (0, 0)
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
            self.lay_out()
            self.viewport().update()
        self._scaler.keep(image for row in (content.originals, *content.views) for image in row.made.values())

    def _changed_since(self, before: GridContent) -> QRegion:
        """The visible cells that show something else than they did."""
        changed = QRegion()
        seen = self.seen()
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

    def set_boxes_visible(self, visible: bool) -> None:
        """Draws the crops on the originals, or not."""
        self._boxes = visible
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Chooses the picture under the pointer; its button opens it."""
        hit = self.hit(event.position())
        if hit and event.button() == Qt.MouseButton.LeftButton:
            self.select(hit[0], max(0, hit[1]))
            if self._has_button(hit) and self.button_rect(*hit).contains(event.position()):
                self.opened.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Wants the picture under the pointer large."""
        if self.hit(event.position()) and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit()

    def pointed(self) -> None:
        """Brings out the crop of the view under the pointer."""
        self.viewport().update()

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
            Qt.Key.Key_Up: -views * self._places.groups,
            Qt.Key.Key_Down: views * self._places.groups,
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or not images:
            super().keyPressEvent(event)
        elif 0 <= place + move < images * views:
            self.select(*divmod(place + move, views))
            self.reveal(self._selection[0])

    def describe(self, image: int, view: int, *, lines: bool = False) -> str:
        """What was drawn for a view of an image, in words; the file's name for an original."""
        if view < 0:
            return self._content.paths[image]
        parts = [f"{drawn.title.lower()} {minus(drawn.text)}".strip() for drawn in self._drawn(image, view)]
        return ("\n" if lines else " · ").join([self._content.names[view], *parts])

    def button_rect(self, image: int, view: int) -> QRectF:
        """Where the button that opens a view large is, while the pointer is over its picture."""
        picture = self._picture_rect(image, view)
        side = min(_BUTTON, picture.width() / 2)
        return QRectF(picture.right() - side - _BUTTON_GAP, picture.top() + _BUTTON_GAP, side, side)

    def count(self) -> tuple[int, int]:
        """Images; the original and its views."""
        return len(self._content.paths), 1 + len(self._content.names)

    def arrange(self, room: QSizeF) -> Columns:
        """As many groups as fit."""
        return arranged(len(self._content.names), len(self._content.paths), room, self.cell)

    def paint_title(self, painter: QPainter, column: int, box: QRectF) -> None:
        """The view's name, with a dot in the color of its crops."""
        if column >= 0 and self._boxes:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._color(column))
            painter.drawEllipse(QPointF(box.left() + 4, box.center().y()), 3.5, 3.5)
            box.setLeft(box.left() + 12)
        painter.setFont(self.font())
        painter.setPen(QColor(theme.tokens().secondary))
        name = self._content.names[column] if column >= 0 else "original"
        text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def paint_image(self, painter: QPainter, image: int, wanted: QRegion) -> None:
        """The original with its crops, and its views."""
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

    def place_of(self, image: int, view: int) -> QPoint:
        """The middle of a picture, in the viewport."""
        return self.cell_rect(image, view).center().toPoint()
