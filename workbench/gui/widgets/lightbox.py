"""One view large: before and after with a line between them, its histogram, and everything that was drawn for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from workbench.gui import icons
from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.elided import Elided, Mode
from workbench.gui.widgets.histogram import Histogram
from workbench.gui.widgets.placement import ZOOMS
from workbench.gui.widgets.shades import Shades
from workbench.gui.widgets.wipe import Wipe

Pixels = NDArray[np.uint8]

_SIDE = 248


@dataclass(frozen=True, slots=True)
class Stage:
    """A picture (h, w, 3) uint8 on the way to a view. `key` stays the same while the chain is edited."""

    key: str
    title: str
    pixels: Pixels


class Lightbox(QWidget):
    """Compares two stages of one view. `closed`; `moved(views, images)` when another one is wanted;
    `told(words)` about the pixel under the pointer.

    Keyboard: Left and Right go to other views, Up and Down to other images, Escape closes; see `Wipe` for the rest.
    """

    closed = Signal()
    moved = Signal(int, int)
    told = Signal(str)

    def __init__(
        self, parent: QWidget | None = None, *, step: str = "view", listed: str = "Drawn for this view"
    ) -> None:
        """step: what lies to the left and right of it; listed: what the words beside it are."""
        super().__init__(parent)
        self._step, self._listed = step, listed
        self._stages: tuple[Stage, ...] = ()
        self.before = Choice()
        self.before.setToolTip("What stands left of the line.")
        self.after = Choice()
        self.after.setToolTip("What stands right of the line.")
        self.zoom = Choice((str(zoom), f"{zoom}:1" if zoom else "fit") for zoom in ZOOMS)
        self.zoom.setToolTip("Screen pixels for each pixel (the wheel, + and −, 0 to fit)")
        self.wipe = Wipe()
        self.wipe.setToolTip(
            "Drag the line (Shift with ← →, Home, End). Hold Space for “before” alone. The wheel zooms; drag a "
            "picture that is larger than its place."
        )
        self.histogram = Histogram()
        self._title = Elided(mode=Mode.ElideMiddle)
        self._title.setProperty("role", "secondary")
        self._ends = QLabel()
        self._ends.setProperty("role", "caption")
        self._drawn_rows = QGridLayout()
        self._drawn: list[tuple[QLabel, QLabel]] = []
        self._lay_out()
        self.before.chosen.connect(lambda _key: self._show())
        self.after.chosen.connect(lambda _key: self._show())
        self.zoom.chosen.connect(lambda zoom: self.wipe.set_zoom(int(zoom)))
        self.wipe.zoomed.connect(lambda zoom: self.zoom.set_value(str(zoom)))
        self.wipe.told.connect(self.told)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What there is to compare."""
        return self._stages

    @property
    def drawn(self) -> tuple[tuple[str, str], ...]:
        """(op, what it drew), as they are listed."""
        return tuple((name.text(), value.text()) for name, value in self._drawn)

    def set_view(self, title: str, stages: Sequence[Stage], drawn: Sequence[tuple[str, str]]) -> None:
        """Another view, or the same made anew. What is compared stays; where it is gone, the ends are compared."""
        options = [(stage.key, stage.title) for stage in stages]
        if options != [(stage.key, stage.title) for stage in self._stages]:
            for choice, end in ((self.before, 0), (self.after, -1)):
                value = choice.value()
                choice.set_options(options)
                if stages and value not in dict(options):
                    choice.set_value(stages[end].key)
                    choice.set_options(options)  # It had kept the value that is gone.
        self._stages = tuple(stages)
        self._title.setText(title)
        self._list(drawn)
        self._show()

    def set_shades(self, shades: Shades | None) -> None:
        """Shows what normalization makes of every stage, or the values as they are."""
        self.wipe.set_shades(shades)
        self.histogram.set_shades(shades)

    def compare(self, before: str, after: str) -> None:
        """Puts two stages side by side, by their keys; those that are not there are left as they were."""
        keys = {stage.key for stage in self._stages}
        for choice, key in ((self.before, before), (self.after, after)):
            if key in keys:
                choice.set_value(key)
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Other views, other images, and the way back."""
        ways = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.closed.emit()
        elif key in ways:
            self.moved.emit(*ways[key])
        else:
            super().keyPressEvent(event)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(8)
        bar.addWidget(self._button("chevron-left", f"The {self._step} before (←); other images with ↑ ↓", (-1, 0)))
        bar.addWidget(self._button("chevron-right", f"The next {self._step} (→); other images with ↑ ↓", (1, 0)))
        bar.addWidget(self._title, 1)
        for words, choice, width in (("before", self.before, 13), ("after", self.after, 13), ("zoom", self.zoom, 4)):
            label = QLabel(words)
            label.setProperty("role", "caption")
            choice.setMinimumContentsLength(width)
            choice.setAccessibleName(words)
            bar.addWidget(label)
            bar.addWidget(choice)
        close = self._button("close", f"Back to all {self._step}s (Esc)", None)
        bar.addWidget(close)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.wipe, 1)
        row.addWidget(self._side())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addLayout(bar)
        whole.addLayout(row, 1)

    def _side(self) -> QWidget:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(_heading("Values"))
        column.addWidget(self.histogram)
        column.addWidget(self._ends)
        column.addSpacing(8)
        column.addWidget(_heading(self._listed))
        self._drawn_rows.setHorizontalSpacing(12)
        self._drawn_rows.setVerticalSpacing(4)
        self._drawn_rows.setColumnStretch(1, 1)
        column.addLayout(self._drawn_rows)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setProperty("surface", "inside")
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        scroll.setFixedWidth(_SIDE)
        return scroll

    def _button(self, icon: str, tip: str, way: tuple[int, int] | None) -> QToolButton:
        button = QToolButton()
        icons.follow(button, icon, "secondary")
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(lambda: self.moved.emit(*way) if way else self.closed.emit())
        return button

    def _list(self, drawn: Sequence[tuple[str, str]]) -> None:
        """One line for each op; labels are made anew only when there are more or fewer of them."""
        while len(self._drawn) > len(drawn):
            for label in self._drawn.pop():
                self._drawn_rows.removeWidget(label)
                label.hide()
                label.deleteLater()
        while len(self._drawn) < len(drawn):
            name, value = QLabel(), QLabel()
            for column, label in enumerate((name, value)):
                label.setWordWrap(True)
                label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
                self._drawn_rows.addWidget(label, len(self._drawn), column)
            name.setProperty("role", "secondary")
            self._drawn.append((name, value))
        for labels, words in zip(self._drawn, drawn, strict=True):
            for label, text in zip(labels, words, strict=True):
                label.setText(text)

    def _stage(self, choice: Choice) -> Stage | None:
        return next((stage for stage in self._stages if stage.key == choice.value()), None)

    def _show(self) -> None:
        before, after = self._stage(self.before), self._stage(self.after)
        older, newer = (stage.pixels if stage is not None else None for stage in (before, after))
        names = tuple(stage.title if stage is not None else "" for stage in (before, after))
        self.wipe.set_pictures(older, newer, (names[0], names[1]))
        self.histogram.set_pictures(older, newer)
        self._ends.setText("\n".join(self.histogram.words()))


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label
