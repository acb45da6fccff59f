"""The cards of an evaluation: accuracies, confusions, classes."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QGridLayout, QHeaderView, QWidget

from workbench.gui.pages.evaluate import figures
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.bars import IntervalBars
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.matrix import ConfusionMatrix
from workbench.gui.widgets.table import LongTable
from workbench.runs.results import Evaluation, ProbeResult

_HEADINGS = ("class", "precision", "recall", "images")
_SORT = Qt.ItemDataRole.UserRole


class ResultBoard(QWidget):
    """Everything that one evaluation holds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._evaluation: Evaluation | None = None
        self._options: list[tuple[str, str]] = []
        self.verdict = Banner()
        self.bars = IntervalBars()
        self._accuracy = Card("Accuracy", "dot and 95 % interval; dotted: always the most frequent class")
        self._accuracy.content.addWidget(self.bars)
        self.matrix = ConfusionMatrix()
        self.which = Choice()
        self.which.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToContents)
        self.which.setAccessibleName("whose confusions")
        self.which.chosen.connect(lambda _value: self._show_confusion())
        self._confusion = Card("Confusions")
        self._confusion.corner.addWidget(self.which)
        self._confusion.content.addWidget(self.matrix)
        self.model = QStandardItemModel(self)
        self.model.setSortRole(_SORT)
        self.table = LongTable(self.model)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.setAccessibleName("precision and recall of every class")
        self._classes = Card("Classes")
        self._classes.content.addWidget(self.table)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(16)
        grid.addWidget(self.verdict, 0, 0, 1, 2)
        grid.addWidget(self._accuracy, 1, 0, 1, 2)
        grid.addWidget(self._confusion, 2, 0)
        grid.addWidget(self._classes, 2, 1)
        grid.setRowStretch(2, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Shows it; the confusions are those of the encoder's last probe."""
        self._evaluation = evaluation
        self.verdict.show_words(*figures.verdict(evaluation))
        self.bars.set_groups(figures.groups(evaluation), chance=figures.chance(evaluation))
        options = [
            (f"{result.kind}/{result.subject}", f"{figures.PROBES[result.kind]}, {figures.SUBJECTS[result.subject]}")
            for result in evaluation.results
        ]
        if options != self._options:
            self._options = options
            self.which.set_options(options)
            own = [value for value, _ in options if value.endswith("/encoder")]
            if own:
                self.which.set_value(own[-1])
        self._show_confusion()

    def _result(self) -> ProbeResult | None:
        kind, _, subject = self.which.value().partition("/")
        return self._evaluation.result(kind, subject) if self._evaluation else None

    def _show_confusion(self) -> None:
        result = self._result()
        if self._evaluation is None or result is None:
            return
        classes = self._evaluation.classes
        self.matrix.set_counts(classes, result.confusion)
        self._fill_table(figures.class_rows(result, classes))

    def _fill_table(self, rows: list[figures.ClassRow]) -> None:
        header = self.table.horizontalHeader()
        column, order = header.sortIndicatorSection(), header.sortIndicatorOrder()
        self.table.setSortingEnabled(False)
        self.model.clear()
        self.model.setHorizontalHeaderLabels(list(_HEADINGS))
        for row in rows:
            cells = [_cell(row.name, row.name.lower(), right=False)]
            cells += [_share(row.precision), _share(row.recall), _cell(f"{row.images:,}", row.images, right=True)]
            self.model.appendRow(cells)
        for number in range(1, len(_HEADINGS)):
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            self.model.setHeaderData(number, Qt.Orientation.Horizontal, right, Qt.ItemDataRole.TextAlignmentRole)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(min(max(column, 0), len(_HEADINGS) - 1), order)


def _share(value: float | None) -> QStandardItem:
    return _cell("–", -1.0, right=True) if value is None else _cell(f"{100 * value:.1f} %", value, right=True)


def _cell(text: str, key: str | float, *, right: bool) -> QStandardItem:
    item = QStandardItem(text)
    item.setData(key, _SORT)
    item.setEditable(False)
    if right:
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
