"""What a method is given, is asked and answers: one row of pictures for each image, with words below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from PySide6.QtCore import QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QRegion
from PySide6.QtWidgets import QWidget

from workbench.gui import theme
from workbench.gui.widgets.columns import HEADER, Columns, arranged, whole
from workbench.gui.widgets.picture_grid import PictureGrid
from workbench.gui.widgets.pictures import Pictures, fitted
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


class ExhibitGrid(PictureGrid):
    """`opened(row)` when a picture is clicked, or Enter is pressed. `place_chosen(row, x, y)` instead where
    `set_pointing` asks for places: from 0 to 1 in the picture that is clicked.
    """

    opened = Signal(int)
    place_chosen = Signal(int, float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Images, and what the method makes of them", 88, parent)
        self._paths: tuple[str, ...] = ()
        self._columns: tuple[Column, ...] = ()
        self._row = 0
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

    def set_panels(self, paths: tuple[str, ...], panels: Sequence[ShownPanel]) -> None:
        """Other pictures; those that are the same as before are kept as they were painted."""
        before = [column.pictures for column in self._columns]
        earlier: list[Pictures | None] = [*before] if len(before) == len(panels) else [None] * len(panels)
        kept = [older if older is not None and len(older) == len(panel.pictures) else None
                for older, panel in zip(earlier, panels)]  # fmt: skip
        self._paths = paths
        self._columns = tuple(Column(panel, Pictures(panel.pictures, old)) for panel, old in zip(panels, kept))
        self._row = min(self._row, max(0, len(paths) - 1))
        self.lay_out()
        self.viewport().update()

    def set_pointing(self, pointing: bool) -> None:
        """Whether a click names a place in an image, rather than opening it; Enter still opens it."""
        self._pointing = pointing

    def select(self, row: int) -> None:
        """Chooses an image, and brings it into sight."""
        self._row = min(max(0, row), max(0, len(self._paths) - 1))
        self.reveal(self._row)
        self.viewport().update()

    def describe(self, row: int, column: int, *, lines: bool = False) -> str:
        """'frog/12.png · Turned: what the network is given · 90°'."""
        shown = self._columns[column]
        words = (self._paths[row], f"{shown.panel.title}: {shown.panel.part_in_words}", shown.caption(row))
        return ("\n" if lines else " · ").join(text for text in words if text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Opens the picture under the pointer."""
        hit = self.hit(event.position())
        if hit and event.button() == Qt.MouseButton.LeftButton:
            self.select(hit[0])
            box = self.cell_rect(*hit)
            if self._pointing:
                x = (event.position().x() - box.left()) / box.width()
                y = (event.position().y() - box.top()) / box.height()
                self.place_chosen.emit(hit[0], min(1.0, max(0.0, x)), min(1.0, max(0.0, y)))
            else:
                self.opened.emit(hit[0])

    def pointed(self) -> None:
        """Pictures can be clicked."""
        shape = Qt.CursorShape.PointingHandCursor if self._under else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

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

    def count(self) -> tuple[int, int]:
        """Images, and panels."""
        return len(self._paths), len(self._columns)

    def arrange(self, room: QSizeF) -> Columns:
        """Everything in sight where that makes pictures no smaller; no line for captions where no panel has any, and
        two for titles where one is too short for them.
        """
        found = self._arranged(room, HEADER)
        if all(len(lines) == 1 for lines in self._titles_in(found.cell)):
            return found
        return self._arranged(room, HEADER + self.fontMetrics().height())

    def _arranged(self, room: QSizeF, header: float) -> Columns:
        worded = any(column.panel.captions or column.panel.right for column in self._columns)
        below = QFontMetricsF(self._small()).height() + 4 if worded else 0.0
        asked = (max(0, len(self._columns) - 1), len(self._paths), room)
        found = whole(*asked, below, header)
        return found if self.cell <= found.cell else arranged(*asked, self.cell, below, header)

    def _titles_in(self, width: float) -> list[list[str]]:
        return fitted_titles([shown.panel.title for shown in self._columns], self.fontMetrics(), int(width))

    def paint_title(self, painter: QPainter, column: int, box: QRectF) -> None:
        """The panel's title; the last line stands above the pictures."""
        painter.setPen(QColor(theme.tokens().secondary))
        painter.setFont(self.font())
        title = "\n".join(self._titles_in(box.width())[column])
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, title)

    def paint_image(self, painter: QPainter, image: int, wanted: QRegion) -> None:
        """A picture of each panel, with its words."""
        del wanted
        row, tokens = image, theme.tokens()
        painter.setFont(self._small())
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

    def _small(self) -> QFont:
        font = QFont(self.font())
        if font.pointSizeF() > 0:
            font.setPointSizeF(font.pointSizeF() * 0.85)
        else:
            font.setPixelSize(round(font.pixelSize() * 0.85))
        return font

    def name_of(self, row: int) -> str:
        """The file's name of an image."""
        return PurePosixPath(self._paths[row]).name


def fitted_titles(titles: Sequence[str], metrics: QFontMetrics, width: int) -> list[list[str]]:
    """Titles in their room, in a line or two each. Of one of several tasks ('Rotation prediction: Turned') the task
    gives way where two lines are too short, in all of them, so that none looks as if it were of no task.
    """
    found = [_in_two_lines(title, metrics, width) for title in titles]
    if any(" ".join(lines) != title for lines, title in zip(found, titles, strict=True)):
        found = [_in_two_lines(title.rpartition(": ")[2], metrics, width) for title in titles]
    return found


def _in_two_lines(title: str, metrics: QFontMetrics, width: int) -> list[str]:
    """Broken between words where one line is too short, and cut where two are."""
    words = title.split(" ")
    fitting = (
        count for count in range(len(words), 0, -1) if metrics.horizontalAdvance(" ".join(words[:count])) <= width
    )
    first = next(fitting, 1)
    lines = (" ".join(words[:first]), " ".join(words[first:]))
    return [metrics.elidedText(line, Qt.TextElideMode.ElideRight, width) for line in lines if line]
