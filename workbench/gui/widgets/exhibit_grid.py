"""What a method is given, is asked and answers: one row of pictures for each image, with words below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from workbench.gui import theme
from workbench.gui.widgets.columns import HEADER, arranged, whole
from workbench.gui.widgets.pictures import Pictures, Scaler, fitted
from workbench.gui.widgets.view_grid import LARGEST, SMALLEST
from workbench.runs.exhibit import ShownPanel

_RIGHT, _WRONG = "✓", "✗"


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A panel, and its pixels as pictures."""

    panel: ShownPanel
    pictures: Pictures

    def caption(self, row: int) -> str:
        """'✓ 90°': the words under a picture."""
        words = self.panel.captions[row] if row < len(self.panel.captions) else ""
        right = self.is_right(row)
        sign = "" if right is None else _RIGHT if right else _WRONG
        return f"{sign} {words}".strip()

    def is_right(self, row: int) -> bool | None:
        """Whether an answer is right; None where it is neither."""
        return self.panel.right[row] if row < len(self.panel.right) else None


class ExhibitGrid(QAbstractScrollArea):
    """Paints only what is visible. `opened(row)` when a picture is clicked, or Enter is pressed; `hovered(words)`
    about what is under the pointer; `resized(side)` when pictures are to be of another size. `pointed(row, x, y)`
    instead of `opened` where `set_pointing` asks for places: from 0 to 1 in the picture that is clicked.
    """

    opened = Signal(int)
    hovered = Signal(str)
    resized = Signal(int)
    pointed = Signal(int, float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Images, and what the method makes of them")
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self._paths: tuple[str, ...] = ()
        self._columns: tuple[Column, ...] = ()
        self._scaler = Scaler()
        self._target = 88
        self._places = arranged(0, 0, QSizeF(), self._target)
        self._row = 0
        self._under: tuple[int, int] | None = None
        self._pointing = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The images, one to a row."""
        return self._paths

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is shown of each."""
        return self._columns

    @property
    def row(self) -> int:
        """The chosen image."""
        return self._row

    @property
    def cell(self) -> int:
        """The wanted side of a picture."""
        return self._target

    def set_panels(self, paths: tuple[str, ...], panels: Sequence[ShownPanel]) -> None:
        """Other pictures; those that are the same as before are kept as they were painted."""
        before = [column.pictures for column in self._columns]
        earlier: list[Pictures | None] = [*before] if len(before) == len(panels) else [None] * len(panels)
        kept = [older if older is not None and len(older) == len(panel.pictures) else None
                for older, panel in zip(earlier, panels)]  # fmt: skip
        self._paths = paths
        self._columns = tuple(Column(panel, Pictures(panel.pictures, old)) for panel, old in zip(panels, kept))
        self._row = min(self._row, max(0, len(paths) - 1))
        self._lay_out()
        self.viewport().update()

    def set_pointing(self, pointing: bool) -> None:
        """Whether a click names a place in an image, rather than opening it; Enter still opens it."""
        self._pointing = pointing

    def select(self, row: int) -> None:
        """Chooses an image, and brings it into sight."""
        self._row = min(max(0, row), max(0, len(self._paths) - 1))
        box, bar = self.cell_rect(self._row, 0), self.verticalScrollBar()
        if box.top() < HEADER:
            bar.setValue(round(bar.value() + box.top() - HEADER))
        elif box.bottom() + self._places.below > self.viewport().height():
            bar.setValue(round(bar.value() + box.bottom() + self._places.below - self.viewport().height()))
        self.viewport().update()

    def set_cell(self, side: int) -> None:
        """How large a picture is to be at least, within `SMALLEST` and `LARGEST`; larger where all find room."""
        side = min(LARGEST, max(SMALLEST, side))
        if side != self._target:
            self._target = side
            self.resized.emit(side)
            self._scaler.clear()
            self._lay_out()
            self.viewport().update()

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a picture is, in the viewport."""
        return self._places.rect(row, column - 1, self.verticalScrollBar().value())

    def describe(self, row: int, column: int, *, lines: bool = False) -> str:
        """'frog/12.png · Turned: what the network is given · 90°'."""
        shown = self._columns[column]
        words = (self._paths[row], f"{shown.panel.title}: {shown.panel.part_in_words}", shown.caption(row))
        return ("\n" if lines else " · ").join(text for text in words if text)

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
        """Opens the picture under the pointer."""
        hit = self._hit(event.position())
        if hit and event.button() == Qt.MouseButton.LeftButton:
            self.select(hit[0])
            box = self.cell_rect(*hit)
            if self._pointing:
                x = (event.position().x() - box.left()) / box.width()
                y = (event.position().y() - box.top()) / box.height()
                self.pointed.emit(hit[0], min(1.0, max(0.0, x)), min(1.0, max(0.0, y)))
            else:
                self.opened.emit(hit[0])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tells what is under the pointer."""
        hit = self._hit(event.position())
        if hit != self._under:
            self._under = hit
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hit else Qt.CursorShape.ArrowCursor)
            self.hovered.emit(self.describe(*hit) if hit else "")

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self._under = None
        self.hovered.emit("")
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows choose the next image; Enter wants it large."""
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._places.groups,
            Qt.Key.Key_Down: self._places.groups,
        }
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._paths:
            self.opened.emit(self._row)
        elif key in moves and 0 <= self._row + moves[key] < len(self._paths):
            self.select(self._row + moves[key])
        elif key not in moves:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """The same words as a tooltip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            hit = self._hit(QPointF(event.pos()))
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
        seen = QRectF(QRect(0, HEADER, self.viewport().width(), self.viewport().height() - HEADER))
        painter.save()
        painter.setClipRect(seen)
        painter.setFont(self._small())
        for row in range(len(self._paths)):
            first = self.cell_rect(row, 0)
            if first.adjusted(0, 0, 0, self._places.below).intersects(seen):
                self._paint_row(painter, row)
        painter.restore()
        if event.rect().top() < HEADER:
            self._paint_titles(painter)

    def _paint_row(self, painter: QPainter, row: int) -> None:
        tokens = theme.tokens()
        for number, column in enumerate(self._columns):
            cell = self.cell_rect(row, number)
            if row >= len(column.pictures):
                continue
            target = fitted(column.pictures.size, cell)
            self._scaler.paint(painter, target, column.pictures[row])
            if row == self._row and self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(tokens.accent), 2))
                painter.drawRect(target.adjusted(-2, -2, 2, 2))
            right = column.is_right(row)
            color = tokens.secondary if right is None else tokens.good if right else tokens.bad
            painter.setPen(QColor(color))
            words = QRectF(cell.left(), cell.bottom() + 2, cell.width(), self._places.below - 2)
            text = painter.fontMetrics().elidedText(
                column.caption(row), Qt.TextElideMode.ElideRight, int(words.width())
            )
            painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_titles(self, painter: QPainter) -> None:
        painter.setPen(QColor(theme.tokens().secondary))
        painter.setFont(self.font())
        for group in range(min(self._places.groups, len(self._paths))):
            for number, column in enumerate(self._columns):
                box = self.cell_rect(group, number)
                box.moveTop(0)
                box.setHeight(HEADER - 4)
                painter.drawText(
                    box,
                    Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                    _fitted(column.panel.title, painter.fontMetrics(), int(box.width())),
                )

    def _small(self) -> QFont:
        font = QFont(self.font())
        if font.pointSizeF() > 0:
            font.setPointSizeF(font.pointSizeF() * 0.85)
        else:
            font.setPixelSize(round(font.pixelSize() * 0.85))
        return font

    def _lay_out(self) -> None:
        """Fits the columns to the room; there is no line for captions where no panel has any."""
        room = QSizeF(self.viewport().size())
        worded = any(column.panel.captions or column.panel.right for column in self._columns)
        below = QFontMetricsF(self._small()).height() + 4 if worded else 0.0
        asked = (max(0, len(self._columns) - 1), len(self._paths), room)
        self._places = whole(*asked, below)
        if self._target > self._places.cell:
            self._places = arranged(*asked, self._target, below)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, round(self._places.height - room.height())))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(round(self._places.cell / 2))

    def _hit(self, point: QPointF) -> tuple[int, int] | None:
        if point.y() < HEADER:
            return None
        for row in range(len(self._paths)):
            for number in range(len(self._columns)):
                if self.cell_rect(row, number).contains(point):
                    return row, number
        return None

    def name_of(self, row: int) -> str:
        """The file's name of an image."""
        return PurePosixPath(self._paths[row]).name


def _fitted(title: str, metrics: QFontMetrics, width: int) -> str:
    """A title in its room. Of one of several tasks ('Rotation prediction: Turned') the task gives way first."""
    if metrics.horizontalAdvance(title) > width:
        title = title.rpartition(": ")[2]
    return metrics.elidedText(title, Qt.TextElideMode.ElideRight, width)
