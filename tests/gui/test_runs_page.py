from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from workbench.gui.bridge import Engine
from workbench.gui.pages.runs import RunsPage, deeds
from workbench.gui.pages.runs.table import COLUMNS, ROW
from workbench.gui.run_rows import RunRow
from workbench.gui.session import Session
from workbench.runs import control
from workbench.runs.folder import RunFolder
from workbench.spec.errors import UsageError

Make = Callable[..., RunFolder]


@pytest.fixture
def page(qtbot: QtBot, session: Session, engine: Engine, make_run: Make) -> RunsPage:
    for name in ("alpha", "beta", "gamma"):
        make_run(session.runs_folder, name=name)
    made = RunsPage(session, engine)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    made.entered()
    qtbot.waitUntil(lambda: session.run_list.known and not session.run_list.busy)
    return made


def _names(page: RunsPage) -> list[str]:
    return [page.filter.index(row, 0).data() for row in range(page.filter.rowCount())]


def _select(page: RunsPage, name: str) -> RunRow:
    page.table.clearSelection()
    page.table.selectRow(_names(page).index(name))
    row: RunRow = page.table.selectionModel().selectedRows()[0].data(ROW)
    return row


def test_runs_are_listed_in_words(page: RunsPage) -> None:
    assert set(_names(page)) == {"alpha", "beta", "gamma"}, "without the time that their folders' names begin with"
    tip = page.filter.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == page.filter.index(0, 0).data(ROW).path
    cells = [page.filter.index(0, column).data() for column in range(len(COLUMNS))]
    assert cells[1:4] == ["finished", "simclr", "resnet18"]
    assert "80.0 % ± 10.0" in cells
    assert "75.0 %" in cells


def test_runs_are_filtered_and_sorted_by_value(page: RunsPage) -> None:
    page.search.setText("simclr BET")
    assert _names(page) == ["beta"]
    page.search.setText("")
    page.table.sortByColumn(0, page.table.horizontalHeader().sortIndicatorOrder().AscendingOrder)
    assert _names(page) == ["alpha", "beta", "gamma"]


def test_a_run_is_opened(qtbot: QtBot, page: RunsPage) -> None:
    row = _select(page, "beta")
    with qtbot.waitSignal(page.session.page_wanted) as wanted:
        page.open_button.click()
    assert wanted.args == ["train"]
    assert page.session.run
    assert page.session.run.path == row.folder


def test_the_run_that_is_shown_elsewhere_is_the_chosen_one(
    qtbot: QtBot, page: RunsPage, session: Session, make_run: Make
) -> None:
    runs = {row.name: row.folder for row in session.run_list.rows}
    first, second = list(runs.values())[:2]
    for run in (first, second):
        session.set_run(RunFolder(run))
        assert [row.folder for row in page.chosen()] == [run]
    started = make_run(session.runs_folder, name="delta")
    session.set_run(started)
    session.run_list.refresh()
    qtbot.waitUntil(lambda: [row.folder for row in page.chosen()] == [started.path])


def test_a_run_is_renamed_and_stays_shown(qtbot: QtBot, page: RunsPage) -> None:
    row = _select(page, "alpha")
    page.session.set_run(RunFolder(row.folder))
    page.rename(row, "the first one")
    assert page.session.run
    assert page.session.run.name == "the first one"
    qtbot.waitUntil(lambda: any(found.name == "the first one" for found in page.session.run_list.rows))


@pytest.mark.parametrize("name", ["", "a/b", "..", "what?", "x\x00y"])
def test_a_bad_name_is_refused(page: RunsPage, name: str) -> None:
    row = _select(page, "alpha")
    with pytest.raises(UsageError):
        page.rename(row, name)
    assert row.folder.is_dir()


def test_a_taken_name_is_refused(page: RunsPage) -> None:
    row, other = _select(page, "alpha"), _select(page, "beta")
    with pytest.raises(UsageError, match="already"):
        deeds.rename(row, other.name)


def test_a_run_at_work_is_neither_renamed_nor_deleted(page: RunsPage) -> None:
    row = _select(page, "alpha")
    control.beat(RunFolder(row.folder))
    with pytest.raises(UsageError, match="Stop it first"):
        page.rename(row, "other")
    with pytest.raises(UsageError, match="Stop it first"):
        page.delete([row])
    assert row.folder.is_dir()


def test_a_deleted_run_goes_to_the_trash(qtbot: QtBot, page: RunsPage, monkeypatch: pytest.MonkeyPatch) -> None:
    trashed: list[str] = []

    def to_trash(path: str) -> None:
        trashed.append(path)
        Path(path).rename(Path(path).parents[1] / "trashed")

    monkeypatch.setattr(deeds, "send2trash", to_trash)
    row = _select(page, "gamma")
    page.session.set_run(RunFolder(row.folder))
    page.delete([row])
    assert trashed == [str(row.folder)]
    assert page.session.run is None
    qtbot.waitUntil(lambda: len(page.session.run_list.rows) == 2)
    assert page.filter.rowCount() == 2


def test_an_interrupted_run_is_resumed(
    qtbot: QtBot, page: RunsPage, make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[str] = []
    monkeypatch.setattr(deeds, "launch_trainer", lambda run: launched.append(run.name))
    run = make_run(page.session.runs_folder, name="delta", finished=False)
    control.ask(run, "stop")
    page.session.run_list.refresh()
    qtbot.waitUntil(lambda: page.filter.rowCount() == 4)
    row = _select(page, "delta")
    assert row.status == "interrupted"
    assert deeds.can_resume(row)
    deeds.resume(row)
    assert launched == [run.name]
    assert not control.asked(run, "stop")


def test_a_run_is_run_again_with_changes(qtbot: QtBot, page: RunsPage) -> None:
    _select(page, "alpha")
    with qtbot.waitSignals([page.session.folder_wanted, page.session.page_wanted]):
        page.actions_by_name["again"].trigger()


def test_another_folder_is_another_list(qtbot: QtBot, page: RunsPage, tmp_path: Path, engine: Engine) -> None:
    page.session.set_runs_folder(tmp_path / "elsewhere")
    qtbot.waitUntil(lambda: page.session.run_list.known)
    assert page.filter.rowCount() == 0
    assert page.empty.isVisible()


def test_a_damaged_run_is_listed_with_its_reason(qtbot: QtBot, page: RunsPage, session: Session) -> None:
    broken = session.runs_folder / "broken"
    broken.mkdir()
    (broken / "experiment.toml").write_text("version = ", encoding="utf-8")
    session.run_list.refresh()
    qtbot.waitUntil(lambda: page.filter.rowCount() == 4)
    row = _select(page, "broken")
    assert "TOML" in row.problem
    assert not page.open_button.isEnabled()


def test_a_run_at_work_shows_on_the_rail(qtbot: QtBot, page: RunsPage, make_run: Make) -> None:
    run = make_run(page.session.runs_folder, name="delta", finished=False)
    control.beat(run)
    with qtbot.waitSignal(page.state_changed):
        page.session.run_list.refresh()
    assert page.state == "running"
    assert page.why == "1 run at work"
