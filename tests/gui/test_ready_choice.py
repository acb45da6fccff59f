from typing import Any

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.engine import messages as m
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.pages.method import MethodPage
from workbench.gui.session import Session
from workbench.spec.catalog import ReadyCard
from workbench.spec.experiment import Experiment, MethodSpec, TrainSpec
from workbench.spec.ready import applied

WITHOUT = ReadyCard(
    name="byol-without", title="BYOL without", shows="Why it is there.", expect="A collapse.", source="A paper",
    beside="byol-with", method=MethodSpec(name="byol", params={"dim": 16}), train={"epochs": 9},
)  # fmt: skip
WITH = replace(
    WITHOUT, name="byol-with", title="BYOL as published", beside="byol-without", method=MethodSpec(name="byol")
)
LOST = replace(WITHOUT, name="lost", title="Lost", beside="", method=MethodSpec(name="nowhere"))
CARDS = {card.name: card for card in (WITHOUT, WITH, LOST)}


def answer(request: m.Suggest) -> tuple[m.AnyReply, m.Arrays]:
    """The engine's: the usual experiment of the method, and what a ready one asks for on top."""
    assert request.data
    name = CARDS[request.ready].method.name if request.ready else request.method
    usual = Experiment(
        name=f"{name} on pets",
        data=request.data,
        method=MethodSpec(name=name),
        train=TrainSpec(epochs=4, batch_size=8, learning_rate=0.2 if name == "byol" else 0.06),
    )
    made = applied(CARDS[request.ready], usual) if request.ready else usual
    return m.SuggestReply(experiment=made, reasons=("Because.",)), {}


@pytest.fixture
def page(qtbot: QtBot, opened: Session, engine: Engine, client: Any) -> MethodPage:
    opened.set_catalog(replace(opened.catalog, experiments=tuple(CARDS.values())))
    client.replies[m.Suggest] = answer
    made = MethodPage(opened, engine)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.entered()
    return made


def draft_of(page: MethodPage) -> Experiment:
    assert page.session.draft
    return page.session.draft


def take(qtbot: QtBot, page: MethodPage, card: ReadyCard) -> None:
    page.ready.action_of(card.name).trigger()
    qtbot.waitUntil(lambda: draft_of(page).method == card.method)


def test_it_is_taken_as_one_undoable_step_and_says_what_it_shows(qtbot: QtBot, page: MethodPage, client: Any) -> None:
    draft = draft_of(page)
    page.session.edit(replace(draft, seed=5, train=replace(draft.train, device="cpu")), "seed and device")
    before, steps = draft_of(page), page.session.undo.count()
    assert page.ready.about.isHidden()
    take(qtbot, page, WITHOUT)
    assert client.last(m.Suggest).ready == "byol-without"
    taken = draft_of(page)
    assert (taken.name, taken.train.epochs, taken.train.learning_rate) == ("byol-without on pets", 9, 0.2)
    assert (taken.seed, taken.train.device, taken.data) == (5, "cpu", before.data)
    assert page.session.undo.count() == steps + 1
    assert page.session.undo.undoText() == "BYOL without"
    assert page.ready.about.isVisibleTo(page)
    assert page.ready.about.title == "BYOL without"
    assert "Why it is there." in page.ready.about.text
    assert "What to expect: A collapse." in page.ready.about.text
    assert page.method_form.title == "BYOL"
    page.session.undo.undo()
    assert draft_of(page) == before
    assert page.ready.about.isHidden()
    page.session.undo.redo()
    assert draft_of(page) == taken
    assert page.ready.about.isVisibleTo(page)


def test_the_twin_is_a_click_away(qtbot: QtBot, page: MethodPage) -> None:
    take(qtbot, page, WITHOUT)
    assert page.ready.beside_button.text() == "To compare: BYOL as published"
    QTest.mouseClick(page.ready.beside_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: draft_of(page).name == "byol-with on pets")
    assert page.ready.about.title == "BYOL as published"
    assert page.ready.beside_button.text() == "To compare: BYOL without"


def test_a_change_of_what_it_asks_for_ends_it_and_another_method_takes_all_of_its_own(
    qtbot: QtBot, page: MethodPage
) -> None:
    take(qtbot, page, WITHOUT)
    page.choose("simclr")
    qtbot.waitUntil(lambda: draft_of(page).method.name == "simclr")
    assert page.ready.about.isHidden()
    draft = draft_of(page)
    assert (draft.name, draft.train.epochs, draft.train.learning_rate) == ("simclr on pets", 4, 0.06)
    page.session.undo.undo()
    draft = draft_of(page)
    page.session.edit(replace(draft, train=replace(draft.train, batch_size=4)), "batch")
    assert page.ready.about.isVisibleTo(page)
    page.session.edit(replace(draft_of(page), method=MethodSpec(name="byol", params={"dim": 64})), "dim")
    assert page.ready.about.isHidden()


def test_entries_are_explained_and_one_without_its_method_says_so(qtbot: QtBot, page: MethodPage) -> None:
    menu = page.ready.experiments
    menu.hovered.emit(page.ready.action_of("byol-without"))
    assert menu.help.text() == "Why it is there."
    lost = page.ready.action_of("lost")
    assert not lost.isEnabled()
    menu.hovered.emit(lost)
    assert "'nowhere' is not there" in menu.help.text()


def test_what_the_engine_refuses_is_told_and_the_draft_stays(
    qtbot: QtBot, page: MethodPage, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr("workbench.gui.pages.method.ready.show_failure", lambda _parent, problem: told.append(problem))
    client.replies[m.Suggest] = lambda _request: Failed(id=1, reason="error", message="unknown key 'dim'.")
    before = draft_of(page)
    page.ready.take(WITHOUT)
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].message == "unknown key 'dim'."
    assert draft_of(page) == before


def test_there_is_no_menu_without_images(qtbot: QtBot, session: Session, engine: Engine) -> None:
    session.set_catalog(replace(session.catalog, experiments=tuple(CARDS.values())))
    page = MethodPage(session, engine)
    qtbot.addWidget(page)
    page.show()
    assert page.ready.isHidden()
