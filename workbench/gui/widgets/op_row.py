"""One op of a chain: a handle to drag, a switch, its title and probability, and its parameters below."""

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from workbench.gui import theme
from workbench.gui.widgets.elided import Elided
from workbench.gui.widgets.fields import format_number
from workbench.gui.widgets.form import ParamForm
from workbench.gui.widgets.switch import Switch
from workbench.spec.catalog import OpCard
from workbench.spec.experiment import OpSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How an op is listened to, as on a mixing desk: alone, not at all, and whether it acts on what is shown."""

    solo: bool = False
    muted: bool = False
    heard: bool = True


class Handle(QWidget):
    """Six dots to take hold of. Emits where it is dragged, in screen coordinates."""

    taken = Signal()
    dragged = Signal(QPoint)
    dropped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(12, 20)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag to reorder (Alt+Up, Alt+Down)")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Takes hold."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.taken.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follows the pointer."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Lets go."""
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        if event.button() == Qt.MouseButton.LeftButton:
            self.dropped.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Two columns of three dots."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(theme.tokens().secondary)
        color.setAlpha(140)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for x in (3, 8):
            for y in (5, 10, 15):
                painter.drawEllipse(QRectF(x - 1, y - 1, 2.2, 2.2))


class OpFrame(QWidget):
    """A rounded frame around a step; accented while it is the current one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._current = False

    def set_current(self, current: bool) -> None:
        """Accents it."""
        if current != self._current:
            self._current = current
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame."""
        del event
        tokens = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accented = self._current or self.hasFocus()
        painter.setPen(QPen(QColor(tokens.accent if accented else tokens.border), 1.5 if accented else 1))
        painter.setBrush(QColor(tokens.card))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75), 4, 4)


