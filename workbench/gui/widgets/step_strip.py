"""One image after each op in turn, with what the op drew for it."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from workbench.gui import theme
from workbench.gui.widgets.pictures import Scaler, fitted

_GAP = 12
_WORD_GAP = 20
"""Between words, so that they are not read on into those of the next picture."""
_WIDEST = 200.0


@dataclass(frozen=True, slots=True)
class Step:
    """One picture: what came out of an op (`place` in the chain, -1 for the original), its name and its draw."""

    image: QImage
    title: str
    text: str = ""
    place: int = -1


class StepStrip(QAbstractScrollArea):
    """A row of pictures that scrolls sideways. `chosen(place)` when one is clicked."""

    chosen = Signal(int)
    soloed = Signal(int)
    """A double click on the picture of an op: only it is to be shown for a while."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("The image after each op")
        self.viewport().setAutoFillBackground(False)
        self._steps: tuple[Step, ...] = ()
        self._lefts = [0.0]
        self._current = -1
        self._scaler = Scaler()

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is shown."""
        return self._steps

    def set_steps(self, steps: tuple[Step, ...]) -> None:
        """Other pictures."""
        self._steps = steps
        self._scaler.keep(step.image for step in steps)
        self._lay_out()
        self.viewport().update()

    def set_current(self, place: int) -> None:
        """Marks the picture of an op."""
        self._current = place
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """A picture of 88 px with two lines under it."""
        return QSize(400, 88 + self._words_height())

    def minimumSizeHint(self) -> QSize:
        """Small pictures still."""
        return QSize(120, 56 + self._words_height())

    def resizeEvent(self, event: object) -> None:
        """Pictures follow the height."""
        del event
        self._scaler.clear()
        self._lay_out()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Chooses the op under the pointer."""
        index = self._hit(event.position())
        if index is not None:
            self.set_current(self._steps[index].place)
            self.chosen.emit(self._steps[index].place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Wants to see the op under the pointer alone."""
        index = self._hit(event.position())
        if index is not None and self._steps[index].place >= 0:
            self.soloed.emit(self._steps[index].place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right choose the next op; S shows it alone."""
        if event.key() == Qt.Key.Key_S and not event.modifiers() and self._current >= 0:
            self.soloed.emit(self._current)
            return
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if move is None or not self._steps:
            super().keyPressEvent(event)
            return
        places = [step.place for step in self._steps]
        index = places.index(self._current) if self._current in places else 0
        index = min(len(places) - 1, max(0, index + move))
        self.set_current(places[index])
        self.chosen.emit(places[index])

    def viewportEvent(self, event: QEvent) -> bool:
        """The whole text where it was cut."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._hit(QPointF(event.pos()))
            if index is not None:
                step = self._steps[index]
                QToolTip.showText(event.globalPos(), f"{step.title}\n{step.text}".strip(), self.viewport())
            return True
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Pictures with two lines of words."""
        tokens = theme.tokens()
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self._font()
        painter.setFont(font)
        line = painter.fontMetrics().height()
        side, scrolled = self._side(), self.horizontalScrollBar().value()
        for index, step in enumerate(self._steps):
            box = QRectF(self._lefts[index] - scrolled, 0, side, self.viewport().height())
            if not box.intersects(QRectF(event.rect())):
                continue
            target = fitted(step.image.size(), QRectF(box.left() + 2, 2, box.width() - 4, box.width() - 4))
            self._scaler.paint(painter, target, step.image)
            if step.place >= 0 and step.place == self._current:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(tokens.accent), 2))
                painter.drawRect(target.adjusted(-1, -1, 1, 1))
            for row, words in enumerate((step.title, step.text)):
                painter.setPen(QColor(tokens.secondary if row == 0 else tokens.text))
                room = QRectF(
                    box.left() + 2,
                    box.width() + 4 + row * line,
                    self._lefts[index + 1] - self._lefts[index] - _GAP,
                    line,
                )
                text = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(room.width()))
                painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Repaints at the new place."""
        del dx, dy
        self.viewport().update()

    def _font(self) -> QFont:
        font = QFont(self.font())
        if font.pointSizeF() > 0:
            font.setPointSizeF(font.pointSizeF() * 0.85)
        else:
            font.setPixelSize(round(font.pixelSize() * 0.85))
        return font

    def _words_height(self) -> int:
        return round(2 * QFontMetricsF(self._font()).height()) + 8

    def _side(self) -> float:
        return float(max(40, self.viewport().height() - self._words_height()))

    def _box(self, index: int) -> QRectF:
        x = self._lefts[index] - self.horizontalScrollBar().value()
        return QRectF(x, 0, self._side(), self.viewport().height())

    def _hit(self, point: QPointF) -> int | None:
        for index in range(len(self._steps)):
            if self._box(index).contains(point):
                return index
        return None

    def _lay_out(self) -> None:
        """From a picture to the next there is room for the words, as long as they are not a sentence."""
        metrics, side = QFontMetricsF(self._font()), self._side()
        self._lefts = [0.0]
        for step in self._steps:
            longest = max(metrics.horizontalAdvance(text) for text in (step.title, step.text))
            self._lefts.append(self._lefts[-1] + max(side + _GAP, min(longest + _WORD_GAP, _WIDEST)))
        whole = self._lefts[-1]
        bar = self.horizontalScrollBar()
        bar.setRange(0, max(0, round(whole - self.viewport().width())))
        bar.setPageStep(self.viewport().width())
        bar.setSingleStep(round(side / 2))
