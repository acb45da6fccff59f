"""Tasks beside the method's own: every control reaches the experiment, as one undoable step."""

from typing import Any

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from workbench.gui.bridge import Engine
from workbench.gui.pages.method import MethodPage
from workbench.gui.pages.method.choosing import with_suggestion
from workbench.gui.session import Session
from workbench.gui.widgets.fields import NumberField
from workbench.spec.experiment import MethodSpec, TaskSpec


@pytest.fixture
def page(qtbot: QtBot, opened: Session, engine: Engine) -> MethodPage:
    made = MethodPage(opened, engine)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.entered()
    return made


def also(page: MethodPage) -> tuple[TaskSpec, ...]:
    assert page.session.draft
    return page.session.draft.method.also


def entries(page: MethodPage) -> dict[str, Any]:
    page.tasks.menu.aboutToShow.emit()
    families = [menu for action in page.tasks.menu.actions() if isinstance(menu := action.menu(), QMenu)]
    return {action.text(): action for family in families for action in family.actions()}


def test_a_task_is_added_from_the_menu_and_taken_away_again(page: MethodPage) -> None:
    assert page.session.draft
    own = page.session.catalog.method(page.session.draft.method.name).title
    assert own not in entries(page), "the method itself is there already"
    other = next(card for card in page.session.catalog.methods if card.name == "byol")
    entries(page)[other.title].trigger()
    assert also(page) == (TaskSpec(name="byol"),)
    assert other.title not in entries(page)
    (row,) = page.tasks.rows
    assert row.title.text() == other.title
    QTest.mouseClick(row.remove_button, Qt.MouseButton.LeftButton)
    assert also(page) == ()
    assert page.tasks.rows == []
    page.session.undo.undo()
    assert also(page) == (TaskSpec(name="byol"),)
    page.session.undo.undo()
    assert also(page) == ()


def test_its_weight_and_its_own_parameters_reach_the_experiment(page: MethodPage) -> None:
    card = next(card for card in page.session.catalog.methods if card.name == "byol" and card.params)
    page.tasks.add(card)
    (row,) = page.tasks.rows
    weight = row.form.field("weight")
    assert isinstance(weight, NumberField)
    QTest.keyClick(weight.control.slider, Qt.Key.Key_Right)
    assert also(page)[0].weight > 1
    row.form.edited.emit(f"params.{card.params[0].name}", 0.5, "")
    assert also(page)[0].params == {card.params[0].name: 0.5}
    assert page.tasks.rows[0] is row


def test_another_backbone_keeps_what_was_set_and_another_method_keeps_the_tasks(page: MethodPage) -> None:
    draft = page.session.draft
    assert draft
    mine = MethodSpec(name=draft.method.name, params={"a": 1}, also=(TaskSpec(name="byol", weight=3.0),))
    draft = replace(draft, method=mine)
    same = replace(draft, method=MethodSpec(name=mine.name))
    assert with_suggestion(draft, None, same).method == mine
    other = replace(draft, method=MethodSpec(name="rotation"))
    assert with_suggestion(draft, None, other).method == replace(other.method, also=mine.also)
    chosen = replace(draft, method=MethodSpec(name="byol"))
    assert with_suggestion(draft, None, chosen).method == MethodSpec(name="byol")
