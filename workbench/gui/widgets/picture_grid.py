"""What grids of pictures share: columns that fit the room, scrolling, sizes, and what is under the pointer."""

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from workbench.gui.widgets.columns import Columns
from workbench.gui.widgets.pictures import Scaler

SMALLEST, LARGEST = 48, 320
"""Sides of a picture that can be asked for."""
_STEP = 16


class PictureGrid(QAbstractScrollArea):
    """Images, each with some pictures in columns, under a header. Only what is visible is painted.

    `hovered(words)` about what is under the pointer, `resized(side)` when pictures are to be of another size. A cell is
    (image, column), columns counted from `FIRST`. A subclass says how many there are, how they are arranged, what is
    in them in words, and paints them.
    """

    hovered = Signal(str)
    resized = Signal(int)

    FIRST = 0

    def __init__(self, name: str, cell: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self._scaler = Scaler()
        self._target = cell
        self._places = Columns(views=0, images=1, groups=1, cell=float(cell))
        self._under: tuple[int, int] | None = None

    # What a subclass says

    def count(self) -> tuple[int, int]:
        """How many images there are, and columns."""
        raise NotImplementedError

    def arrange(self, room: QSizeF) -> Columns:
        """Where the pictures stand, at about the wanted size."""
        raise NotImplementedError

    def describe(self, image: int, column: int, *, lines: bool = False) -> str:
        """What is in a cell, in words: in one line, or in several."""
        raise NotImplementedError

    def paint_image(self, painter: QPainter, image: int, wanted: QRegion) -> None:
        """All pictures of an image, as far as `wanted` asks for them."""
        raise NotImplementedError

    def paint_title(self, painter: QPainter, column: int, box: QRectF) -> None:
        """The words above a column."""
        raise NotImplementedError

    def pointed(self) -> None:
        """Something else is under the pointer, or nothing."""

    # Sizes and places

    @property
    def cell(self) -> int:
        """The wanted side of a picture."""
        return self._target

    def set_cell(self, side: int) -> None:
        """How large a picture is to be, about, within `SMALLEST` and `LARGEST`."""
        side = min(LARGEST, max(SMALLEST, side))
        if side == self._target:
            return
        self._target = side
        self.resized.emit(side)
        self._scaler.clear()
        self.lay_out()
        self.viewport().update()

    def cell_rect(self, image: int, column: int) -> QRectF:
        """Where a picture is, in the viewport."""
        return self._places.rect(image, column - self.FIRST - 1, self.verticalScrollBar().value())

    def lay_out(self) -> None:
        """Fits the columns to the room."""
        self._places = self.arrange(QSizeF(self.viewport().size()))
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, round(self._places.height - height)))
        bar.setPageStep(height)
        bar.setSingleStep(round(self._places.cell / 2))

    def reveal(self, image: int) -> None:
        """Scrolls an image into sight, with the words below it."""
        box, bar = self.cell_rect(image, self.FIRST), self.verticalScrollBar()
        bottom, height = box.bottom() + self._places.below, self.viewport().height()
        header = self._places.header
        if box.top() < header:
            bar.setValue(round(bar.value() + box.top() - header))
        elif bottom > height:
            bar.setValue(round(bar.value() + bottom - height))

    def seen(self) -> QRectF:
        """Where pictures can be seen: below the header."""
        header = round(self._places.header)
        return QRectF(QRect(0, header, self.viewport().width(), self.viewport().height() - header))

    def hit(self, point: QPointF) -> tuple[int, int] | None:
        """The cell at a point of the viewport."""
        if point.y() < self._places.header:
            return None
        images, columns = self.count()
        for image in range(images):
            box = self.cell_rect(image, self.FIRST)
            if not box.top() <= point.y() <= box.bottom():
                continue
            for column in range(self.FIRST, self.FIRST + columns):
                if self.cell_rect(image, column).contains(point):
                    return image, column
        return None

    # Events

    def sizeHint(self) -> QSize:
        """Takes what there is."""
        return QSize(640, 400)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fits the columns to the width."""
        super().resizeEvent(event)
        self.lay_out()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolls; with Ctrl makes pictures larger or smaller."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_cell(self._target + (_STEP if event.angleDelta().y() > 0 else -_STEP))
            event.accept()
        else:
            super().wheelEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tells what is under the pointer."""
        hit = self.hit(event.position())
        if hit != self._under:
            self._under = hit
            self.hovered.emit(self.describe(*hit) if hit else "")
            self.pointed()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self._under = None
        self.hovered.emit("")
        self.pointed()
        super().leaveEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """The same words as a tooltip, in lines."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            hit = self.hit(QPointF(event.pos()))
            if hit:
                QToolTip.showText(event.globalPos(), self.describe(*hit, lines=True), self.viewport())
            else:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Repaints at the new place."""
        del dx, dy
        self._under = None
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Visible pictures only, then the titles above them."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        seen = self.seen()
        painter.save()
        painter.setClipRect(seen)
        for image in range(self.count()[0]):
            if self.cell_rect(image, self.FIRST).adjusted(0, 0, 0, self._places.below).intersects(seen):
                self.paint_image(painter, image, event.region())
        painter.restore()
        if event.rect().top() < self._places.header:
            for column, box in self._titles():
                self.paint_title(painter, column, box)

    def _titles(self) -> Iterator[tuple[int, QRectF]]:
        """Every column of every group, and the room above it."""
        images, columns = self.count()
        for group in range(min(self._places.groups, images)):
            for column in range(self.FIRST, self.FIRST + columns):
                box = self.cell_rect(group, column)
                box.moveTop(0)
                box.setHeight(self._places.header - 4)
                yield column, box
