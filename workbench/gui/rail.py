"""The rail: the eight pages in the order of the journey, each with its icon, name and state."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from workbench.gui import icons, theme
from workbench.gui.pages.page import PageState
from workbench.gui.widgets.rule import Rule

_WIDTH = 84
_HEIGHT = 58


@dataclass(frozen=True)
class Stop:
    """One page on the rail."""

    name: str
    title: str


class RailButton(QAbstractButton):
    """Icon above name. A filled dot says that something runs, a ring that something is needed first."""

    def __init__(self, stop: Stop, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stop = stop
        self._number = number
        self._state: PageState = "ready"
        self._ringed = False
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setText(stop.title)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self.update)
        self.set_state("ready", "")

    def set_state(self, state: PageState, why: str) -> None:
        """What the dot says, and the same in words."""
        self._state = state
        words = why or {"ready": "", "running": "running", "needs": "needs something first"}[state]
        self.setAccessibleName(f"{self.stop.title}, {words}" if words else self.stop.title)
        self.setToolTip(f"{self.stop.title}: {words} (Ctrl+{self._number})" if words else f"Ctrl+{self._number}")
        self.update()

    def sizeHint(self) -> QSize:
        """All the same."""
        return QSize(_WIDTH, _HEIGHT)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """A ring for those who move by keyboard, none after a click or when the window comes up."""
        super().focusInEvent(event)
        self._ringed = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """No ring."""
        super().focusOutEvent(event)
        self._ringed = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tint, icon, name, dot."""
        del event
        tokens = theme.tokens()
        chosen = self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or self.underMouse():
            painter.fillRect(self.rect(), QColor(tokens.accent_tint if chosen else tokens.hover))
        color = QColor(tokens.accent if chosen else tokens.secondary)
        icons.draw(painter, self.stop.name, QRectF((self.width() - 20) / 2, 9, 20, 20), color)
        font = QFont(self.font())
        font.setPixelSize(theme.CAPTION_PX)
        painter.setFont(font)
        painter.setPen(color)
        painter.drawText(QRect(0, 33, self.width(), 18), Qt.AlignmentFlag.AlignCenter, self.stop.title)
        self._paint_dot(painter)
        if self._ringed:
            painter.setPen(QPen(QColor(tokens.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(2, 2, -3, -3))
        painter.end()

    def _paint_dot(self, painter: QPainter) -> None:
        tokens = theme.tokens()
        center = QPointF(self.width() / 2 + 16, 12)
        if self._state == "running":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent))
            painter.drawEllipse(center, 3.5, 3.5)
        elif self._state == "needs":
            painter.setPen(QPen(QColor(tokens.disabled), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(center, 3.0, 3.0)


class Rail(QWidget):
    """Emits `chosen` with a page's name. The menu of the window hangs at its foot."""

    chosen = Signal(str)

    def __init__(self, stops: tuple[Stop, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.buttons: dict[str, RailButton] = {}
        column = QVBoxLayout()
        column.setContentsMargins(0, 12, 0, 8)
        column.setSpacing(4)
        for number, stop in enumerate(stops, start=1):
            button = RailButton(stop, number)
            button.clicked.connect(lambda _=False, name=stop.name: self.chosen.emit(name))
            self.buttons[stop.name] = button
            column.addWidget(button)
        column.addStretch(1)
        self.menu_button = QToolButton()
        self.menu_button.setAccessibleName("Menu")
        self.menu_button.setToolTip("Menu (commands: Ctrl+K)")
        self.menu_button.setIconSize(QSize(20, 20))
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setProperty("arrow", "none")
        icons.follow(self.menu_button, "menu", "secondary")
        column.addWidget(self.menu_button, 0, Qt.AlignmentFlag.AlignHCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(column)
        row.addWidget(Rule(vertical=True))

    def choose(self, name: str) -> None:
        """Marks a page as the shown one."""
        self.buttons[name].setChecked(True)

    def set_state(self, name: str, state: PageState, why: str) -> None:
        """What a page's dot says."""
        self.buttons[name].set_state(state, why)

    def set_menu(self, menu: QMenu) -> None:
        """The menu at the foot."""
        self.menu_button.setMenu(menu)
