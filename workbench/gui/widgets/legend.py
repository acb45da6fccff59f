"""The classes of a map: a dot, a name, a count each. A click shows that class alone, Ctrl adds one."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QResizeEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from workbench.gui import theme, words

_SEARCH_FROM = 12
_NUMBER = Qt.ItemDataRole.UserRole
_Index = QModelIndex | QPersistentModelIndex


class ClassLegend(QWidget):
    """`shown_changed(frozenset of class numbers, or None for all)`."""

    shown_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = QStandardItemModel(self)
        self._found = QSortFilterProxyModel(self)
        self._found.setSourceModel(self._model)
        self._found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._search = QLineEdit()
        self._search.setPlaceholderText("Find a class")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._found.setFilterFixedString)
        self._search.hide()
        self._list = _TwoColumns()
        self._list.setModel(self._found)
        self._list.setItemDelegate(_ClassDelegate(self._list))
        self._list.setAccessibleName("classes")
        self._list.selectionModel().selectionChanged.connect(self._on_chosen)
        self._list.clicked.connect(self._on_clicked)
        self._alone = -1
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._search)
        column.addWidget(self._list, 1)
        theme.changed.connect(self._list.viewport().update)

    def set_classes(self, names: Sequence[str], counts: Sequence[int]) -> None:
        """Class number n is names[n]."""
        self._search.setVisible(len(names) >= _SEARCH_FROM)
        self._search.clear()
        self._alone = -1
        self._model.clear()
        for number, (name, count) in enumerate(zip(names, counts, strict=True)):
            item = QStandardItem(name)
            item.setData(number, _NUMBER)
            item.setToolTip(f"{name}: {words.counted(count, 'image')}. Click to show it alone, Ctrl+click to add.")
            self._model.appendRow(item)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, those that the search has hidden left out."""
        return tuple(str(self._found.index(row, 0).data()) for row in range(self._found.rowCount()))

    def choose(self, numbers: frozenset[int] | None) -> None:
        """Shows only these; None shows all."""
        wanted = QItemSelection()
        for row in range(self._found.rowCount()):
            index = self._found.index(row, 0)
            if numbers and int(index.data(_NUMBER)) in numbers:
                wanted.select(index, index)
        model = self._list.selectionModel()
        model.select(wanted, model.SelectionFlag.ClearAndSelect)

    def _chosen(self) -> frozenset[int]:
        return frozenset(int(index.data(_NUMBER)) for index in self._list.selectionModel().selectedIndexes())

    def _on_chosen(self) -> None:
        self.shown_changed.emit(self._chosen() or None)

    def _on_clicked(self, index: QModelIndex) -> None:
        """A second click on the only class that is shown shows all again."""
        number, chosen = int(index.data(_NUMBER)), self._chosen()
        if chosen == {number} and number == self._alone:
            self._list.clearSelection()
            self._alone = -1
        else:
            self._alone = number if len(chosen) == 1 else -1


class _TwoColumns(QListView):
    def __init__(self) -> None:
        super().__init__()
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setUniformItemSizes(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two columns at any width."""
        # From the whole width: the viewport loses the scroll bar, which depends on the layout, which depends on this.
        self.setGridSize(QSize(max(80, (self.width() - 16) // 2), 24))
        super().resizeEvent(event)


class _ClassDelegate(QStyledItemDelegate):
    def __init__(self, shown: QListView) -> None:
        super().__init__(shown)
        self._list = shown

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """A dot and a name."""
        box = QRectF(option.rect)
        tokens = theme.tokens()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(tokens.accent_tint if selected else tokens.hover))
            painter.drawRoundedRect(box.adjusted(0, 1, -2, -1), 4, 4)
        painter.setBrush(theme.class_color(int(index.data(_NUMBER))))
        painter.drawEllipse(QRectF(box.left() + 5, box.center().y() - 4, 8, 8))
        painter.setPen(QColor(tokens.text))
        text = QRectF(box.left() + 20, box.top(), box.width() - 24, box.height())
        metrics = painter.fontMetrics()
        name = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideRight, int(text.width()))
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """The view's grid decides."""
        del option, index
        return self._list.gridSize()
