"""The chain of a view kind, as rows that can be dragged, switched, opened, added and removed."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from workbench.gui import theme
from workbench.gui.widgets.explained_menu import ExplainedMenu, add_explained
from workbench.gui.widgets.op_row import Mark, OpRow
from workbench.gui.widgets.tab_order import put_before
from workbench.spec.catalog import OpCard
from workbench.spec.experiment import OpSpec

Chain = tuple[OpSpec, ...]

GROUPS = {
    "geometry": "Geometry",
    "color": "Color",
    "sharpness": "Sharpness",
    "noise": "Noise",
    "erasing": "Erasing and masks",
    "masking": "Erasing and masks",
    "composite": "Composites",
}


class ChainEditor(QWidget):
    """Shows a chain and says what it should become; it holds no copy of the truth.

    `changed(chain, what, merge_key)`; `current_changed(place)` when another row has the focus.
    """

    changed = Signal(object, str, str)
    current_changed = Signal(int)
    solo_wanted = Signal(int)
    mute_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: dict[str, OpCard] = {}
        self._rows: list[OpRow] = []
        self._opened_once = False
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.add_button = QPushButton("+ Add an op")
        self.add_button.setProperty("kind", "dashed")
        self._menu = ExplainedMenu(self)
        self.add_button.setMenu(self._menu)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addLayout(self._column)
        whole.addWidget(self.add_button)
        self._line = _DropLine(self)
        self._target: int | None = None

    @property
    def rows(self) -> tuple[OpRow, ...]:
        """The rows, in the order of the chain."""
        return tuple(self._rows)

    @property
    def chain(self) -> Chain:
        """The chain as it is shown."""
        return tuple(row.spec for row in self._rows)

    def set_ops(self, cards: Sequence[OpCard]) -> None:
        """What there is to add."""
        self._cards = {card.name: card for card in cards}
        self._menu.empty()
        for title in dict.fromkeys(GROUPS.values()):
            members = [card for card in cards if GROUPS[card.group] == title]
            if members:
                group_menu = self._menu.add_submenu(title)
            for card in members:
                add_explained(group_menu, card.title, card.help, partial(self.add, card.name))
        self._menu.add_help()
        chain = self.chain
        opened = [row.is_open for row in self._rows]
        self._rebuild(())
        self.set_chain(chain)
        for row, was_open in zip(self._rows, opened, strict=True):
            if was_open:
                row.set_open(True)

    def set_chain(self, chain: Chain) -> None:
        """Shows a chain without emitting. Rows that are still meant stay, with their focus and their drag."""
        if [spec.op for spec in chain] == [row.spec.op for row in self._rows]:
            for row, spec in zip(self._rows, chain):
                row.set_spec(spec)
        else:
            self._rebuild(chain)
        if not self._opened_once and self._rows and self._cards:
            self._opened_once = True
            self._open_first()

    def set_current(self, place: int) -> None:
        """Accents the row of an op; -1 for none."""
        for index, row in enumerate(self._rows):
            row.set_current(index == place)

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """How each op is listened to; rows without a mark have none."""
        for row, mark in zip(self._rows, marks):
            row.set_mark(mark)

    def add(self, name: str) -> None:
        """Puts an op at the end, open."""
        self.changed.emit((*self.chain, OpSpec(op=name)), f"Add {self._title(name)}", "")
        if self._rows and self._rows[-1].spec.op == name:
            self._rows[-1].set_open(True)
            self._rows[-1].setFocus()

    def move_op(self, place: int, target: int) -> None:
        """Moves an op to another place in the chain."""
        chain = list(self.chain)
        if not 0 <= place < len(chain):
            return
        target = min(len(chain) - 1, max(0, target))
        if target == place:
            return
        row = self._rows[place]
        chain.insert(target, chain.pop(place))
        self._rows.insert(target, self._rows.pop(place))
        self._column.removeWidget(row)
        self._column.insertWidget(target, row)
        put_before(self.add_button, self._rows)
        self.changed.emit(tuple(chain), f"Move {row.title}", "")
        row.setFocus()

    def remove(self, place: int) -> None:
        """Takes an op out."""
        chain = self.chain
        title = self._rows[place].title
        self.changed.emit(chain[:place] + chain[place + 1 :], f"Remove {title}", "")
        if self._rows:
            self._rows[min(place, len(self._rows) - 1)].setFocus()

    def duplicate(self, place: int) -> None:
        """Puts the same op once more behind it."""
        chain = self.chain
        self.changed.emit((*chain[: place + 1], *chain[place:]), f"Duplicate {self._rows[place].title}", "")

    def _title(self, name: str) -> str:
        return self._cards[name].title if name in self._cards else name

    def _rebuild(self, chain: Chain) -> None:
        """Rows for another chain; a row whose op is still there is kept."""
        spare = list(self._rows)
        rows: list[OpRow] = []
        for spec in chain:
            same = next((row for row in spare if row.spec == spec), None)
            same = same or next((row for row in spare if row.spec.op == spec.op), None)
            if same:
                spare.remove(same)
                same.set_spec(spec)
            rows.append(same or self._make(spec))
        for row in spare:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for index, row in enumerate(rows):
            if self._column.indexOf(row) != index:
                self._column.removeWidget(row)
                self._column.insertWidget(index, row)
                row.show()  # at once, so that it can take the focus
        self._rows = rows
        put_before(self.add_button, rows)

    def _make(self, spec: OpSpec) -> OpRow:
        row = OpRow(spec, self._cards.get(spec.op), missing=bool(self._cards) and spec.op not in self._cards)
        row.edited.connect(lambda changed, what, merge: self._on_edited(row, changed, what, merge))
        row.move_wanted.connect(lambda steps: self.move_op(self._place(row), self._place(row) + steps))
        row.removed.connect(lambda: self.remove(self._place(row)))
        row.duplicated.connect(lambda: self.duplicate(self._place(row)))
        row.unfolded.connect(lambda: put_before(self.add_button, self._rows))
        row.focused.connect(lambda: self._on_focused(row))
        row.solo_wanted.connect(lambda: self.solo_wanted.emit(self._place(row)))
        row.mute_wanted.connect(lambda: self.mute_wanted.emit(self._place(row)))
        row.handle.dragged.connect(lambda point: self._on_dragged(row, point))
        row.handle.dropped.connect(lambda: self._on_dropped(row))
        return row

    def _place(self, row: OpRow) -> int:
        return self._rows.index(row)

    def _open_first(self) -> None:
        """The first two ops that have more to set than a probability."""
        worth = [row for row in self._rows if row.card and any(info.name != "p" for info in row.card.params)]
        for row in worth[:2]:
            row.set_open(True)

    def _on_edited(self, row: OpRow, spec: OpSpec, what: str, merge: str) -> None:
        place = self._place(row)
        chain = list(self.chain)
        chain[place] = spec
        self.changed.emit(tuple(chain), what, merge)

    def _on_focused(self, row: OpRow) -> None:
        place = self._place(row)
        self.set_current(place)
        self.current_changed.emit(place)

    def _on_dragged(self, row: OpRow, point: QPoint) -> None:
        y = self.mapFromGlobal(point).y()
        gap = sum(1 for other in self._rows if other.geometry().center().y() < y)
        place = self._place(row)
        self._target = gap - 1 if gap > place else gap
        edge = self._rows[gap].geometry().top() - 5 if gap < len(self._rows) else self._rows[-1].geometry().bottom() + 1
        self._line.setGeometry(0, edge, self.width(), 4)
        self._line.setVisible(self._target != place)
        self._line.raise_()

    def _on_dropped(self, row: OpRow) -> None:
        self._line.hide()
        target, self._target = self._target, None
        if target is not None:
            self.move_op(self._place(row), target)


class _DropLine(QWidget):
    """Where a dragged row will come to lie."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line in the accent."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.tokens().accent))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0, 0.5, 0, -0.5), 1.5, 1.5)
