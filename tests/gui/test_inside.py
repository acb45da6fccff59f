"""Evaluate > Inside: every choice reaches the request, a click names a place, and looks begin and end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workbench.engine import messages as m
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.pages.evaluate import EvaluatePage
from workbench.gui.pages.evaluate.inside import InsideView
from workbench.gui.session import Session
from workbench.gui.widgets.work_card import WorkCard
from workbench.runs.events import CheckpointSaved, EventLog
from workbench.runs.folder import RunFolder


def answer(request: m.LookInside) -> tuple[m.AnyReply, m.Arrays]:
    pictures = np.full((3, 16, 16, 3), 80, np.uint8)
    panels = (m.TaskPanel(part="answer", title=request.kind, captions=("a", "b", "c")),)
    reply = m.LookInsideReply(epoch=4 if request.trained else 0, paths=("a.png", "b.png", "c.png"), panels=panels)
    return reply, {"originals": pictures, "panel-0": pictures + 40}


@pytest.fixture
def view(qtbot: QtBot, opened: Session, engine: Engine, client: Any, finished_run: RunFolder) -> InsideView:
    client.replies[m.LookInside] = answer
    made = InsideView(opened, engine)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    made.set_run(finished_run)
    return made


def look(qtbot: QtBot, view: InsideView) -> None:
    view.look()
    qtbot.waitUntil(lambda: not view.busy)


def looks(client: Any) -> list[m.LookInside]:
    return [request for request in client.asked if isinstance(request, m.LookInside)]


def choose(qtbot: QtBot, choice: Any, value: str, view: InsideView) -> None:
    choice.set_value(value)
    choice.activated.emit(choice.currentIndex())
    qtbot.waitUntil(lambda: not view.busy)


def test_every_choice_reaches_the_request(qtbot: QtBot, view: InsideView, client: Any, finished_run: RunFolder) -> None:
    look(qtbot, view)
    first = client.last(m.LookInside)
    assert (first.run, first.images, first.trained, first.scale) == (str(finished_run.path), 12, True, 1)
    for choice, value, field, expected in (
        (view.kind, "channels", "kind", "channels"),
        (view.subject, "untrained", "trained", False),
        (view.scale, "4", "scale", 4),
        (view.count, "24", "images", 24),
    ):
        choose(qtbot, choice, value, view)
        assert getattr(client.last(m.LookInside), field) == expected
    assert [column.panel.title for column in view.board.grid.columns] == ["Image", "channels"]


def test_a_click_names_a_place_and_elsewhere_opens_the_picture(qtbot: QtBot, view: InsideView, client: Any) -> None:
    choose(qtbot, view.kind, "match", view)
    box = view.board.grid.cell_rect(1, 0)
    at = QPoint(round(box.left() + 0.75 * box.width()), round(box.top() + 0.25 * box.height()))
    QTest.mouseClick(view.board.grid.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: not view.busy)
    asked = client.last(m.LookInside)
    assert asked.image == 1
    assert asked.at == pytest.approx((0.75, 0.25), abs=0.03)
    assert not view.board.is_large
    choose(qtbot, view.kind, "colors", view)
    QTest.mouseClick(view.board.grid.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.board.is_large


def test_what_cannot_be_shown_is_said(qtbot: QtBot, view: InsideView, client: Any) -> None:
    failure = Failed(id=0, reason="error", message="TinyConv has no attention.", hint="Look at 'saliency'.")
    client.replies[m.LookInside] = lambda _request: failure
    view.look()
    qtbot.waitUntil(lambda: not view.busy)
    assert "TinyConv has no attention. Look at 'saliency'." in [
        label.text() for label in view._empty.findChildren(type(view._about))
    ]


def test_what_is_usual_for_a_transformer_is_chosen_as_soon_as_it_is_known(
    qtbot: QtBot, view: InsideView, opened: Session
) -> None:
    assert view.kind.findData("attention") < 0, "a network without attention"
    assert view.kind.value() == "colors"
    catalog = opened.catalog
    able = tuple(replace(card, provides=("features", "maps", "tokens")) for card in catalog.backbones)
    opened.set_catalog(replace(catalog, backbones=able))
    assert view.kind.value() == "attention"
    choose(qtbot, view.kind, "channels", view)
    opened.set_catalog(replace(catalog, backbones=able))
    assert view.kind.value() == "channels", "what the user has chosen stays"


def test_a_run_that_was_trained_on_is_looked_at_anew(
    qtbot: QtBot, view: InsideView, opened: Session, client: Any, finished_run: RunFolder
) -> None:
    opened.set_run(finished_run)
    look(qtbot, view)
    look(qtbot, view)
    assert len(looks(client)) == 1
    with EventLog(finished_run.events_file) as log:
        log.append(CheckpointSaved(epoch=8, step=24, file="checkpoints/last.pt", time=1.0))
    with qtbot.waitSignal(opened.watcher.arrived):
        pass
    look(qtbot, view)
    assert len(looks(client)) == 2
    choose(qtbot, view.subject, "untrained", view)
    before = len(looks(client))
    with EventLog(finished_run.events_file) as log:
        log.append(CheckpointSaved(epoch=9, step=27, file="checkpoints/last.pt", time=2.0))
    with qtbot.waitSignal(opened.watcher.arrived):
        pass
    look(qtbot, view)
    assert len(looks(client)) == before, "training does not change the untrained encoder"


def test_the_page_looks_when_it_is_entered(
    show_page: Callable[[type[EvaluatePage]], EvaluatePage],
    session: Session,
    client: Any,
    finished_run: RunFolder,
    qtbot: QtBot,
) -> None:
    client.replies[m.LookInside] = answer
    page = show_page(EvaluatePage)
    session.set_run(finished_run)
    qtbot.waitUntil(lambda: bool(page.evaluations))
    page.modes.button("inside").click()
    qtbot.waitUntil(lambda: bool(page.inside.board.grid.paths))
    with EventLog(finished_run.events_file) as log:
        log.append(CheckpointSaved(epoch=8, step=24, file="checkpoints/last.pt", time=1.0))
    with qtbot.waitSignal(session.watcher.arrived):
        pass
    assert len(looks(client)) == 1
    page.entered()
    assert len(looks(client)) == 2


def test_another_run_is_looked_at_while_the_page_is_open(
    show_page: Callable[[type[EvaluatePage]], EvaluatePage],
    session: Session,
    client: Any,
    make_run: Callable[..., RunFolder],
    qtbot: QtBot,
) -> None:
    client.replies[m.LookInside] = answer
    page = show_page(EvaluatePage)
    for name in ("one", "two"):
        run = make_run(session.runs_folder, name=name)
        session.set_run(run)
        qtbot.waitUntil(page.modes.isVisible)
        if name == "one":
            page.modes.button("inside").click()
        qtbot.waitUntil(lambda: bool(page.inside.board.grid.paths))
        assert client.last(m.LookInside).run == str(run.path)


def test_the_end_of_an_older_look_leaves_the_newer_one_alone(
    qtbot: QtBot, view: InsideView, client: Any, make_run: Callable[..., RunFolder], tmp_path: Path
) -> None:
    client.hold.add(m.LookInside)
    view.look()
    view.set_run(make_run(tmp_path / "others", name="other"))  # Cancels; its end is told later.
    view.look()
    QApplication.processEvents()
    assert view.busy
    client.release()
    qtbot.waitUntil(lambda: not view.busy)
    assert view.board.grid.paths


def test_a_long_look_shows_how_far_it_is_and_can_be_cancelled(qtbot: QtBot, view: InsideView, client: Any) -> None:
    client.hold.add(m.LookInside)
    view.look()
    assert view.busy
    qtbot.waitUntil(view._work.isVisible)
    view._work.cancel.click()
    qtbot.waitUntil(lambda: not view.busy)
    assert not view._work.isVisible()
    assert view._empty.title == "The look was cancelled"
    asked = len(looks(client))
    view.look()
    assert len(looks(client)) == asked, "what was cancelled does not begin by itself"
    client.hold.clear()
    view._empty.button.click()
    qtbot.waitUntil(lambda: bool(view.board.grid.paths))


def test_work_is_shown_and_ends(qtbot: QtBot) -> None:
    card = WorkCard("Auditing")
    qtbot.addWidget(card)
    card.begin()
    assert card.isVisible()
    card.show_progress("embedding", 3, 8)
    assert (card.title, card.progress.value(), card.progress.maximum()) == ("Auditing: embedding", 3, 8)
    with qtbot.waitSignal(card.cancelled):
        card.cancel.click()
    card.end()
    card.begin(after_ms=1)
    card.end()
    qtbot.wait(20)
    assert not card.isVisible()
