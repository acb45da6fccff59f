"""The right column: what was found, where labels come from, the split, and the working size."""

from typing import Any

from msgspec.structs import asdict, replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QWidget

from workbench.gui import theme, words
from workbench.gui.pages.data import facts
from workbench.gui.pages.data.division import Division
from workbench.gui.session import Session
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.chip import Dot
from workbench.gui.widgets.column import GUTTER, SIDE_WIDTH, ScrollColumn
from workbench.gui.widgets.elided import Elided, Mode
from workbench.gui.widgets.form import ParamForm
from workbench.gui.widgets.table import FactTable
from workbench.spec.dataset import LabelTable, ScanReport
from workbench.spec.experiment import MOST_PLANES, DataSpec
from workbench.spec.params import ParamInfo, describe
from workbench.spec.pixels import keeps_scale, scale_in_words

WIDTH = SIDE_WIDTH + GUTTER
_MOST_CLASSES = 12
_SPLIT = ("split", "test_fraction", "group", "limit")
_PIXELS = ("size", "fit", "channels", "depth", "black", "white", "normalize")
_SCALE = ("black", "white")
_CHOICES = {
    "labels": (("none", "none"), ("folders", "the sub-folders"), ("csv", "a label table")),
    "csv": (("labels.csv", "labels.csv"),),
    "column": (("", "first column"),),
    "group": (("", "nothing"),),
    "split": (
        ("auto", "automatic"),
        ("folders", "train and test"),
        ("random", "random"),
        ("clips", "whole clips"),
        ("stretches", "ends of clips"),
    ),
    "fit": (("crop", "cut the middle"), ("pad", "pad"), ("stretch", "stretch")),
    "channels": (("rgb", "color (3)"), ("gray", "gray (1)"), ("planes", "planes")),
    "depth": (("8", "8 bits"), ("16", "16 bits")),
    "normalize": (("dataset", "by this set"), ("imagenet", "as ImageNet"), ("none", "not at all")),
}


