from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from workbench.gui.run_rows import RowReader, newest_at_work
from workbench.gui.session import Session
from workbench.gui.settings import Settings
from workbench.runs import control
from workbench.runs.events import EventLog, Phase, Scalars
from workbench.runs.folder import RunFolder


def _epochs(session: Session, number: int) -> None:
    draft = session.draft
    assert draft
    session.edit(replace(draft, train=replace(draft.train, epochs=number)), "Epochs", merge="drag")


def test_a_drag_is_one_step_of_undo(opened: Session) -> None:
    before = opened.draft
    for number in (10, 20, 30):
        _epochs(opened, number)
    assert opened.draft
    assert opened.draft.train.epochs == 30
    opened.undo.undo()
    assert opened.draft == before
    opened.undo.redo()
    assert opened.draft
    assert opened.draft.train.epochs == 30


def test_another_folder_forgets_draft_and_history(opened: Session) -> None:
    _epochs(opened, 10)
    opened.set_scan(None)
    assert opened.draft is None
    assert not opened.undo.canUndo()


def test_settings_survive_a_restart_and_forget_what_is_gone(qtbot: QtBot, tmp_path: Path) -> None:
    first = Settings()
    kept, gone = tmp_path / "kept, with a comma", tmp_path / "gone"
    kept.mkdir()
    gone.mkdir()
    for folder in (kept, gone, kept):
        first.add_recent(folder)
    first.theme = "dark"
    first.page = "runs"
    first.save()
    gone.rmdir()
    again = Settings()
    assert again.recent == (kept,)
    assert (again.theme, again.page) == ("dark", "runs")


def test_a_window_comes_back_where_it_was(qtbot: QtBot) -> None:
    window, again = QWidget(), QWidget()
    for widget in (window, again):
        qtbot.addWidget(widget)
    assert not Settings().restore_geometry(again)
    window.setGeometry(40, 50, 500, 400)
    window.show()
    settings = Settings()
    settings.keep_geometry(window)
    settings.save()
    assert Settings().restore_geometry(again)
    assert again.geometry() == window.geometry()


def test_damaged_settings_are_no_settings(qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "window.ini").write_bytes(b"\x00\xff[[[\ntheme=purple\npage==\n")
    assert Settings().theme == "system"
    assert Settings().recent == ()


def test_watcher_follows_a_run(qtbot: QtBot, session: Session, finished_run: RunFolder) -> None:
    watcher = session.watcher
    with qtbot.waitSignal(watcher.reset):
        session.set_run(finished_run)
    assert watcher.status == "finished"
    assert watcher.state
    assert watcher.state.total_epochs == 4
    count = len(watcher.events)
    with qtbot.waitSignal(watcher.arrived) as arrived, EventLog(finished_run.events_file) as log:
        log.append(Scalars(step=99, epoch=3.9, values={"loss": 0.5}))
    assert [event.step for event in arrived.args[0]] == [99]
    assert watcher.state.step == 99
    assert len(watcher.events) == count + 1


def test_watcher_reads_a_long_file_in_pieces(qtbot: QtBot, session: Session, finished_run: RunFolder) -> None:
    with EventLog(finished_run.events_file) as log:
        for step in range(12_000):
            log.append(Scalars(step=step, epoch=1.0, values={"loss": 1.0}, time=1.0))
    pieces: list[int] = []
    session.watcher.arrived.connect(lambda events: pieces.append(len(events)))
    session.set_run(finished_run)
    assert 0 < len(session.watcher.events) < 12_000
    qtbot.waitUntil(lambda: session.watcher.caught_up)
    assert session.watcher.state
    assert session.watcher.state.step == 11_999
    assert max(pieces) < 5_000


def test_watcher_notices_a_dead_trainer(qtbot: QtBot, session: Session, make_run: Callable[..., RunFolder]) -> None:
    run = make_run(session.runs_folder, finished=False)
    control.beat(run)
    session.set_run(run)
    assert session.watcher.status == "training"
    assert session.watcher.running
    control.silence(run)
    qtbot.waitUntil(lambda: session.watcher.status == "interrupted")


def test_rows_tell_the_runs(make_run: Callable[..., RunFolder], tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    make_run(runs, name="one")
    working = make_run(runs, name="two", finished=False)
    control.beat(working)
    (runs / "notes").mkdir()
    broken = runs / "broken"
    broken.mkdir()
    (broken / "experiment.toml").write_text("version = 'x'", encoding="utf-8")
    rows = {row.name.rsplit("-", 1)[-1]: row for row in RowReader().read(runs)}
    assert set(rows) == {"one", "two", "broken"}
    assert rows["one"].status == "finished"
    assert rows["one"].knn == pytest.approx(0.8)
    assert rows["one"].linear == pytest.approx(0.75)
    assert rows["broken"].unreadable
    assert rows["broken"].problem
    assert newest_at_work(rows.values()) == rows["two"]


def test_rows_come_from_the_cache_until_files_change(
    make_run: Callable[..., RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    run = make_run(runs)
    first = RowReader().read(runs)
    read: list[Path] = []

    def counting(path: Path) -> object:
        read.append(path)
        return original(path)

    from workbench.gui import run_rows

    original = run_rows.read_row
    monkeypatch.setattr(run_rows, "read_row", counting)
    assert RowReader().read(runs) == first
    assert read == []
    with EventLog(run.events_file) as log:
        log.append(Phase(phase="stopped"))
    assert RowReader().read(runs)[0].status == "stopped"
    assert read == [run.path]


def test_cache_that_cannot_be_read_is_no_cache(make_run: Callable[..., RunFolder], tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    make_run(runs)
    first = RowReader().read(runs)
    for file in (tmp_path / "cache" / "runs").iterdir():
        file.write_bytes(b"garbage")
    assert RowReader().read(runs) == first
