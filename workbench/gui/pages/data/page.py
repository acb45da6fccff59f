"""The Data page."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QSplitter, QStackedWidget, QWidget

from workbench.gui import icons, words
from workbench.gui.bridge import Engine
from workbench.gui.dialogs import choose_folder
from workbench.gui.pages.data.division import Division
from workbench.gui.pages.data.inspector import WIDTH, DataInspector
from workbench.gui.pages.data.pictures import PicturesCard
from workbench.gui.pages.data.welcome import Reading, Welcome
from workbench.gui.pages.page import Page
from workbench.gui.sample import SamplePainter
from workbench.gui.session import Session
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.errors import show_failure
from workbench.spec.dataset import ScanReport


class DataPage(Page):
    """Welcome, reading, nothing found, or the folder: one of these."""

    name = "data"
    title = "Data"
    purpose = "Your images, what is known of them, and which of them are kept for testing."

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(session, engine, parent)
        self.division = Division(session, engine, self)
        self.painter = SamplePainter(self)
        self.welcome = Welcome(session)
        self.reading = Reading(session)
        self.nothing = EmptyState("search", "", "", "Open another folder…", self._on_open)
        self.pictures = PicturesCard(engine, self.division)
        self.inspector = DataInspector(session, self.division)
        self.open_button = QPushButton("Open folder…")
        icons.lead(self.open_button, "open")
        self.go_on = QPushButton("Continue to views")
        self.go_on.setProperty("kind", "primary")
        self._stack = QStackedWidget()
        self._content = QSplitter(Qt.Orientation.Horizontal)
        self._lay_out()
        self._connect()
        self._show()

    def _lay_out(self) -> None:
        self.action_row.addWidget(self.open_button)
        self.action_row.addWidget(self.go_on)
        self._content.setObjectName("data-whole")
        self._content.setChildrenCollapsible(False)
        self._content.setHandleWidth(16)
        self._content.addWidget(self.pictures)
        self._content.addWidget(self.inspector)
        self._content.setStretchFactor(0, 1)
        self._content.setSizes([4000, WIDTH])
        for widget in (self.welcome, self.reading, self.nothing, self._content):
            self._stack.addWidget(widget)
        self.body.addWidget(self._stack)
        self.reach_gutter()

    def _connect(self) -> None:
        self.session.scan_changed.connect(self._on_scan_changed)
        self.session.draft_changed.connect(self._on_draft_changed)
        self.session.opening_changed.connect(self._show)
        self.open_button.clicked.connect(self._on_open)
        self.go_on.clicked.connect(lambda: self.session.page_wanted.emit("views"))
        self.welcome.open_wanted.connect(self._on_open)
        self.welcome.sample_wanted.connect(self._on_sample)
        self.painter.progressed.connect(self._on_painting)
        self.painter.painted.connect(self._on_painted)
        self.painter.failed.connect(self._on_painting_failed)

    def _show(self) -> None:
        """Which of the four faces."""
        scan, opening = self.session.scan, self.session.opening
        if opening is not None:
            self.reading.show_opening(opening)
            self._stack.setCurrentWidget(self.reading)
        elif scan is None:
            self._stack.setCurrentWidget(self.welcome)
        elif not scan.count:
            self.nothing.set_words(*_nothing_words(scan), "Open another folder…")
            self._stack.setCurrentWidget(self.nothing)
        else:
            self._stack.setCurrentWidget(self._content)
        shown = opening is None and scan is not None and scan.count > 0
        self.open_button.setVisible(shown)
        self.go_on.setVisible(shown)
        self.go_on.setEnabled(self.session.draft is not None)
        if opening is not None:
            self.set_state("running", f"reading {opening.folder.name}")
        else:
            self.set_state("ready" if shown else "needs", "" if shown else "needs a folder of images")
        self.set_purpose(scan.folder if shown and scan else self.purpose)

    def _on_scan_changed(self) -> None:
        scan = self.session.scan
        if scan is not None and scan.count:
            self.pictures.show_scan(scan)
            self.inspector.show_scan(scan)
        self._show()

    def _on_draft_changed(self) -> None:
        self.go_on.setEnabled(self.session.draft is not None)

    def _on_open(self) -> None:
        choose_folder(self.session, self)

    def _on_sample(self) -> None:
        self.painter.paint()

    def _on_painting(self, done: int, total: int) -> None:
        self.welcome.show_painting(f"Painting the sample: {done:,} of {words.counted(total, 'image')}")

    def _on_painted(self, folder: object) -> None:
        self.welcome.show_painting("")
        self.session.open_folder(folder)  # type: ignore[arg-type]  # the signal carries a Path

    def _on_painting_failed(self, problem: object) -> None:
        self.welcome.show_painting("")
        show_failure(self.window(), problem)  # type: ignore[arg-type]  # the signal carries Words


def _nothing_words(scan: ScanReport) -> tuple[str, str]:
    if scan.broken:
        first = scan.broken[0]
        count = words.counted(len(scan.broken), "file")
        return "No readable images", f"{count} in {scan.folder} cannot be read, such as {first.path}: {first.reason}."
    return "No images here", f"{scan.folder} and its sub-folders hold no image files. {' '.join(scan.notes)}".strip()
