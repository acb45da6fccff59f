"""A note that lies over the page below what was pressed, and goes by itself."""

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from workbench.gui import icons
from workbench.gui.theme import Level
from workbench.gui.widgets.banner import Banner

_WIDTH = 360
_GAP = 8
_GOES_AFTER_MS = 9_000


class Note(QFrame):
    """Words below the right edge of `anchor`. Good news goes after a while; a problem stays until it is closed."""

    def __init__(self, anchor: QWidget) -> None:
        super().__init__(anchor.window())
        self._anchor = anchor
        anchor.installEventFilter(self)
        self.setProperty("surface", "card")
        self.banner = Banner()
        self.close_button = QToolButton()
        icons.follow(self.close_button, "close", "secondary")
        self.close_button.setAccessibleName("Close the note")
        self.close_button.setToolTip("Close (Esc)")
        self.close_button.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.banner, 1)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self._whole = QVBoxLayout(self)
        self._whole.setContentsMargins(4, 4, 4, 4)
        self._whole.addLayout(row)
        self.setFixedWidth(_WIDTH)
        self._timer = QTimer(self, singleShot=True, interval=_GOES_AFTER_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def tell(self, level: Level, title: str, text: str = "") -> None:
        """Says something, in place of what was said before."""
        self.banner.show_words(level, title, text)
        window = self._anchor.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        window.installEventFilter(self)
        self.show()
        self.raise_()
        self._place()
        if level in ("bad", "watch"):
            self._timer.stop()
            self.close_button.setFocus()
        else:
            self._timer.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stays below its anchor, and goes with it."""
        if watched is self._anchor and event.type() == QEvent.Type.Hide:
            self.hide()
        elif event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _place(self) -> None:
        whole = self.layout()
        assert whole is not None
        for layout in (self.banner.content, whole):
            layout.invalidate()
            layout.activate()
        self.setFixedHeight(whole.totalHeightForWidth(_WIDTH))
        corner = self._anchor.mapTo(self._anchor.window(), QPoint(self._anchor.width(), self._anchor.height() + _GAP))
        self.move(max(_GAP, corner.x() - _WIDTH), corner.y())
