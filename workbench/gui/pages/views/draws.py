"""The line under the grid: which seed, which draw of it, and which images."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from workbench.gui import icons
from workbench.gui.widgets.slider import Scale, Slider


class DrawBar(QWidget):
    """Seed with its lock, re-roll, the draw (one per epoch), other images. Emits intentions, holds no seed."""

    reroll_wanted = Signal()
    lock_changed = Signal(bool)
    draw_changed = Signal(int)
    """From 0."""
    shuffle_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lock = QToolButton()
        self.lock.setCheckable(True)
        self.lock.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.lock.setToolTip("Lock the seed: re-rolling then shows another draw of it instead of changing it.")
        self.reroll = QPushButton("Re-roll")
        self.reroll.setShortcut("R")
        icons.lead(self.reroll, "dice")
        self.draw = Slider(Scale(1, 1, whole=True, unit=1))
        self.draw.setAccessibleName("Draw")
        self.draw.setToolTip("Every epoch draws anew. Slide to see what the network gets epoch after epoch.")
        self._draw_label = QLabel()
        self._draw_label.setProperty("role", "secondary")
        self._draw_label.setMinimumWidth(104)
        self.shuffle = QPushButton("Other images")
        icons.lead(self.shuffle, "images")
        self.shuffle.setToolTip("Show other images of the folder.")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.lock)
        row.addWidget(self.reroll)
        row.addSpacing(8)
        row.addWidget(self._draw_label)
        row.addWidget(self.draw, 1)
        row.addSpacing(8)
        row.addWidget(self.shuffle)
        self._show_lock(locked=False)
        self.lock.toggled.connect(self._on_lock_toggled)
        self.reroll.clicked.connect(self.reroll_wanted)
        self.shuffle.clicked.connect(self.shuffle_wanted)
        self.draw.moved.connect(lambda number: self.draw_changed.emit(round(number) - 1))

    def show_state(self, *, seed: int, draw: int, draws: int) -> None:
        """Shows the seed, and draw `draw` (from 0) of `draws`, without emitting."""
        self.lock.setText(f"seed {seed}")
        if not self.draw.isSliderDown():
            self.draw.set_scale(Scale(1, max(2, draws), whole=True, unit=1))
        self.draw.set_number(draw + 1)
        self.draw.setEnabled(draws > 1)
        self._draw_label.setText(f"draw {draw + 1} of {draws}")

    def _on_lock_toggled(self, locked: bool) -> None:
        self._show_lock(locked=locked)
        self.lock_changed.emit(locked)

    def _show_lock(self, *, locked: bool) -> None:
        icons.follow(self.lock, "lock" if locked else "unlock", "accent" if locked else "secondary")
        words = "Another draw of the locked seed (R)" if locked else "Another seed, for the training too (R)"
        self.reroll.setToolTip(words)
