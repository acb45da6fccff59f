"""The main window: rail, pages, status bar, menus, and what belongs to all pages."""

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from workbench.engine.messages import Arrays, CatalogReply, GetCatalog, GetMachine, MachineReply
from workbench.engine.protocol import Failed
from workbench.gui import actions, commands, icons
from workbench.gui.bridge import Engine
from workbench.gui.opening import FolderOpener
from workbench.gui.pages import PAGES, make_page
from workbench.gui.pages.page import Page
from workbench.gui.palette import CommandPalette
from workbench.gui.rail import Rail, Stop
from workbench.gui.run_rows import newest_at_work
from workbench.gui.session import Session
from workbench.gui.statusbar import StatusBar
from workbench.gui.widgets.errors import FailureDialog, Words, show_failure
from workbench.runs.folder import RunFolder
from workbench.spec.errors import WorkbenchError

_PAGES_OF_RUNS = ("train", "explore", "evaluate", "runs", "export")


class MainWindow(QMainWindow):
    """Shows one session. Pages are made when they are first needed, and after the start in spare time."""

    def __init__(self, session: Session, engine: Engine) -> None:
        super().__init__()
        self.session = session
        self.engine = engine
        self.setWindowTitle("Pretext Workbench")
        self.setWindowIcon(icons.application_icon())
        self.setAcceptDrops(True)
        self.opener = FolderOpener(session, engine, self)
        self.runs = session.run_list
        self.pages: dict[str, Page] = {}
        self.page: Page | None = None
        self.failure: FailureDialog | None = None
        self._attached = False
        self._stays = False
        self._last_page = session.settings.page
        self.rail = Rail(tuple(Stop(name, title) for name, title in PAGES))
        self.stack = QStackedWidget()
        self.stack.setObjectName("pages")
        self.status = StatusBar(session, engine)
        self._lay_out()
        self._drop = QLabel("Drop to open this folder", self)
        self._drop.setObjectName("drop")
        self._drop.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._drop.hide()
        self.palette_box = CommandPalette(self)
        self.actions_list = commands.of_window(self)
        self._bound = actions.bind_shortcuts(self.actions_list, self)
        self._build_menus()
        self._connect()
        if not session.settings.restore_geometry(self):
            self.resize(1440, 900)

    def begin(self) -> None:
        """Asks the engine what there is, and makes the other pages when the window has been painted."""
        self.engine.ask(GetCatalog(), done=self._on_catalog, topic="catalog")
        self.engine.ask(GetMachine(), done=self._on_machine, topic="machine")
        self.runs.refresh()
        if self.page is None:
            self.show_page("data")
        QTimer.singleShot(200, self, self._make_next_page)

    def show_page(self, name: str) -> Page:
        """Shows a page."""
        page = self.ensure_page(name)
        if page is self.page:
            return page
        if self.page is not None:
            self.page.left()
        self.page = page
        self.stack.setCurrentWidget(page)
        self.rail.choose(name)
        self.session.settings.page = name
        page.entered()
        return page

    def ensure_page(self, name: str) -> Page:
        """The page of that name, made where it was not yet."""
        if name not in self.pages:
            page = make_page(name, self.session, self.engine)
            self.pages[name] = page
            self.stack.addWidget(page)
            page.state_changed.connect(lambda: self._show_state(name))
            self.session.settings.restore_splitters(page)
            self._show_state(name)
        return self.pages[name]

    def make_all_pages(self) -> None:
        """Makes every page now."""
        for name, _ in PAGES:
            self.ensure_page(name)

    def show_failure(self, problem: Failed | WorkbenchError | Words) -> None:
        """An error in words; a newer one takes the place of an older one."""
        if self.failure is not None:
            self.failure.close()
        self.failure = show_failure(self, problem)
        self.failure.destroyed.connect(self._forget_failure)

    def open_palette(self) -> None:
        """The command palette."""
        self.palette_box.open(self.actions_list)

    def toggle_full_screen(self) -> None:
        """Fills the screen, and back."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remembers how it was. A run that trains goes on: its trainer is a process of its own."""
        settings = self.session.settings
        settings.keep_geometry(self)
        settings.keep_splitters(self)
        settings.run = self.session.run.path if self.session.run else None
        settings.save()
        if self.page is not None:
            self.page.left()
        self.runs.close()
        self.engine.close()
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A folder, or a file of one, may be dropped anywhere."""
        if _dropped_folder(event) is not None:
            event.acceptProposedAction()
            self._drop.setGeometry(self.rect().adjusted(24, 24, -24, -24))
            self._drop.show()
            self._drop.raise_()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Gone again."""
        self._drop.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Opens what was dropped: a run folder as a run, any other as images."""
        self._drop.hide()
        folder = _dropped_folder(event)
        if folder is None:
            return
        event.acceptProposedAction()
        self.open_path(folder)

    def open_path(self, folder: Path) -> None:
        """Opens a folder of images, or a run."""
        if (folder / "experiment.toml").is_file() and (folder / "events.jsonl").is_file():
            self.session.set_run(RunFolder(folder.resolve()))
            self.show_page("train")
        else:
            self.session.open_folder(folder)

    def open_images_of(self, run: RunFolder) -> None:
        """Takes up a run's experiment as the draft, on its images where they are there, and stays on the page."""
        try:
            experiment = run.experiment()
        except WorkbenchError as error:
            self.show_failure(error)
            return
        if not Path(experiment.data.folder).is_dir():
            return
        self._stays = True
        self.session.open_again(experiment)

    def _lay_out(self) -> None:
        middle = QHBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        middle.addWidget(self.stack, 1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(middle, 1)
        column.addWidget(self.status)
        self.setCentralWidget(whole)

    def _build_menus(self) -> None:
        """The menu bar where the system has one outside the window; the same menus at the foot of the rail."""
        bar = self.menuBar()
        popup = QMenu(self)
        for title in actions.MENUS:
            of_menu = [action for action in self.actions_list if action.menu == title]
            for menu in (bar.addMenu(f"&{title}"), popup.addMenu(title)):
                actions.fill_menu(menu, of_menu, self._bound)
        self.rail.set_menu(popup)
        bar.setVisible(bar.isNativeMenuBar())

    def _connect(self) -> None:
        self.rail.chosen.connect(self.show_page)
        self.session.page_wanted.connect(self.show_page)
        self.session.run_started.connect(lambda _: self.show_page("train"))
        self.session.opening_changed.connect(self._on_opening)
        self.session.scan_changed.connect(self._show_title)
        self.session.runs_folder_changed.connect(self._on_runs_folder)
        self.engine.failed.connect(self.show_failure)
        self.runs.changed.connect(self._attach)

    def _make_next_page(self) -> None:
        missing = [name for name, _ in PAGES if name not in self.pages]
        if missing and self.isVisible():
            self.ensure_page(missing[0])
            QTimer.singleShot(20, self, self._make_next_page)

    def _attach(self) -> None:
        """Once, at the start: shows the run that trains, or the one that was shown last."""
        if self._attached or not self.runs.known:
            return
        self._attached = True
        if self.session.run is not None:
            return
        row = newest_at_work(self.runs.rows)
        if row is not None:
            self.session.set_run(RunFolder(row.folder))
            if self.session.scan is None and self.session.opening is None:
                self.show_page("train")
            return
        last, page = self.session.settings.run, self._last_page
        if last is not None and (last / "experiment.toml").is_file():
            self.session.set_run(RunFolder(last))
            if page in _PAGES_OF_RUNS and self.session.scan is None and self.session.opening is None:
                self.show_page(page)

    def _on_catalog(self, reply: CatalogReply, arrays: Arrays) -> None:
        del arrays
        self.session.set_catalog(reply.catalog)

    def _on_machine(self, reply: MachineReply, arrays: Arrays) -> None:
        del arrays
        self.session.set_devices(reply.devices)

    def _on_opening(self) -> None:
        opening = self.session.opening
        if opening is None:
            self._stays = False
        elif opening.done == 0 and not self._stays:
            self.show_page("data")

    def _on_runs_folder(self) -> None:
        self.session.settings.runs_folder = self.session.runs_folder

    def _show_state(self, name: str) -> None:
        page = self.pages[name]
        self.rail.set_state(name, page.state, page.why)

    def _show_title(self) -> None:
        scan = self.session.scan
        name = f"{Path(scan.folder).name} – " if scan else ""
        self.setWindowTitle(f"{name}Pretext Workbench")

    def _forget_failure(self) -> None:
        self.failure = None


def _dropped_folder(event: QDropEvent) -> Path | None:
    for url in event.mimeData().urls():
        if url.isLocalFile():
            path = Path(url.toLocalFile())
            return path if path.is_dir() else path.parent
    return None
