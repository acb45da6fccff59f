"""Through the epochs of a run: a play button, the epoch, a slider with a stop for every snapshot."""

import bisect
from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from workbench.gui import icons

_STEP_MS = 900


class EpochSlider(QWidget):
    """Chooses one of some epochs. `chosen(epoch)` comes from the user and from playing, not from `set_epoch`."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._epochs: tuple[int, ...] = ()
        self._play = QToolButton()
        self._play.setToolTip("Play the epochs (Space)")
        self._play.setShortcut("Space")
        icons.follow(self._play, "play")
        self._label = QLabel()
        self._label.setMinimumWidth(72)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName("epoch")
        self._last = QLabel()
        self._last.setProperty("role", "secondary")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 16, 4)
        row.setSpacing(8)
        row.addWidget(self._play)
        row.addWidget(self._label)
        row.addWidget(self._slider, 1)
        row.addWidget(self._last)
        self._timer = QTimer(self, interval=_STEP_MS)
        self._timer.timeout.connect(self._on_step)
        self._play.clicked.connect(self._on_play)
        self._slider.valueChanged.connect(self._on_moved)

    @property
    def epoch(self) -> int:
        """The chosen one, -1 where there is none."""
        return self._epochs[self._slider.value()] if self._epochs else -1

    @property
    def playing(self) -> bool:
        """Whether it moves by itself."""
        return self._timer.isActive()

    def set_epochs(self, epochs: Sequence[int]) -> None:
        """The stops, ascending. The choice stays, or follows the newest where it was the newest."""
        was_last = not self._epochs or self.epoch == self._epochs[-1]
        before = self.epoch
        self._epochs = tuple(epochs)
        wanted = self._epochs[-1] if self._epochs and was_last else before
        self._slider.blockSignals(True)
        self._slider.setRange(0, max(0, len(self._epochs) - 1))
        self._slider.setEnabled(len(self._epochs) > 1)
        self._slider.blockSignals(False)
        self._play.setEnabled(len(self._epochs) > 1)
        self._last.setText(str(self._epochs[-1]) if self._epochs else "")
        self.set_epoch(wanted)

    def set_epoch(self, epoch: int) -> None:
        """Shows the stop nearest to `epoch`, without a signal."""
        if self._epochs:
            place = min(bisect.bisect_left(self._epochs, epoch), len(self._epochs) - 1)
            if place > 0 and epoch - self._epochs[place - 1] < self._epochs[place] - epoch:
                place -= 1
            self._slider.blockSignals(True)
            self._slider.setValue(place)
            self._slider.blockSignals(False)
        self._name()

    def stop(self) -> None:
        """Stops playing."""
        self._timer.stop()
        icons.follow(self._play, "play")

    def _name(self) -> None:
        epoch = self.epoch
        self._label.setText("" if epoch < 0 else "untrained" if epoch == 0 else f"epoch {epoch}")

    def _on_moved(self) -> None:
        self._name()
        self.chosen.emit(self.epoch)

    def _on_play(self) -> None:
        if self.playing:
            self.stop()
            return
        icons.follow(self._play, "pause")
        if self._slider.value() == self._slider.maximum():
            self._slider.setValue(0)
        self._timer.start()

    def _on_step(self) -> None:
        if self._slider.value() >= self._slider.maximum():
            self.stop()
        else:
            self._slider.setValue(self._slider.value() + 1)
