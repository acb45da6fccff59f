"""The left side of the Explore page: the map, its tools, the epochs below, and what is being computed."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.gui import icons
from workbench.gui.bridge import Engine
from workbench.gui.pages.explore.hover import HoverCard
from workbench.gui.widgets.epoch_slider import EpochSlider
from workbench.gui.widgets.scatter import EmbeddingMap


class Stage(QFrame):
    """A card without a title. `cancelled`: the computation that `show_work` shows is not wanted."""

    cancelled = Signal()

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.map = EmbeddingMap()
        self.hover = HoverCard(engine, self.map)
        self.slider = EpochSlider()
        line = QFrame()
        line.setProperty("surface", "line")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.map, 1)
        column.addWidget(line)
        column.addWidget(self.slider)
        over = QVBoxLayout(self.map)
        over.setContentsMargins(8, 8, 8, 8)
        top = QHBoxLayout()
        top.addWidget(self._tools(), 0, Qt.AlignmentFlag.AlignTop)
        top.addStretch(1)
        top.addWidget(self._work_bar(), 0, Qt.AlignmentFlag.AlignTop)
        over.addLayout(top)
        over.addStretch(1)

    @property
    def lasso_button(self) -> QToolButton:
        """The lasso tool."""
        return self._lasso

    def show_work(self, text: str, done: int = 0, total: int = 0) -> None:
        """What is being computed for the map; "" for nothing."""
        self._work.setVisible(bool(text))
        self._work_words.setText(text)
        self._work_progress.setRange(0, total)
        self._work_progress.setValue(done)

    def _tools(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        group = QButtonGroup(row)
        self._pan = _tool("hand", "Move the map (V). Hold Shift to draw a lasso.", "V")
        self._lasso = _tool("lasso", "Select with a lasso (L). Shift adds to the selection.", "L")
        for button in (self._pan, self._lasso):
            button.setCheckable(True)
            group.addButton(button)
            layout.addWidget(button)
        self._pan.setChecked(True)
        self._lasso.toggled.connect(self.map.set_lasso)
        fit = _tool("fit", "Show all points (double click on the map)", "F")
        fit.clicked.connect(self.map.fit)
        layout.addWidget(fit)
        return row

    def _work_bar(self) -> QWidget:
        self._work = QFrame()
        self._work.setProperty("surface", "card")
        self._work_words = QLabel()
        self._work_progress = QProgressBar()
        self._work_progress.setTextVisible(False)
        self._work_progress.setFixedWidth(96)
        cancel = QPushButton("Cancel")
        cancel.clicked.connect(self.cancelled)
        layout = QHBoxLayout(self._work)
        layout.setContentsMargins(12, 4, 4, 4)
        layout.setSpacing(8)
        layout.addWidget(self._work_words)
        layout.addWidget(self._work_progress)
        layout.addWidget(cancel)
        self._work.hide()
        return self._work


def _tool(icon: str, tip: str, shortcut: str) -> QToolButton:
    button = QToolButton()
    icons.follow(button, icon)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setShortcut(shortcut)
    return button
