from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from workbench.engine.messages import GetCatalog, Scan
from workbench.engine.protocol import Failed
from workbench.gui import shots, theme
from workbench.gui.bridge import Engine
from workbench.gui.pages import PAGES
from workbench.gui.session import Session
from workbench.gui.window import MainWindow
from workbench.runs import control
from workbench.runs.folder import RunFolder

NAMES = [name for name, _ in PAGES]


@pytest.fixture
def window(qtbot: QtBot, session: Session, engine: Engine) -> Iterator[MainWindow]:
    made = MainWindow(session, engine)
    qtbot.addWidget(made)
    made.show()
    made.begin()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    yield made
    made.close()


def _open(window: MainWindow, folder: Path) -> None:
    window.session.open_folder(folder)
    shots.settle(window, 20)


def test_all_pages_are_reached_in_their_order(qtbot: QtBot, window: MainWindow) -> None:
    assert [button.stop.name for button in window.rail.buttons.values()] == NAMES
    for number, name in enumerate(NAMES, start=1):
        QTest.keyClick(window, Qt.Key(ord("0") + number), Qt.KeyboardModifier.ControlModifier)
        assert window.page is window.pages[name]
        assert window.page.name == name
        assert window.rail.buttons[name].isChecked()
    window.rail.buttons["views"].click()
    assert window.page is window.pages["views"]


def test_pages_are_made_in_spare_time(qtbot: QtBot, window: MainWindow) -> None:
    assert list(window.pages) == ["data"]
    qtbot.waitUntil(lambda: len(window.pages) == len(PAGES), timeout=20_000)


def test_the_catalog_is_asked_for_at_the_start(qtbot: QtBot, window: MainWindow, client: Any) -> None:
    assert any(isinstance(request, GetCatalog) for request in client.asked)
    qtbot.waitUntil(lambda: "2 CPU cores, 8 GB" in window.status.machine.text())


def test_a_folder_and_a_run_on_every_page(
    qtbot: QtBot, window: MainWindow, images: Path, finished_run: RunFolder
) -> None:
    window.make_all_pages()
    _open(window, images)
    window.session.set_run(finished_run)
    for name in NAMES:
        window.show_page(name)
        shots.settle(window, 20)
        assert not window.grab().isNull()
    theme.set_mode("dark")
    shots.settle(window, 20)
    assert window.failure is None
    assert window.windowTitle().startswith("pets")
    assert "pets · 36 images · 2 classes" in window.status.data.text()
    assert window.status.views.text() == "views: 2 global"
    assert finished_run.name in window.status.run.text()


def test_no_part_flashes_as_a_window_of_its_own(
    qtbot: QtBot, qapp: QApplication, window: MainWindow, images: Path, finished_run: RunFolder
) -> None:
    """A widget that is made visible before it has a parent is a window for a moment, and takes the focus."""
    seen = _ShownWindows(qapp)
    qapp.installEventFilter(seen)
    window.make_all_pages()
    _open(window, images)
    window.session.set_run(finished_run)
    shots.settle(window, 20)
    qapp.removeEventFilter(seen)
    assert seen.shown == []


class _ShownWindows(QObject):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.shown: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.shown.append(repr(watched))
        return False


def test_a_long_name_of_a_run_does_not_widen_the_window(window: MainWindow) -> None:
    before = window.minimumSizeHint().width()
    window.status.run.setText("run " * 200)
    assert window.status.run.sizeHint().width() > 2000
    assert window.minimumSizeHint().width() == before


def test_states_are_on_the_rail_in_words(qtbot: QtBot, window: MainWindow, images: Path) -> None:
    assert "needs a folder" in window.rail.buttons["data"].accessibleName()
    _open(window, images)
    assert window.rail.buttons["data"].accessibleName() == "Data"


def test_a_job_is_shown_and_cancelled(qtbot: QtBot, window: MainWindow, client: Any, images: Path) -> None:
    client.hold.add(Scan)
    window.session.open_folder(images)
    assert [row.job.title for row in window.status.jobs] == ["Scanning pets"]
    window.status.jobs[0].job.cancel()
    qtbot.waitUntil(lambda: not window.status.jobs)
    assert window.session.opening is None


def test_a_failure_is_told_in_words(qtbot: QtBot, window: MainWindow, client: Any, tmp_path: Path) -> None:
    client.replies[Scan] = lambda request: Failed(id=1, reason="error", message="There is no folder.", hint="Look.")
    window.session.open_folder(tmp_path)
    qtbot.waitUntil(lambda: window.failure is not None)
    assert window.failure
    assert window.failure.words.message == "There is no folder."
    window.failure.close()


def test_the_palette_does_what_is_typed(qtbot: QtBot, window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert window.palette_box.isVisible()
    QTest.keyClicks(window.palette_box.field, "dark")
    QTest.keyClick(window.palette_box.field, Qt.Key.Key_Return)
    assert not window.palette_box.isVisible()
    assert theme.tokens().dark
    assert window.session.settings.theme == "dark"


def test_undo_by_keyboard(qtbot: QtBot, window: MainWindow, images: Path) -> None:
    from msgspec.structs import replace

    _open(window, images)
    draft = window.session.draft
    assert draft
    window.session.edit(replace(draft, seed=5), "Seed")
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.session.draft == draft
    QTest.keyClick(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert window.session.draft
    assert window.session.draft.seed == 5


def test_a_dropped_folder_is_opened_and_a_dropped_run_is_shown(
    qtbot: QtBot, window: MainWindow, images: Path, finished_run: RunFolder
) -> None:
    def drop(path: Path) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        event = QDropEvent(
            QPointF(200, 200), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        window.dropEvent(event)

    drop(images / "cats" / "00.png")
    qtbot.waitUntil(lambda: window.session.scan is not None)
    assert window.session.scan
    assert window.session.scan.folder == str(images / "cats")
    drop(finished_run.path)
    assert window.session.run
    assert window.session.run.path == finished_run.path
    assert window.page is window.pages["train"]


def test_the_window_finds_the_run_that_trains(
    qtbot: QtBot, session: Session, engine: Engine, make_run: Callable[..., RunFolder]
) -> None:
    make_run(session.runs_folder, name="done")
    run = make_run(session.runs_folder, name="working", finished=False)
    control.beat(run)
    window = MainWindow(session, engine)
    qtbot.addWidget(window)
    window.show()
    window.begin()
    qtbot.waitUntil(lambda: session.run is not None)
    assert session.run
    assert session.run.path == run.path
    assert window.page is window.pages["train"]
    assert session.watcher.running
    window.close()
    assert control.is_alive(run)


def test_the_window_remembers_the_run(
    qtbot: QtBot, engine: Engine, window: MainWindow, finished_run: RunFolder
) -> None:
    window.session.set_run(finished_run)
    window.close()
    again = MainWindow(Session(window.session.runs_folder), engine)
    qtbot.addWidget(again)
    again.show()
    again.begin()
    qtbot.waitUntil(lambda: again.session.run is not None)
    assert again.session.run
    assert again.session.run.path == finished_run.path
    again.session.set_run(None)
    again.close()


def test_the_images_of_a_run_are_opened_without_leaving_its_page(window: MainWindow, finished_run: RunFolder) -> None:
    window.session.set_run(finished_run)
    window.show_page("train")
    window.open_images_of(finished_run)
    shots.settle(window, 20)
    assert window.page is window.pages["train"]
    assert window.session.scan is not None
    assert window.session.draft == finished_run.experiment()
