"""What a puzzle shows: before training on the Views page, and beside its answers, epoch by epoch, on the Train page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.engine import messages as m
from workbench.engine.protocol import Failed
from workbench.gui.pages.train import TrainPage
from workbench.gui.pages.views import ViewsPage
from workbench.gui.session import Session
from workbench.gui.widgets.exhibit_board import ExhibitBoard
from workbench.gui.widgets.exhibit_grid import ExhibitGrid, fitted_titles
from workbench.gui.widgets.fields import NumberField
from workbench.runs import control
from workbench.runs.events import EventLog, ExhibitTaken
from workbench.runs.exhibit import Exhibit, ShownPanel, write_exhibit
from workbench.runs.folder import RunFolder
from workbench.spec import toml
from workbench.spec.experiment import MethodSpec, TaskSpec

PATHS = tuple(f"cats/{number:02d}.png" for number in range(6))


def panels_of(epoch: int) -> tuple[ShownPanel, ...]:
    """What is given stays; answers become brighter, and more of them right."""
    given = np.repeat(np.arange(6, dtype=np.uint8) * 20, 8 * 8 * 3).reshape(6, 8, 8, 3)
    answer = np.full((6, 8, 8, 3), 40 * epoch, np.uint8)
    right = tuple(row < epoch for row in range(6))
    return (
        ShownPanel(part="input", title="Turned", pictures=given, captions=("0°", "90°") * 3),
        ShownPanel(part="target", title="Upright", pictures=255 - given),
        ShownPanel(part="answer", title="Turned back", pictures=answer, captions=("0°",) * 6, right=right),
    )


def take(run: RunFolder, *epochs: int) -> None:
    """As a trainer does."""
    with EventLog(run.events_file) as log:
        for epoch in epochs:
            file = run.exhibit_file(epoch)
            write_exhibit(file, Exhibit(epoch=epoch, paths=PATHS, panels=panels_of(epoch)))
            log.append(ExhibitTaken(epoch=epoch, file=file.relative_to(run.path).as_posix(), images=6))


@pytest.fixture
def puzzle(finished_run: RunFolder) -> RunFolder:
    """A run of a method that has pictures of its task; none were taken yet."""
    experiment = replace(finished_run.experiment(), method=MethodSpec(name="rotation"))
    finished_run.experiment_file.write_text(toml.dumps(experiment), encoding="utf-8")
    return finished_run


@pytest.fixture
def train(show_page: Callable[[type[TrainPage]], TrainPage]) -> TrainPage:
    return show_page(TrainPage)


def show_task(page: TrainPage, session: Session, run: RunFolder, qtbot: QtBot) -> None:
    session.set_run(run)
    QTest.mouseClick(page.looks.button("task"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.task.shown is not None)


def test_only_methods_with_a_task_have_the_switch(train: TrainPage, session: Session, finished_run: RunFolder) -> None:
    session.set_run(finished_run)
    assert not train.looks.isVisible()
    assert train.loss.isVisible()


def test_before_the_first_pictures_it_says_when_they_come(
    train: TrainPage, session: Session, puzzle: RunFolder, make_run: Callable[..., RunFolder], qtbot: QtBot
) -> None:
    session.set_run(puzzle)
    assert train.looks.isVisible()
    assert train.loss.isVisible(), "curves come first"
    train.looks.button("task").click()
    assert not train.loss.isVisible()
    assert train.task.words.isVisible()
    assert train.task.words.title == "This run has kept no pictures of its task"
    live = make_run(session.runs_folder, finished=False)
    live.experiment_file.write_bytes(puzzle.experiment_file.read_bytes())
    control.beat(live)
    session.set_run(live)
    assert train.task.words.title == "The first pictures are on their way"
    take(live, 0)
    qtbot.waitUntil(lambda: train.task.board.isVisible() and train.task.shown is not None)
    assert not train.task.words.isVisible()


def test_answers_beside_what_was_asked(train: TrainPage, session: Session, puzzle: RunFolder, qtbot: QtBot) -> None:
    take(puzzle, 0, 2, 4)
    show_task(train, session, puzzle, qtbot)
    grid = train.task.board.grid
    assert train.task.slider.epoch == 4
    assert grid.paths == PATHS
    assert [column.panel.title for column in grid.columns] == ["Turned", "Upright", "Turned back"]
    assert [grid.columns[2].caption(row) for row in (0, 5)] == ["✓ 0°", "✗ 0°"]
    assert grid.columns[1].caption(0) == ""
    assert train.task._note.text() == "4 of 6 right · the same 6 images at every epoch"
    described = grid.describe(1, 2)
    assert described == "cats/01.png · Turned back: what it says · ✓ 0°"
    train.grab()
    train.looks.button("curves").click()
    assert train.loss.isVisible()


def test_the_slider_goes_back_in_time(train: TrainPage, session: Session, puzzle: RunFolder, qtbot: QtBot) -> None:
    take(puzzle, 0, 2, 4)
    show_task(train, session, puzzle, qtbot)
    given = train.task.board.grid.columns[0].pictures[2]
    train.task.slider._slider.setValue(1)
    qtbot.waitUntil(lambda: train.task.shown is not None and train.task.shown.epoch == 2)
    columns = train.task.board.grid.columns
    assert columns[2].pictures[0].pixelColor(0, 0).red() == 80
    assert columns[0].pictures[2].cacheKey() == given.cacheKey(), "what is the same is not made anew"
    train.task.slider._slider.setValue(0)
    qtbot.waitUntil(lambda: train.task._note.text().startswith("0 of 6 right"))
    train.left()
    assert not train.task.slider.playing


def test_a_live_run_is_followed_unless_an_epoch_was_chosen(
    train: TrainPage, session: Session, puzzle: RunFolder, qtbot: QtBot
) -> None:
    take(puzzle, 0)
    show_task(train, session, puzzle, qtbot)
    take(puzzle, 2)
    qtbot.waitUntil(lambda: train.task.shown is not None and train.task.shown.epoch == 2, timeout=3000)
    train.task.slider._slider.setValue(0)
    qtbot.waitUntil(lambda: train.task.shown is not None and train.task.shown.epoch == 0)
    take(puzzle, 4)
    qtbot.waitUntil(lambda: train.task.slider._slider.maximum() == 2, timeout=3000)
    assert train.task.slider.epoch == 0


def test_pictures_that_are_damaged_are_told_in_words(
    train: TrainPage, session: Session, puzzle: RunFolder, qtbot: QtBot
) -> None:
    take(puzzle, 0, 2)
    puzzle.exhibit_file(2).write_bytes(b"torn")
    session.set_run(puzzle)
    train.looks.button("task").click()
    qtbot.waitUntil(lambda: train.task.words.title == "These pictures cannot be read")
    assert not train.task.board.isVisible()
    train.task.slider._slider.setValue(0)
    qtbot.waitUntil(lambda: train.task.board.isVisible())


@pytest.fixture
def board(qtbot: QtBot) -> ExhibitBoard:
    made = ExhibitBoard()
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    made.set_panels(PATHS, panels_of(3))
    return made


def test_a_click_enlarges_and_arrows_lead_on(board: ExhibitBoard, qtbot: QtBot) -> None:
    middle = board.grid.cell_rect(4, 1).center().toPoint()
    with qtbot.waitSignal(board.large_changed):
        QTest.mouseClick(board.grid.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert board.is_large
    lightbox = board.lightbox
    assert (lightbox.before.currentText(), lightbox.after.currentText()) == ("Upright", "Turned back")
    assert lightbox.drawn == (("image", "cats/04.png"), ("turned", "0°"), ("turned back", "✗ 0°"))
    QTest.keyClick(lightbox, Qt.Key.Key_Right)
    assert lightbox.drawn[0] == ("image", "cats/05.png")
    QTest.keyClick(lightbox, Qt.Key.Key_Down)
    assert board.grid.row == 0
    lightbox.before.set_value("0 input")
    lightbox.before.chosen.emit("0 input")
    board.set_panels(PATHS, panels_of(5))
    assert lightbox.before.value() == "0 input", "another epoch is compared as this one was"
    assert lightbox.stages[2].pixels[0, 0, 0] == 200
    QTest.keyClick(lightbox.wipe, Qt.Key.Key_Space)
    QTest.keyClick(lightbox, Qt.Key.Key_Escape)
    assert not board.is_large


def test_keys_choose_and_open(board: ExhibitBoard) -> None:
    grid = board.grid
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_Right)
    assert grid.row == 1
    for _ in range(9):
        QTest.keyClick(grid, Qt.Key.Key_Down)
    assert grid.row < len(PATHS)
    QTest.keyClick(grid, Qt.Key.Key_Return)
    assert board.is_large


def test_all_images_are_in_sight_where_there_is_room(board: ExhibitBoard) -> None:
    grid = board.grid
    shown = grid.viewport().rect()
    assert all(shown.contains(grid.cell_rect(row, 2).toAlignedRect()) for row in range(6))
    told: list[str] = []
    board.told.connect(told.append)
    QTest.mouseMove(grid.viewport(), grid.cell_rect(0, 0).center().toPoint())
    assert told
    assert told[-1].startswith("cats/00.png · Turned: what the network is given")
    assert grid.hit(QPointF(2, 2)) is None
    grid.set_cell(300)
    assert grid.verticalScrollBar().maximum() > 0
    grid.select(5)
    assert grid.verticalScrollBar().value() > 0


# Before training


@pytest.fixture
def views(opened: Session, show_page: Callable[[type[ViewsPage]], ViewsPage], qtbot: QtBot) -> ViewsPage:
    assert opened.draft
    opened.set_draft(replace(opened.draft, method=MethodSpec(name="rotation", params={"temperature": 0.5})))
    page = show_page(ViewsPage)
    qtbot.waitUntil(lambda: bool(page.grid.content.views and page.grid.content.views[0]))
    return page


def open_task(page: ViewsPage, qtbot: QtBot) -> None:
    QTest.mouseClick(page.board.mode.button("task"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(page.board.task.grid.paths) and not page.task.feed.is_busy)


def test_the_task_of_the_draft_is_shown_in_place_of_the_views(views: ViewsPage, client: Any, qtbot: QtBot) -> None:
    previews = sum(isinstance(request, m.Preview) for request in client.asked)
    shown = client.last(m.Preview)
    open_task(views, qtbot)
    assert sum(isinstance(request, m.Preview) for request in client.asked) == previews, "nobody looks at the views"
    request = client.last(m.ShowTask)
    assert views.session.draft is not None
    assert request.experiment.method == views.session.draft.method
    assert request.experiment.views == shown.views
    assert request.paths == shown.paths[:12]
    assert request.images == 36
    grid = views.board.task.grid
    assert [column.panel.title for column in grid.columns] == ["Original", "Turned", "Upright"]
    assert grid.columns[1].caption(1) == "90°"
    assert views.board.title == "Task"
    assert not views.steps.isVisible()
    assert not views.board.boxes.isVisible()
    assert "before any training" in views.board._note.text()
    views.grab()
    views.board.mode.button("views").click()
    assert views.steps.isVisible()
    assert views.board.title == "Images × views"
    assert views.board.boxes.isVisible()


def test_it_follows_the_parameters_the_chain_the_draw_and_the_images(
    views: ViewsPage, client: Any, qtbot: QtBot
) -> None:
    open_task(views, qtbot)
    assert views.settings.isVisible()
    assert views.settings.method.form is not None
    field = views.settings.method.form.field("temperature")
    assert isinstance(field, NumberField)
    QTest.keyClick(field.control.slider, Qt.Key.Key_Right)
    assert views.session.draft is not None
    value = views.session.draft.method.params["temperature"]
    assert value > 0.5
    shade = round(100 * value)
    qtbot.waitUntil(lambda: views.board.task.grid.columns[2].pictures[0].pixelColor(0, 0).red() == shade)
    row = views.inspector.editor.rows[1]
    row.set_open(True)
    assert row.form
    flip = row.form.field("p")
    assert isinstance(flip, NumberField)
    QTest.keyClick(flip.control.slider, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: client.last(m.ShowTask).experiment.views == views.session.draft.views)  # type: ignore[union-attr]
    row.mute.click()
    qtbot.waitUntil(lambda: not client.last(m.ShowTask).experiment.views[0].chain[1].enabled)
    before = client.last(m.ShowTask)
    views.bar.draw_changed.emit(3)
    qtbot.waitUntil(lambda: client.last(m.ShowTask).epoch == 3)
    views.bar.shuffle.click()
    qtbot.waitUntil(lambda: client.last(m.ShowTask).paths != before.paths)


def test_titles_of_all_panels_give_their_task_away_together(qtbot: QtBot) -> None:
    metrics = QFontMetrics(QFont())
    titles = ["Original", "Rotation prediction: Turned", "Jigsaw: Laid"]
    assert fitted_titles(titles, metrics, 2000) == [[title] for title in titles]
    room = metrics.horizontalAdvance(titles[2]) + 2
    assert fitted_titles(titles, metrics, room) == [["Original"], ["Turned"], ["Laid"]]


def test_a_long_title_takes_two_lines_and_the_pictures_make_room(qtbot: QtBot) -> None:
    metrics = QFontMetrics(QFont())
    room = metrics.horizontalAdvance("Filled in, shades") + 2
    assert fitted_titles(["Filled in, shades given"], metrics, room) == [["Filled in, shades", "given"]]
    (cut,) = fitted_titles(["Unbreakable"], metrics, metrics.horizontalAdvance("Unbr") + 2)
    assert len(cut) == 1
    assert cut[0].endswith("…")
    grid = ExhibitGrid()
    qtbot.addWidget(grid)
    grid.resize(300, 400)
    pictures = np.zeros((4, 8, 8, 3), np.uint8)

    def top(title: str) -> float:
        panels = [ShownPanel(part="input", title=name, pictures=pictures) for name in ("Image", title, "Colored")]
        grid.set_panels(("a.png", "b.png", "c.png", "d.png"), panels)
        return grid.cell_rect(0, 0).top()

    assert top("The image, with nothing but its lightness") == top("Gray") + grid.fontMetrics().height()
    assert grid.grab().height() == 400


def test_each_of_several_tasks_has_its_own_parameters_under_the_pictures(
    views: ViewsPage, client: Any, qtbot: QtBot
) -> None:
    open_task(views, qtbot)
    assert views.session.draft is not None
    method = MethodSpec(name="rotation", also=(TaskSpec(name="byol", weight=0.5),))
    views.session.edit(replace(views.session.draft, method=method), "tasks")
    assert views.settings.method.title == "Rotation", "the parameters are of this one alone"
    row = views.settings.tasks.rows[0]
    assert row.title.text() == "BYOL"
    field = row.form.field("params.temperature")
    assert isinstance(field, NumberField)
    field.edited.emit(0.9)
    wanted = (TaskSpec(name="byol", weight=0.5, params={"temperature": 0.9}),)
    qtbot.waitUntil(lambda: client.last(m.ShowTask).experiment.method.also == wanted)


def test_one_task_is_under_way_and_the_last_wish_wins(views: ViewsPage, client: Any, qtbot: QtBot) -> None:
    open_task(views, qtbot)
    client.hold.add(m.ShowTask)
    asked = sum(isinstance(request, m.ShowTask) for request in client.asked)
    assert views.session.draft is not None
    for value in (0.6, 0.7, 0.8):
        method = MethodSpec(name="rotation", params={"temperature": value})
        views.session.edit(replace(views.session.draft, method=method), "temperature")
        qtbot.wait(5)
    assert sum(isinstance(request, m.ShowTask) for request in client.asked) == asked + 1
    client.release()
    qtbot.waitUntil(lambda: client.last(m.ShowTask).experiment.method.params["temperature"] == 0.8)
    assert sum(isinstance(request, m.ShowTask) for request in client.asked) == asked + 2


def test_what_is_wrong_is_told_in_words(views: ViewsPage, client: Any, qtbot: QtBot) -> None:
    failure = Failed(id=1, reason="error", message="It needs tokens of patches.", hint="Choose another backbone.")
    client.replies[m.ShowTask] = lambda request: failure
    views.board.mode.button("task").click()
    qtbot.waitUntil(lambda: views.board.problem.isVisible())
    assert views.board.problem.title == "The task cannot be shown."
    assert "Choose another backbone." in views.board.problem.text
    del client.replies[m.ShowTask]
    views.bar.shuffle.click()
    qtbot.waitUntil(lambda: bool(views.board.task.grid.paths))
    assert not views.board.problem.isVisible()


def test_a_method_without_a_task_brings_the_views_back(views: ViewsPage, client: Any, qtbot: QtBot) -> None:
    open_task(views, qtbot)
    draft = views.session.draft
    assert draft is not None
    previews = sum(isinstance(request, m.Preview) for request in client.asked)
    views.session.edit(replace(draft, method=MethodSpec(name="simclr")), "method")
    assert not views.board.shows_task
    assert not views.board.mode.isVisible()
    assert not views.settings.isVisible()
    qtbot.waitUntil(lambda: sum(isinstance(request, m.Preview) for request in client.asked) > previews)
    views.session.undo.undo()
    assert views.board.shows_task, "the wish to see the task is kept"


def test_escape_leads_back_from_the_large_picture(views: ViewsPage, qtbot: QtBot) -> None:
    open_task(views, qtbot)
    views.board.task.open_large(0)
    assert not views.board._looks.isVisible()
    QTest.keyClick(views, Qt.Key.Key_Escape)
    assert not views.board.task.is_large
    assert views.board.shows_task
    assert views.board._looks.isVisible()


def test_another_folder_clears_it(views: ViewsPage, qtbot: QtBot, tmp_path: Path) -> None:
    open_task(views, qtbot)
    views.session.set_scan(None)
    assert views.board.task.grid.paths == ()
