"""The kinds of view of an experiment as chips: 'global ×2', 'local ×6'. One of them is being edited."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QToolButton, QWidget

from workbench.gui import icons, theme
from workbench.gui.widgets.flow import FlowLayout
from workbench.gui.widgets.tab_order import put_before
from workbench.spec.experiment import ViewSpec


class KindChip(QAbstractButton):
    """One kind, with the color that its views have everywhere."""

    def __init__(self, text: str, color: QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color = color
        self.setText(text)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        """The words, a dot, and room around them."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 32, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A pill: tinted while it is the one, outlined with the focus."""
        del event
        tokens = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        checked, hovered = self.isChecked(), self.underMouse()
        painter.setBrush(QColor(tokens.accent_tint if checked else tokens.hover if hovered else tokens.chip))
        outlined = checked or self.hasFocus()
        painter.setPen(QPen(QColor(tokens.accent), 1.5 if self.hasFocus() else 1) if outlined else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 11, 11)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color)
        painter.drawEllipse(QPointF(12, self.height() / 2), 3.5, 3.5)
        painter.setPen(QColor(tokens.text if checked else tokens.secondary))
        painter.drawText(self.rect().adjusted(21, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter, self.text())


class KindBar(QWidget):
    """Chips for the kinds of view. `chosen(place)`; `added()` and `removed()` for the buttons behind them."""

    chosen = Signal(int)
    added = Signal()
    removed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips: list[KindChip] = []
        self._names: tuple[str, ...] = ()
        self._current = 0
        self._flow = FlowLayout(6)
        self.setLayout(self._flow)
        self.add_button = self._button("plus", "Add a kind of view, as a copy of this one")
        self.remove_button = self._button("minus", "Remove this kind of view")
        self._flow.addWidget(self.add_button)
        self._flow.addWidget(self.remove_button)
        self.add_button.clicked.connect(self.added)
        self.remove_button.clicked.connect(self.removed)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def chips(self) -> tuple[KindChip, ...]:
        """The chips, in the order of the kinds."""
        return tuple(self._chips)

    def set_views(self, views: Sequence[ViewSpec], current: int) -> None:
        """Shows the kinds without emitting."""
        names = tuple(f"{view.name} ×{view.count}" for view in views)
        if names != self._names:
            self._names = names
            self._rebuild()
        self._current = current
        for place, chip in enumerate(self._chips):
            chip.setChecked(place == current)
        self.remove_button.setEnabled(len(views) > 1)

    def changeEvent(self, event: QEvent) -> None:
        """Chips are as wide as their words in the new font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._flow.invalidate()

    def _rebuild(self) -> None:
        for chip in self._chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = []
        for place, name in enumerate(self._names):
            chip = KindChip(name, theme.class_color(place), self)
            chip.clicked.connect(lambda _checked=False, place=place: self._on_clicked(place))
            self._chips.append(chip)
            self._flow.insert_widget(place, chip)
            chip.show()
        put_before(self.add_button, self._chips)

    def _button(self, icon: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        icons.follow(button, icon, "secondary")
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setFixedSize(24, 24)
        return button

    def _on_clicked(self, place: int) -> None:
        for index, chip in enumerate(self._chips):
            chip.setChecked(index == place)
        self.chosen.emit(place)
