"""A grid of thumbnails that stays quick with a million of them: only what is visible is asked for and painted."""

from collections.abc import Callable, Sequence
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from workbench.gui import icons, theme
from workbench.gui.bridge import Engine
from workbench.gui.widgets.thumbnails import ThumbnailSource

T = TypeVar("T")

_GAP = 8
_CAPTION = 20
_STEPS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


class Mapped(Sequence[T]):
    """What `get` gives for each row, made when it is looked at: a list of a million names costs nothing."""

    def __init__(self, rows: NDArray[np.int64], get: Callable[[int], T]) -> None:
        self._rows = rows
        self._get = get

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return Mapped(self._rows[index], self._get)
        return self._get(int(self._rows[index]))


class Gallery(QAbstractScrollArea):
    """Pictures of `thumb` px, with a caption below and a colored dot beside it where they were given.

    A click or Return chooses. Arrow keys, Home, End and the page keys move.
    """

    chosen = Signal(int)
    """The number of the picture that was clicked."""

    def __init__(self, engine: Engine, thumb: int = 96, *, gap: int = _GAP, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Pictures")
        self.viewport().setMouseTracking(True)
        self._source = ThumbnailSource(engine, self)
        self._source.arrived.connect(self.viewport().update)
        theme.changed.connect(self.viewport().update)
        self._thumb = thumb
        self._gap = gap
        self._folder = ""
        self._paths: Sequence[str] = ()
        self._captions: Sequence[str] | None = None
        self._marks: Sequence[int] | None = None
        self._current = -1
        self._hovered = -1

    def set_items(
        self,
        folder: str,
        paths: Sequence[str],
        captions: Sequence[str] | None = None,
        *,
        marks: Sequence[int] | None = None,
    ) -> None:
        """Shows other pictures; `paths` are relative to `folder`. `marks`: class numbers, -1 for no dot."""
        if folder != self._folder:
            self._source.forget()
        self._folder, self._paths, self._captions, self._marks = folder, paths, captions, marks
        self._current = self._hovered = -1
        self.verticalScrollBar().setValue(0)
        self._measure()
        self.viewport().update()

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self._paths)

    @property
    def current(self) -> int:
        """The picture that has the frame, -1 for none."""
        return self._current

    def set_current(self, number: int) -> None:
        """Frames a picture and scrolls to it."""
        self._current = number
        if 0 <= number < self.count:
            self.setAccessibleDescription(self._words(number))
            top = number // self._columns() * self._pitch().height()
            bar = self.verticalScrollBar()
            if top < bar.value():
                bar.setValue(top)
            elif top + self._pitch().height() > bar.value() + self.viewport().height():
                bar.setValue(top + self._pitch().height() - self.viewport().height())
        self.viewport().update()

    def set_thumb(self, side: int) -> None:
        """Another size of the pictures."""
        self._thumb = side
        self._measure()
        self.viewport().update()

    def visible_range(self) -> range:
        """The pictures on the screen."""
        columns, pitch = self._columns(), self._pitch().height()
        first = self.verticalScrollBar().value() // pitch * columns
        rows = self.viewport().height() // pitch + 2
        return range(min(first, self.count), min(self.count, first + rows * columns))

    def height_for(self, count: int, width: int) -> int:
        """How high the grid must be to show `count` pictures without scrolling."""
        columns = max(1, (width + self._gap) // self._pitch().width())
        return max(1, -(-count // columns)) * self._pitch().height() - self._gap

    def sizeHint(self) -> QSize:
        """A few rows."""
        return QSize(self._pitch().width() * 4, self._pitch().height() * 3)

    def paintEvent(self, event: QPaintEvent) -> None:
        """What is visible, and a request for what is missing of it."""
        del event
        shown = self.visible_range()
        ratio = self.devicePixelRatioF()
        side = round(self._thumb * ratio)
        after = range(shown.stop, min(self.count, shown.stop + len(shown)))
        self._source.want(self._folder, [self._paths[number] for number in (*shown, *after)], side)
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        small = QFont(self.font())
        small.setPixelSize(theme.CAPTION_PX)
        painter.setFont(small)
        for number in shown:
            image = self._source.get(self._folder, self._paths[number], side)
            self._paint_cell(painter, number, self._cell(number), image)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other columns."""
        super().resizeEvent(event)
        self._measure()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Paints again; the pictures are kept, so this is quick."""
        del dx, dy
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click chooses."""
        number = self._number_at(event.position().toPoint())
        if number >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.set_current(number)
            self.chosen.emit(number)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The press was ours."""
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A light frame under the cursor."""
        number = self._number_at(event.position().toPoint())
        if number != self._hovered:
            self._hovered = number
            self.viewport().update()

    def leaveEvent(self, event: QEvent) -> None:
        """No frame without a cursor."""
        super().leaveEvent(event)
        self._hovered = -1
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Moves the frame."""
        columns = self._columns()
        page = max(1, self.viewport().height() // self._pitch().height()) * columns
        key = Qt.Key(event.key())
        jumps = {Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page}
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current >= 0:
            self.chosen.emit(self._current)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End) and self.count:
            self.set_current(0 if key == Qt.Key.Key_Home else self.count - 1)
        elif self.count and (key in _STEPS or key in jumps):
            across, down = _STEPS.get(key, (0, 0))
            wanted = max(self._current, 0) + across + down * columns + jumps.get(key, 0)
            self.set_current(min(self.count - 1, max(0, wanted)))
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """The whole name under the cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self._number_at(event.pos())
            QToolTip.showText(event.globalPos(), self._words(number) if number >= 0 else "", self)
            return True
        return super().viewportEvent(event)

    def _words(self, number: int) -> str:
        caption = self._captions[number] if self._captions is not None else ""
        path = self._paths[number]
        return path if caption in ("", path) else f"{path} ({caption})"

    def _pitch(self) -> QSize:
        caption = _CAPTION if self._captions is not None else 0
        return QSize(self._thumb + self._gap, self._thumb + caption + self._gap)

    def _columns(self) -> int:
        return max(1, (self.viewport().width() + self._gap) // self._pitch().width())

    def _left(self, column: int) -> int:
        """Columns are spread over the width, unless there is but one row."""
        columns = self._columns()
        if columns == 1 or self.count < columns:
            return column * self._pitch().width()
        return round(column * (self.viewport().width() - self._thumb - 1) / (columns - 1))

    def _measure(self) -> None:
        rows = -(-self.count // self._columns())
        height = rows * self._pitch().height() - self._gap
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, height - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(self._pitch().height() // 2)

    def _cell(self, number: int) -> QRect:
        row, column = divmod(number, self._columns())
        pitch = self._pitch()
        y = row * pitch.height() - self.verticalScrollBar().value()
        return QRect(self._left(column), y, self._thumb, pitch.height() - self._gap)

    def _number_at(self, point: QPoint) -> int:
        row = (point.y() + self.verticalScrollBar().value()) // self._pitch().height()
        columns = self._columns()
        for number in range(max(0, row * columns), min(self.count, (row + 1) * columns)):
            if self._cell(number).contains(point):
                return number
        return -1

    def _paint_cell(self, painter: QPainter, number: int, cell: QRect, image: QImage | None) -> None:
        tokens = theme.tokens()
        square = QRect(cell.topLeft(), QSize(self._thumb, self._thumb))
        if image is None:
            painter.fillRect(square, QColor(tokens.chip))
        elif image.isNull():
            painter.fillRect(square, QColor(tokens.chip))
            middle = square.adjusted(self._thumb // 3, self._thumb // 3, -self._thumb // 3, -self._thumb // 3)
            icons.draw(painter, "warning", middle.toRectF(), QColor(tokens.secondary))
        else:
            painter.drawImage(square, image)
        if number in (self._current, self._hovered):
            width = 2 if number == self._current else 1
            painter.setPen(QPen(QColor(tokens.accent), width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(square.adjusted(0, 0, -1, -1))
        if self._captions is not None:
            below = QRect(cell.left(), square.bottom() + 3, cell.width(), _CAPTION - 3)
            self._paint_caption(painter, number, below)

    def _paint_caption(self, painter: QPainter, number: int, below: QRect) -> None:
        assert self._captions is not None
        mark = self._marks[number] if self._marks is not None else -1
        if mark >= 0:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.class_color(mark))
            painter.drawEllipse(QRect(below.left() + 1, below.center().y() - 3, 7, 7))
            below = below.adjusted(12, 0, 0, 0)
        painter.setPen(theme.color("secondary"))
        text = QFontMetrics(painter.font()).elidedText(
            self._captions[number], Qt.TextElideMode.ElideMiddle, below.width()
        )
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
