"""Work that takes a while: what is done, how far it is, and a button to cancel it."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QProgressBar, QPushButton, QWidget

from workbench.gui.widgets.card import Card


class WorkCard(Card):
    """Hidden until work begins. `cancelled` when its button is pressed; only `end` hides it again.

    `busy` names the work ('Auditing') while nothing is known of it.
    """

    cancelled = Signal()

    def __init__(self, busy: str, parent: QWidget | None = None) -> None:
        super().__init__(busy, parent=parent)
        self._busy = busy
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(busy)
        self.content.addWidget(self.progress)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self.cancelled)
        self.corner.addWidget(self.cancel)
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.show)
        self.hide()

    def begin(self, *, after_ms: int = 0) -> None:
        """Shows it, of unknown length; with `after_ms` only if the work has not ended by then."""
        self.show_progress("", 0, 0)
        if after_ms:
            self._due.start(after_ms)
        else:
            self.show()

    def show_progress(self, what: str, done: int, total: int) -> None:
        """How far it is; `total` 0 means unknown."""
        self.set_title(f"{self._busy}: {what}" if what else self._busy)
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def end(self) -> None:
        """The work is done, or is not wanted any more."""
        self._due.stop()
        self.hide()
