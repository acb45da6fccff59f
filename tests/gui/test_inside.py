"""Evaluate > Inside: every choice reaches the request, and a click names a place."""

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.engine import messages as m
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.pages.evaluate.inside import InsideView
from workbench.gui.session import Session
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