class DataInspector(ScrollColumn):
    """Shows the draft's data settings, and edits them."""

    def __init__(self, session: Session, division: Division, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._division = division
        self.setMinimumWidth(WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._facts = FactTable()
        summary = Card("Found")
        summary.content.addWidget(self._facts)
        self._form_labels = self._form("labels", "csv", "column")
        self._classes = ClassList()
        self.problem = Banner("bad")
        self.problem.hide()
        self._labels = Card("Labels", "used by probes, never by training")
        for widget in (self._form_labels, self.problem, self._classes):
            self._labels.content.addWidget(widget)
        self._form_split = self._form(*_SPLIT)
        self._split = Card("Split")
        self._split.content.addWidget(self._form_split)
        self._form_size = self._form(*_PIXELS)
        self.scale = QLabel()
        self.scale.setProperty("role", "caption")
        self.scale.setWordWrap(True)
        self._size = Card("Working size", "what training reads")
        self._size.content.addWidget(self._form_size)
        self._size.content.addWidget(self.scale)
        self._notes = Card("Worth knowing")
        self._notes.hide()
        self.notes: list[str] = []
        for card in (summary, self._labels, self._split, self._size, self._notes):
            self.column.addWidget(card)
        self.column.addStretch(1)
        division.changed.connect(self._on_divided)
        session.draft_changed.connect(self._show_draft)

    @property
    def forms(self) -> tuple[ParamForm, ParamForm, ParamForm]:
        """Labels, split, working size."""
        return self._form_labels, self._form_split, self._form_size

    def show_scan(self, scan: ScanReport) -> None:
        """Shows what was found, and offers what can be chosen from it."""
        self._facts.set_rows(facts.summary(scan))
        tables = scan.tables
        sources = [pair for pair in _CHOICES["labels"] if pair[0] == "none" or _offers(scan, pair[0])]
        self._form_labels.set_options("labels", sources)
        self._form_labels.set_options("csv", [(table.file, table.file) for table in tables] or _CHOICES["csv"])
        self._rebuild(scan)
        self._show_draft()
        self._show_notes()

    def _rebuild(self, scan: ScanReport) -> None:
        """The limit goes up to what there is, and black and white over the values that the files can have."""
        older = (self._form_split, self._form_size)
        self._form_split, self._form_size = self._form(*_SPLIT, scan=scan), self._form(*_PIXELS, scan=scan)
        count = scan.usual_planes
        planes = ("planes", f"planes ({count})" if 0 < count <= MOST_PLANES else "planes")
        self._form_size.set_options("channels", [*_CHOICES["channels"][:-1], planes])
        for card, form, newer in zip((self._split, self._size), older, (self._form_split, self._form_size)):
            card.content.replaceWidget(form, newer)
            form.hide()
            form.deleteLater()

    def _form(self, *names: str, scan: ScanReport | None = None) -> ParamForm:
        by_name: dict[str, ParamInfo] = {info.name: info for info in describe(DataSpec)}
        most = scan.count if scan else 0
        by_name["limit"] = replace(by_name["limit"], title="use at most", advanced=True, high=most or None)
        bits = max(scan.bits, default=8) if scan else 8
        if bits <= 16:  # Whole numbers, on a slider that tells small ones apart.
            for name in _SCALE:
                by_name[name] = replace(by_name[name], kind="int", low=0.0, high=float(2 ** max(bits, 8) - 1))
        options = {name: _CHOICES[name] for name in names if name in _CHOICES}
        form = ParamForm([by_name[name] for name in names], options=options)
        form.edited.connect(self._on_edited)
        return form

    def _on_edited(self, name: str, value: Any, merge: str) -> None:
        draft = self._session.draft
        if draft is None:
            return
        changes: dict[str, Any] = {name: float(value) if name in _SCALE else value}
        if name == "channels":
            scan = self._session.scan
            count = scan.usual_planes if scan and value == "planes" and scan.usual_planes <= MOST_PLANES else 0
            changes["planes"] = count
            if value == "planes" and draft.data.normalize == "imagenet":
                changes["normalize"] = "dataset"  # ImageNet's numbers are of colors.
        if name in ("labels", "csv"):
            changes.update(self._follow(replace(draft.data, **changes)))
        data = replace(draft.data, **changes)
        self._session.edit(replace(draft, data=data), f"Data: {name.replace('_', ' ')}", merge=merge)

    def _follow(self, data: DataSpec) -> dict[str, Any]:
        """A label table brings its own columns."""
        table = self._table(data)
        if data.labels != "csv" or table is None:
            return {}
        changes: dict[str, Any] = {"csv": table.file}
        if data.column not in table.columns:
            changes["column"] = table.columns[0] if table.columns else ""
        return changes

    def _table(self, data: DataSpec) -> LabelTable | None:
        tables = self._session.scan.tables if self._session.scan else ()
        return next((table for table in tables if table.file == data.csv), tables[0] if tables else None)

    def _show_draft(self) -> None:
        draft = self._session.draft
        self.setEnabled(draft is not None)
        if draft is None:
            return
        self._show_notes()
        data = draft.data
        table = self._table(data)
        columns = table.columns if table else ()
        counts = dict(zip(columns, table.distinct, strict=True)) if table else {}
        self._form_labels.set_options(
            "column", [(name, f"{name} ({counts[name]:,})") for name in columns] or _CHOICES["column"]
        )
        self._form_split.set_options("group", [*_CHOICES["group"], *((name, name) for name in columns)])
        values = asdict(data)
        for form in self.forms:
            form.set_values(values)
        for name in _SCALE:
            self._form_size.set_shown(name, keeps_scale(data))
        self.scale.setVisible(keeps_scale(data))
        self.scale.setText(scale_in_words(data))
        for name in ("csv", "column"):
            self._form_labels.field(name).setVisible(data.labels == "csv")
        self._form_split.field("group").setVisible(bool(columns))
        self._form_split.field("test_fraction").setVisible(not self._folders_decide(data))

    def _folders_decide(self, data: DataSpec) -> bool:
        scan = self._session.scan
        return data.split in ("auto", "folders") and scan is not None and "test" in scan.parts

    def _on_divided(self) -> None:
        reply, problem = self._division.reply, self._division.problem
        self.problem.setVisible(problem is not None)
        if problem is not None:
            self.problem.show_words("bad", problem.message, problem.hint)
        self._classes.setVisible(bool(reply and reply.classes))
        if reply is None:
            self._split.set_note("")
            return
        self._split.set_note(f"{reply.train_images:,} train, {reply.test_images:,} test")
        totals = [train + test for train, test in zip(reply.train, reply.test, strict=True)]
        self._classes.show_classes(list(zip(reply.classes, totals, strict=True)))

    def _show_notes(self) -> None:
        notes = _notes(self._session.scan, self._session.reasons)
        if notes == self.notes:
            return
        self.notes = notes
        while item := self._notes.content.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self._notes.setVisible(bool(notes))
        for note in notes:
            label = QLabel(note)
            label.setProperty("role", "secondary")
            label.setWordWrap(True)
            self._notes.content.addWidget(label)


class ClassList(QFrame):
    """Names, colors and counts of the classes; the first dozen, and how many more there are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 4, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.shown: list[tuple[str, int]] = []

    def show_classes(self, classes: list[tuple[str, int]]) -> None:
        """(name, images) of each class, in the order of their colors."""
        if classes == self.shown:
            return
        self.shown = classes
        while item := self._grid.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        for row, (name, count) in enumerate(classes[:_MOST_CLASSES]):
            number = QLabel(f"{count:,}")
            number.setProperty("role", "secondary")
            label = Elided(name, Mode.ElideMiddle)
            self._grid.addWidget(Dot(theme.class_color(row)), row, 0)
            self._grid.addWidget(label, row, 1)
            self._grid.addWidget(number, row, 2, Qt.AlignmentFlag.AlignRight)
        more = len(classes) - _MOST_CLASSES
        if more > 0:
            rest = QLabel(f"and {words.counted(more, 'more class', 'more classes')}")
            rest.setProperty("role", "caption")
            self._grid.addWidget(rest, _MOST_CLASSES, 1)


def _offers(scan: ScanReport, source: str) -> bool:
    return bool(scan.tables) if source == "csv" else any(scan.classes)


def _notes(scan: ScanReport | None, reasons: tuple[str, ...]) -> list[str]:
    if scan is None:
        return []
    notes = list(scan.notes)
    if scan.broken:
        first, count = scan.broken[0], words.counted(len(scan.broken), "file")
        notes.insert(0, f"{count} cannot be read, such as {first.path}: {first.reason.rstrip('.')}.")
    return [*notes, *reasons]
