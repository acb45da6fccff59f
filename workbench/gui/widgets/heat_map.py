"""Op × strength: how alike an encoder finds an image and its changed self, for one encoder or for two."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui import theme
from workbench.gui.words import minus
from workbench.runs.audit import LadderResult

_ROW = 24.0
_HEAD = 24.0
_GAP = 24.0
_COLUMNS = 4
_WIDEST = 240.0


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    """One change, as each encoder answers it; None where one was not asked."""

    title: str
    answers: tuple[LadderResult | None, ...]


class HeatMap(QWidget):
    """Shades of the accent: full is blind (1), none is as far as another image (0). `told(words)` for the cell
    under the pointer, or of the row that the arrow keys have chosen.
    """

    told = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[HeatRow, ...] = ()
        self._names: tuple[str, ...] = ()
        self._current: tuple[int, int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("How alike an image and its changed self are")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def rows(self) -> tuple[HeatRow, ...]:
        """What is shown, in order."""
        return self._rows

    def set_rows(self, rows: Sequence[HeatRow], names: Sequence[str]) -> None:
        """Shows them; `names` of the encoders, one or two."""
        self._rows, self._names = tuple(rows), tuple(names)
        self._current = None
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as its rows."""
        return QSize(520, round(_HEAD + len(self._rows) * _ROW + 4))

    def minimumSizeHint(self) -> QSize:
        """All rows are always shown."""
        return QSize(320, self.sizeHint().height())

    def words(self, row: int, encoder: int, rung: int) -> str:
        """What a cell says."""
        found = self._rows[row].answers[encoder]
        if found is None:
            return f"{self._rows[row].title}: not asked"
        one = found.rungs[min(rung, len(found.rungs) - 1)]
        whose = f"{self._names[encoder]}: " if len(self._names) > 1 else ""
        return minus(
            f"{whose}{found.title}, {one.label}: {one.cosine:.2f} on average, "
            f"from {one.low:.2f} to {one.high:.2f} for 80 % of the images"
        )

    def cell_at(self, spot: QPointF) -> tuple[int, int, int] | None:
        """(row, encoder, rung) under a place in the widget."""
        row = int((spot.y() - _HEAD) // _ROW)
        if not 0 <= row < len(self._rows):
            return None
        for encoder, answer in enumerate(self._rows[row].answers):
            block = self._block(encoder)
            if answer is not None and block.left() <= spot.x() < block.right():
                share = (spot.x() - block.left()) / block.width()
                return row, encoder, min(len(answer.rungs) - 1, int(share * len(answer.rungs)))
        return None

    def _small(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(max(9, round(QFontInfo(font).pixelSize() * 0.85)))
        return font

    def _label_width(self) -> float:
        metrics = QFontMetricsF(self.font())
        return max((metrics.horizontalAdvance(row.title) for row in self._rows), default=80.0) + 16

    def _block(self, encoder: int) -> QRectF:
        count = max(1, len(self._names))
        room = self.width() - self._label_width() - (count - 1) * _GAP - 2
        wide = min(room / count, _COLUMNS * _WIDEST)
        left = self._label_width() + encoder * (wide + _GAP)
        return QRectF(left, _HEAD, wide, len(self._rows) * _ROW)

    def _cell(self, row: int, encoder: int, rung: int) -> QRectF:
        answer = self._rows[row].answers[encoder]
        assert answer is not None
        block = self._block(encoder)
        wide = block.width() / len(answer.rungs)
        return QRectF(block.left() + rung * wide, block.top() + row * _ROW, wide - 1, _ROW - 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Names above, titles at the left, cells with their numbers."""
        if not self._rows:
            return
        tokens = theme.tokens()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_names(painter)
            for row, shown in enumerate(self._rows):
                line = QRectF(0, _HEAD + row * _ROW, self.width(), _ROW)
                if not line.intersects(QRectF(event.rect())):
                    continue
                painter.setFont(self.font())
                painter.setPen(QColor(tokens.text))
                label = QRectF(0, line.top(), self._label_width() - 12, _ROW)
                painter.drawText(label, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown.title)
                painter.setFont(self._small())
                for encoder, answer in enumerate(shown.answers):
                    if answer is not None:
                        for rung in range(len(answer.rungs)):
                            self._draw_cell(painter, row, encoder, rung)
            if self._current is not None:
                painter.setPen(QPen(QColor(tokens.text), 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self._cell(*self._current).adjusted(0.5, 0.5, -0.5, -0.5))

    def _draw_names(self, painter: QPainter) -> None:
        painter.setFont(self._small())
        painter.setPen(QColor(theme.tokens().secondary))
        middle = Qt.AlignmentFlag.AlignVCenter
        for encoder, name in enumerate(self._names):
            block = self._block(encoder)
            head = QRectF(block.left(), 0, block.width(), _HEAD - 4)
            if len(self._names) == 1:
                painter.drawText(head, middle | Qt.AlignmentFlag.AlignLeft, "weak")
                painter.drawText(head, middle | Qt.AlignmentFlag.AlignRight, "strong")
            else:
                text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, int(block.width()))
                painter.drawText(head, middle | Qt.AlignmentFlag.AlignLeft, text)

    def _draw_cell(self, painter: QPainter, row: int, encoder: int, rung: int) -> None:
        tokens = theme.tokens()
        answer = self._rows[row].answers[encoder]
        assert answer is not None
        one = answer.rungs[rung]
        share = min(1.0, max(0.0, one.cosine))
        box = self._cell(row, encoder, rung)
        shade = mixed(QColor(tokens.background), QColor(tokens.accent), share)
        painter.fillRect(box, shade)
        painter.setPen(theme.ink_on(shade))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, minus(f"{one.cosine:.2f}"))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tells the cell under the pointer."""
        self._choose(self.cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Tells nothing any more."""
        self._choose(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move between cells."""
        moves = {
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or not self._rows:
            super().keyPressEvent(event)
            return
        row, encoder, rung = self._current or (0, 0, 0)
        row = min(len(self._rows) - 1, max(0, row + move[0])) if self._current else row
        places = [
            (side, number)
            for side, answer in enumerate(self._rows[row].answers)
            for number in range(len(answer.rungs) if answer else 0)
        ]
        at = min(
            range(len(places)), key=lambda place: abs(places[place][0] - encoder) * 10 + abs(places[place][1] - rung)
        )
        at = min(len(places) - 1, max(0, at + move[1]))
        self._choose((row, *places[at]))

    def _choose(self, cell: tuple[int, int, int] | None) -> None:
        if cell != self._current:
            self._current = cell
            self.told.emit(self.words(*cell) if cell else "")
            self.update()


def mixed(first: QColor, second: QColor, share: float) -> QColor:
    """From the first color (0) to the second (1)."""
    parts = zip(first.getRgbF()[:3], second.getRgbF()[:3], strict=True)  # type: ignore[index]
    return QColor.fromRgbF(*(a + (b - a) * share for a, b in parts))
