"""The runs as a table: a model over rows, sorting by value, filtering by words."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from workbench.gui import theme, words
from workbench.gui.run_rows import RunRow
from workbench.gui.theme import Level
from workbench.runs.state import StatusName

Index = QModelIndex | QPersistentModelIndex
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d-\d{4}-")
"""What begins the name of a run's folder."""

SORT = int(Qt.ItemDataRole.UserRole)
ROW = SORT + 1

STATES: dict[StatusName, tuple[str, Level]] = {
    "created": ("created", "note"),
    "preparing": ("preparing", "note"),
    "training": ("training", "note"),
    "paused": ("paused", "watch"),
    "finished": ("finished", "good"),
    "stopped": ("stopped", "watch"),
    "failed": ("failed", "bad"),
    "interrupted": ("interrupted", "bad"),
}


@dataclass(frozen=True)
class Column:
    """One column: its heading, its words, and what it is sorted by."""

    title: str
    text: Callable[[RunRow], str]
    key: Callable[[RunRow], Any]
    width: int
    right: bool = False


def _name(row: RunRow) -> str:
    """As somebody called it: the time before it is in a column of its own, the whole name in the tip."""
    return _STAMP.sub("", row.name) or row.name


def _state(row: RunRow) -> str:
    return "unreadable" if row.unreadable else STATES[row.status][0]


def _knn(row: RunRow) -> str:
    if row.knn < 0:
        return ""
    half = 100 * (row.knn_high - row.knn_low) / 2
    return f"{100 * row.knn:.1f} % ± {half:.1f}"


def _epochs(row: RunRow) -> str:
    if not row.total_epochs:
        return ""
    done = int(row.epoch) if row.epoch < row.total_epochs else row.total_epochs
    return f"{done:,} of {row.total_epochs:,}"


COLUMNS = (
    Column("Name", _name, lambda row: _name(row).lower(), 264),
    Column("State", _state, lambda row: row.status, 124),
    Column("Method", lambda row: row.method, lambda row: row.method, 112),
    Column("Backbone", lambda row: row.backbone, lambda row: row.backbone, 96),
    Column("Data", lambda row: row.data, lambda row: row.data, 96),
    Column("Epochs", _epochs, lambda row: row.epoch, 88, right=True),
    Column("Best kNN", _knn, lambda row: row.knn, 112, right=True),
    Column(
        "Linear", lambda row: words.percent(row.linear) if row.linear >= 0 else "", lambda row: row.linear, 72, True
    ),
    Column(
        "Time", lambda row: words.duration(row.spent(time.time())) if row.seconds or row.training_since else "",
        lambda row: row.spent(time.time()), 72, True,
    ),
    Column("Started", lambda row: words.moment(row.created) if row.created else "", lambda row: row.created, 112),
)  # fmt: skip


class RunTableModel(QAbstractTableModel):
    """Wraps a list of rows; the list itself is read elsewhere."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[RunRow] = []

    def set_rows(self, rows: list[RunRow]) -> None:
        """Shows other rows. Where only values have changed, selection and scrolling stay."""
        same = [row.path for row in rows] == [row.path for row in self._rows]
        if same:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """How many runs."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """How many columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Headings."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        return _alignment(COLUMNS[section]) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words, tips, and what to sort by."""
        row, column = self._rows[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.problem or row.path
        if role == SORT:
            return column.key(row)
        return row if role == ROW else None


class RunFilter(QSortFilterProxyModel):
    """Sorts by the columns' values; shows runs in which every typed word occurs."""

    def __init__(self, model: RunTableModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self.setSourceModel(model)
        self.setSortRole(SORT)
        self.setDynamicSortFilter(True)

    def set_words(self, text: str) -> None:
        """Another filter."""
        self._words = text.lower().split()
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Whether a run has all the words."""
        if not self._words:
            return True
        row: RunRow = self.sourceModel().index(source_row, 0, source_parent).data(ROW)
        text = f"{row.name} {row.status} {row.method} {row.backbone} {row.data}".lower()
        return all(word in text for word in self._words)

    def lessThan(self, source_left: Index, source_right: Index) -> bool:
        """By value, not by words."""
        return bool(source_left.data(SORT) < source_right.data(SORT))


class StateDelegate(QStyledItemDelegate):
    """A dot in the state's color before its word."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The cell, then the dot."""
        row: RunRow = index.data(ROW)
        super().paint(painter, option, index)
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.level_color(STATES[row.status][1]))
        painter.drawEllipse(QRect(rect.left() + 8, rect.center().y() - 3, 8, 8))
        painter.restore()

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Makes room for the dot."""
        super().initStyleOption(option, index)
        option.text = f"    {option.text}"


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
