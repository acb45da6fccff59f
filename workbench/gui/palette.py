"""The command palette: everything that the window can do, found by typing a few letters of it."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from workbench.gui import icons, theme
from workbench.gui.actions import Action

_ROW = 32
_MOST_ROWS = 12
_ACTION = int(Qt.ItemDataRole.UserRole)


def match(typed: str, text: str) -> float:
    """How well `typed` fits `text`: 0 where its letters do not all occur in order, higher for words' beginnings."""
    letters, words = typed.lower().replace(" ", ""), text.lower()
    if not letters:
        return 1.0
    score, position = 0.0, -1
    for letter in letters:
        found = words.find(letter, position + 1)
        beginning = words.find(f" {letter}", position + 1)
        if found < 0:
            return 0.0
        if found != position + 1 and beginning >= 0:
            found = beginning + 1
        at_beginning = found == 0 or words[found - 1] in " -("
        score += 3.0 if at_beginning else 2.0 if found == position + 1 else 0.5
        position = found
    whole = 4.0 if typed.lower() in words else 0.0
    return score / len(letters) + whole - len(words) / 1000


class CommandPalette(QFrame):
    """Hovers over the top of the window until something is chosen or Escape is pressed."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("palette")
        self.setAccessibleName("Command palette")
        self.field = QLineEdit()
        self.field.setPlaceholderText("Type what you want to do")
        self.field.setAccessibleName("Command")
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.list = QListWidget()
        self.list.setItemDelegate(_Row(self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._run)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self._actions: list[Action] = []
        self.hide()

    def open(self, actions: Sequence[Action]) -> None:
        """Shows what can be done now."""
        self._actions = [action for action in actions if action.possible]
        width = min(560, self._window.width() - 32)
        self.setGeometry((self._window.width() - width) // 2, 64, width, 100)
        self.field.clear()
        self._filter("")
        self.show()
        self.raise_()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys move in the list while the field keeps the focus."""
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key == Qt.Key.Key_Escape:
                self._leave()
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if item := self.list.currentItem():
                    self._run(item)
                return True
            if key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
                step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8}.get(Qt.Key(key), 8)
                row = self.list.currentRow() + step
                self.list.setCurrentRow(max(0, min(self.list.count() - 1, row)))
                return True
        return super().eventFilter(watched, event)

    def _filter(self, typed: str) -> None:
        scored = [(match(typed, f"{action.title} {action.menu}"), action) for action in self._actions]
        if typed.strip():
            scored = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
        self.list.clear()
        for _, action in scored:
            item = QListWidgetItem(action.title)
            item.setData(_ACTION, action)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        rows = max(1, min(_MOST_ROWS, self.list.count(), (self._window.height() - 160) // _ROW))
        self.list.setFixedHeight(rows * _ROW + 2)
        self.resize(self.width(), self.sizeHint().height())

    def _run(self, item: QListWidgetItem) -> None:
        action: Action = item.data(_ACTION)
        self._leave()
        action.run()

    def _leave(self) -> None:
        self.hide()
        self._window.setFocus()


class _Row(QStyledItemDelegate):
    """Icon, title, and the shortcut at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """A comfortable row."""
        del option, index
        return QSize(200, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paints one action."""
        action: Action = index.data(_ACTION)
        tokens = theme.tokens()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent_tint))
            painter.drawRoundedRect(rect, 4, 4)
        inner = rect.adjusted(8, 0, -8, 0)
        if action.icon:
            square = QRect(inner.left(), inner.center().y() - 8, 16, 16)
            icons.draw(painter, action.icon, square.toRectF(), QColor(tokens.secondary))
        painter.setPen(QColor(tokens.text))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner.adjusted(28, 0, 0, 0), left, action.title)
        small = QFont(painter.font())
        small.setPixelSize(theme.CAPTION_PX)
        painter.setFont(small)
        painter.setPen(QColor(tokens.secondary))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, right, _keys(action) or action.menu)
        painter.restore()


def _keys(action: Action) -> str:
    """The first shortcut as this system writes it."""
    if not action.shortcuts:
        return ""
    return QKeySequence(action.shortcuts[0]).toString(QKeySequence.SequenceFormat.NativeText)
