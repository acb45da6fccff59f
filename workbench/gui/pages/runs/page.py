"""The Runs page."""

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import (
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPushButton,
    QStackedWidget,
    QWidget,
)

from workbench.gui import icons, words
from workbench.gui.bridge import Engine
from workbench.gui.dialogs import choose_runs_folder
from workbench.gui.pages.page import Page
from workbench.gui.pages.runs import deeds
from workbench.gui.pages.runs.table import COLUMNS, ROW, RunFilter, RunTableModel, StateDelegate
from workbench.gui.run_rows import RunRow
from workbench.gui.session import Session
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.errors import show_failure
from workbench.gui.widgets.table import LongTable
from workbench.runs.folder import RunFolder
from workbench.spec.errors import WorkbenchError

_LOOK_MS = 3000


class RunsPage(Page):
    """Every run of the runs folder, read in the background and kept up to date while the page is shown."""

    name = "runs"
    title = "Runs"
    purpose = "Every run of this workspace. Open one to see it on the other pages."

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(session, engine, parent)
        self.runs = session.run_list
        self.model = RunTableModel(self)
        self.filter = RunFilter(self.model, self)
        self.table = LongTable(self.filter)
        self.search = QLineEdit()
        self.card = Card("Runs")
        self.empty = EmptyState(
            "runs", "No runs yet", "", "Choose images", lambda: self.session.page_wanted.emit("data")
        )
        self.open_button = QPushButton("Open run")
        self.open_button.setProperty("kind", "primary")
        self.folder_button = QPushButton("Change runs folder…")
        self._stack = QStackedWidget()
        self._look = QTimer(self, interval=_LOOK_MS)
        self.actions_by_name = self._make_actions()
        self._lay_out()
        self._connect()
        self._show()

    def entered(self) -> None:
        """Reads the folder now and then."""
        self.runs.refresh()
        self._look.start()

    def left(self) -> None:
        """Nobody looks."""
        self._look.stop()

    def chosen(self) -> list[RunRow]:
        """The selected runs, in the order of the table."""
        indexes = self.table.selectionModel().selectedRows()
        return [index.data(ROW) for index in sorted(indexes, key=lambda index: index.row())]

    def _lay_out(self) -> None:
        self.action_row.addWidget(self.folder_button)
        self.action_row.addWidget(self.open_button)
        self.search.setPlaceholderText("Filter by name, state, method, data")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(280)
        self.search.setAccessibleName("Filter runs")
        self.card.corner.addWidget(self.search)
        self.card.content.addWidget(self.table)
        self.table.setAccessibleName("Runs")
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # Names often begin alike.
        self.table.setItemDelegateForColumn(1, StateDelegate(self.table))
        for number, column in enumerate(COLUMNS):
            self.table.setColumnWidth(number, column.width)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.sortByColumn(len(COLUMNS) - 1, Qt.SortOrder.DescendingOrder)
        self._stack.addWidget(self.card)
        self._stack.addWidget(self.empty)
        self.body.addWidget(self._stack)

    def _connect(self) -> None:
        self.runs.changed.connect(self._show)
        self.session.run_changed.connect(self._on_run_changed)
        self._look.timeout.connect(self.runs.refresh)
        self.search.textChanged.connect(self.filter.set_words)
        self.table.selectionModel().selectionChanged.connect(self._show_buttons)
        self.table.activated.connect(lambda _: self._open())
        self.table.customContextMenuRequested.connect(self._on_menu)
        self.open_button.clicked.connect(self._open)
        self.folder_button.clicked.connect(lambda: choose_runs_folder(self.session, self))

    def _make_actions(self) -> dict[str, QAction]:
        """What the context menu offers; each also has its key while the table has the focus."""
        listed: tuple[tuple[str, str, str, str, Callable[[], None]], ...] = (
            ("open", "Open", "eye", "", self._open),
            ("again", "Run again with changes", "edit", "", self._again),
            ("resume", "Resume", "play", "", self._resume),
            ("stop", "Stop and keep", "stop", "", self._stop),
            ("rename", "Rename…", "rename", "F2", self._rename),
            ("show", "Show in the file manager", "external", "", self._show_folder),
            ("delete", "Delete…", "trash", "Del", self._delete),
        )
        made = {}
        for name, title, icon, key, slot in listed:
            action = QAction(title, self.table)
            icons.follow(action, icon, "bad" if name == "delete" else "secondary")
            if key:
                action.setShortcut(QKeySequence(key))
                action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _=False, slot=slot: self._try(slot))
            self.table.addAction(action)
            made[name] = action
        return made

    def _on_run_changed(self) -> None:
        """The other pages show another run: it is the one that is meant here too."""
        if self.session.run is not None:
            self._select({str(self.session.run.path)})
        self._show()

    def _show(self) -> None:
        rows = self.runs.rows
        kept = {row.path for row in self.chosen()}
        self.model.set_rows(rows)
        if not kept and self.session.run is not None:
            kept = {str(self.session.run.path)}
        self._select(kept)
        self.card.set_note(f"{words.counted(len(rows), 'run')} in {self.session.runs_folder}")
        folder = self.session.runs_folder
        if not self.runs.known:
            self.empty.set_words("Reading runs …", str(folder))
        else:
            self.empty.set_words("No runs yet", f"{folder} holds no runs. A run begins with images.", "Choose images")
        self._stack.setCurrentWidget(self.card if rows else self.empty)
        busy = [row for row in rows if row.at_work]
        self.set_state("running" if busy else "ready", words.counted(len(busy), "run") + " at work" if busy else "")
        self._show_buttons()

    def _select(self, paths: set[str]) -> None:
        selection = self.table.selectionModel()
        if {row.path for row in self.chosen()} == paths:
            return
        selection.clearSelection()
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for number in range(self.filter.rowCount()):
            index = self.filter.index(number, 0)
            if index.data(ROW).path in paths:
                selection.select(index, flags)

    def _show_buttons(self) -> None:
        rows = self.chosen()
        one = rows[0] if len(rows) == 1 else None
        self.open_button.setVisible(bool(self.runs.rows))
        self.open_button.setEnabled(one is not None and not one.unreadable)
        self.actions_by_name["open"].setEnabled(self.open_button.isEnabled())
        self.actions_by_name["again"].setEnabled(one is not None and not one.unreadable)
        self.actions_by_name["resume"].setEnabled(one is not None and deeds.can_resume(one))
        self.actions_by_name["stop"].setEnabled(any(row.at_work for row in rows))
        self.actions_by_name["rename"].setEnabled(one is not None and not one.at_work)
        self.actions_by_name["show"].setEnabled(bool(rows))
        self.actions_by_name["delete"].setEnabled(bool(rows) and not any(row.at_work for row in rows))

    def _on_menu(self, point: QPoint) -> None:
        menu = QMenu(self)
        for name, action in self.actions_by_name.items():
            if name in ("resume", "rename", "delete"):
                menu.addSeparator()
            menu.addAction(action)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.table.viewport().mapToGlobal(point))

    def _try(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except WorkbenchError as error:
            show_failure(self.window(), error)

    def _open(self) -> None:
        rows = self.chosen()
        if len(rows) == 1 and not rows[0].unreadable:
            self.session.set_run(RunFolder(rows[0].folder))
            self.session.page_wanted.emit("train")

    def _again(self) -> None:
        """Its experiment becomes the draft, on its own images."""
        run = RunFolder.open(self.chosen()[0].folder)
        self.session.open_again(run.experiment())
        self.session.page_wanted.emit("method")

    def _resume(self) -> None:
        run = deeds.resume(self.chosen()[0])
        self.session.set_run(run)
        self.session.run_started.emit(run)

    def _stop(self) -> None:
        for row in self.chosen():
            if row.at_work:
                deeds.stop(row)
        self.runs.refresh()

    def _rename(self) -> None:
        row = self.chosen()[0]
        name, agreed = QInputDialog.getText(self, "Rename the run", "Name of its folder", text=row.name)
        if agreed:
            self.rename(row, name)

    def rename(self, row: RunRow, name: str) -> None:
        """Gives a run another name; if it is the shown one it stays so. Raises `WorkbenchError`."""
        shown = self.session.run is not None and self.session.run.path == row.folder
        if shown:
            self.session.set_run(None)
        try:
            run = deeds.rename(row, name)
        except WorkbenchError:
            if shown:
                self.session.set_run(RunFolder(row.folder))
            raise
        if shown:
            self.session.set_run(run)
        self.runs.refresh()

    def _show_folder(self) -> None:
        folder = deeds.folder_of(self.chosen(), self.session.runs_folder)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _delete(self) -> None:
        rows = self.chosen()
        what = rows[0].name if len(rows) == 1 else words.counted(len(rows), "run")
        answer = QMessageBox.question(
            self,
            "Delete runs",
            f"Put {what} into the trash, with checkpoints, snapshots and exports?",
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        if answer == QMessageBox.StandardButton.Yes:
            self.delete(rows)

    def delete(self, rows: list[RunRow]) -> None:
        """Puts runs into the trash, and shows none of them any more. Raises `WorkbenchError`."""
        if self.session.run is not None and any(row.folder == self.session.run.path for row in rows):
            self.session.set_run(None)
        try:
            deeds.delete(rows)
        finally:
            self.runs.refresh()