class OpRow(OpFrame):
    """Shows one `OpSpec`; says what the user wants of it. Keyboard: Alt+Up/Down, Delete, Space, Enter, S, M."""

    edited = Signal(object, str, str)
    """(the new OpSpec, what was done, merge key)"""
    move_wanted = Signal(int)
    removed = Signal()
    duplicated = Signal()
    solo_wanted = Signal()
    mute_wanted = Signal()
    focused = Signal()
    unfolded = Signal()
    """For the first time: there are new places for the focus."""

    def __init__(
        self, spec: OpSpec, card: OpCard | None, *, missing: bool = False, parent: QWidget | None = None
    ) -> None:
        """Without a card there is nothing to set: it is not known yet, or, where `missing`, not installed."""
        super().__init__(parent)
        self.spec = spec
        self.card = card
        self.title = card.title if card else spec.op.replace("_", " ").capitalize()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.title)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.handle = Handle()
        self.switch = Switch(f"{self.title} on")
        self._name = Elided(self.title)
        self._note = QLabel()
        self._note.setProperty("role", "secondary")
        self._remove = self._small_button("✕", f"Remove {self.title} (Delete)")
        self._arrow = self._small_button("", "Parameters (Enter)")
        self.mark = Mark(heard=spec.enabled)
        self.solo = self._desk_button("S", f"Solo: show only {self.title}, for a while (S)")
        self.mute = self._desk_button("M", f"Mute: show the views without {self.title}, for a while (M)")
        self.form: ParamForm | None = None
        self._whole = QVBoxLayout(self)
        self._whole.setContentsMargins(8, 5, 8, 5)
        self._whole.setSpacing(4)
        self._whole.addLayout(self._make_header())
        for place in (self, self._name):
            place.setToolTip(f"{self.title}\n{card.help}" if card else self.title)
        if missing:
            words = QLabel(f"There is no op named '{spec.op}' here. Install its plugin, or remove this step.")
            words.setWordWrap(True)
            self._whole.addWidget(words)
        self.switch.toggled.connect(self._on_switched)
        self._remove.clicked.connect(self.removed)
        self.solo.clicked.connect(lambda: self._on_desk_pressed(self.solo_wanted))
        self.mute.clicked.connect(lambda: self._on_desk_pressed(self.mute_wanted))
        self._arrow.clicked.connect(lambda: self.set_open(not self.is_open))
        self._show_spec()

    @property
    def is_open(self) -> bool:
        """Whether its parameters are shown."""
        return self.form is not None and not self.form.isHidden()

    def set_spec(self, spec: OpSpec) -> None:
        """Shows another state of the same op, without emitting."""
        if spec != self.spec:
            self.spec = spec
            self._show_spec()

    def set_open(self, is_open: bool) -> None:
        """Shows or hides the parameters; the form is made when it is first needed."""
        if self.card is None or not self.card.params:
            return
        if self.form is None and is_open:
            self.form = ParamForm(self.card.params)
            self.form.edited.connect(self._on_param_edited)
            self.form.set_values(self.spec.params)
            self._whole.addWidget(self.form)
            self.unfolded.emit()
        if self.form is not None:
            self.form.setVisible(is_open)
        self._show_arrow()

    def set_mark(self, mark: Mark) -> None:
        """Shows how it is listened to; what does not act is grayed."""
        self.mark = mark
        self.solo.setChecked(mark.solo)
        self.mute.setChecked(mark.muted)
        self._name.setEnabled(mark.heard)
        self._show_buttons(near=self.hasFocus() or self.underMouse())

    def sizeHint(self) -> QSize:
        """As high as its parts."""
        return self._whole.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Moves, removes, switches, opens."""
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_wanted.emit(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif not self.hasFocus():
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        elif event.key() == Qt.Key.Key_Space:
            self.switch.toggle()
        elif event.key() == Qt.Key.Key_S and not event.modifiers():
            self.solo_wanted.emit()
        elif event.key() == Qt.Key.Key_M and not event.modifiers():
            self.mute_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.set_open(not self.is_open)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the header opens it."""
        if event.button() == Qt.MouseButton.LeftButton and event.position().y() < self._header_height():
            self.set_open(not self.is_open)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with it."""
        menu = QMenu(self)
        menu.addAction("Move up", lambda: self.move_wanted.emit(-1))
        menu.addAction("Move down", lambda: self.move_wanted.emit(1))
        menu.addAction("Duplicate", self.duplicated.emit)
        menu.addAction("Solo (S)", self.solo_wanted.emit)
        menu.addAction("Mute (M)", self.mute_wanted.emit)
        reset = menu.addAction("Reset its parameters", self._on_reset)
        reset.setEnabled(bool(self.spec.params))
        menu.addSeparator()
        menu.addAction("Remove", self.removed.emit)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Shows the way to remove it."""
        self._show_buttons(near=True)
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Calm again."""
        self._show_buttons(near=self.hasFocus())
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """It is the current one."""
        super().focusInEvent(event)
        self._show_buttons(near=True)
        self.focused.emit()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Calm again."""
        super().focusOutEvent(event)
        self._show_buttons(near=self.underMouse())
        self.update()

    def _make_header(self) -> QHBoxLayout:
        header = QHBoxLayout()
        header.setSpacing(8)
        header.addWidget(self.handle)
        header.addWidget(self.switch)
        header.addWidget(self._name, 1)
        header.addWidget(self.solo)
        header.addWidget(self.mute)
        header.addWidget(self._remove)
        header.addWidget(self._note)
        header.addWidget(self._arrow)
        return header

    def _desk_button(self, letter: str, tip: str) -> QToolButton:
        button = self._small_button(letter, tip)
        button.setProperty("kind", "desk")
        button.setCheckable(True)
        return button

    def _show_buttons(self, *, near: bool) -> None:
        """The small ones while somebody is at the row; what is pressed stays in sight."""
        self._remove.setVisible(near)
        self.solo.setVisible(near or self.mark.solo)
        self.mute.setVisible(near or self.mark.muted)

    def _on_desk_pressed(self, wanted: SignalInstance) -> None:
        self.setFocus()  # Escape, S and M are meant for this row from now on.
        wanted.emit()

    def _small_button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        button.setProperty("kind", "small")
        button.setFixedSize(18, 18)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _header_height(self) -> int:
        return 34

    def _show_spec(self) -> None:
        self.switch.set_on(self.spec.enabled)
        self._name.setEnabled(self.spec.enabled)
        self._note.setText(self._summary())
        self._show_buttons(near=self.hasFocus() or self.underMouse())
        if self.form is not None:
            self.form.set_values(self.spec.params)
        self._show_arrow()

    def _show_arrow(self) -> None:
        has_params = bool(self.card and self.card.params)
        self._arrow.setVisible(has_params)
        self._arrow.setArrowType(Qt.ArrowType.DownArrow if self.is_open else Qt.ArrowType.RightArrow)

    def _summary(self) -> str:
        """The probability, where the op has one."""
        if not self.spec.enabled:
            return "off"
        for info in self.card.params if self.card else ():
            if info.name == "p":
                value = float(self.spec.params.get("p", info.default))
                return f"p {value:.1f}" if round(value, 1) == value else f"p {format_number(value)}"
        return ""

    def _on_switched(self, on: bool) -> None:
        self._tell(OpSpec(op=self.spec.op, enabled=on, params=self.spec.params), "on" if on else "off", "")

    def _on_param_edited(self, name: str, value: Any, merge: str) -> None:
        assert self.card
        title = next(info.title for info in self.card.params if info.name == name)
        params = {**self.spec.params, name: value}
        self._tell(OpSpec(op=self.spec.op, enabled=self.spec.enabled, params=params), title, merge)

    def _on_reset(self) -> None:
        self._tell(OpSpec(op=self.spec.op, enabled=self.spec.enabled), "reset", "")

    def _tell(self, spec: OpSpec, what: str, merge: str) -> None:
        self.set_spec(spec)
        self.edited.emit(spec, f"{self.title}: {what}", merge)
