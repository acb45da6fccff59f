from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from workbench.gui.session import Session
from workbench.gui.widgets.chain_editor import Chain, ChainEditor
from workbench.gui.widgets.fields import NumberField
from workbench.gui.widgets.op_row import OpRow
from workbench.spec.experiment import OpSpec

CROP = OpSpec(op="random_resized_crop", params={"scale": (0.2, 1.0)})
FLIP = OpSpec(op="horizontal_flip", params={"p": 0.5})
SOLARIZE = OpSpec(op="solarize", params={"p": 0.2})


class Edited:
    """A chain editor whose intentions come true."""

    def __init__(self, editor: ChainEditor) -> None:
        self.editor = editor
        self.told: list[tuple[str, str]] = []
        editor.changed.connect(self._on_changed)

    def _on_changed(self, chain: Chain, what: str, merge: str) -> None:
        self.told.append((what, merge))
        self.editor.set_chain(chain)

    @property
    def names(self) -> list[str]:
        return [spec.op for spec in self.editor.chain]


@pytest.fixture
def edited(qtbot: QtBot, session: Session) -> Edited:
    editor = ChainEditor()
    qtbot.addWidget(editor)
    editor.set_ops(session.catalog.ops)
    editor.set_chain((CROP, FLIP, SOLARIZE))
    editor.resize(320, 600)
    editor.show()
    return Edited(editor)


def test_it_shows_the_chain_and_opens_what_has_something_to_set(edited: Edited) -> None:
    rows = edited.editor.rows
    assert edited.editor.chain == (CROP, FLIP, SOLARIZE)
    assert [row.is_open for row in rows] == [True, False, True]
    assert [row._note.text() for row in rows] == ["", "p 0.5", "p 0.2"]


def test_a_switch_turns_an_op_off_and_says_so(edited: Edited, qtbot: QtBot) -> None:
    row = edited.editor.rows[1]
    QTest.mouseClick(row.switch, Qt.MouseButton.LeftButton)
    assert edited.editor.chain[1] == OpSpec(op="horizontal_flip", enabled=False, params={"p": 0.5})
    assert row._note.text() == "off"
    assert edited.told == [("Horizontal flip: off", "")]


def test_keys_move_switch_and_remove(edited: Edited, qtbot: QtBot) -> None:
    row = edited.editor.rows[2]
    row.setFocus()
    alt = Qt.KeyboardModifier.AltModifier
    QTest.keyClick(row, Qt.Key.Key_Up, alt)
    assert edited.names == ["random_resized_crop", "solarize", "horizontal_flip"]
    assert edited.editor.rows[1] is row
    QTest.keyClick(row, Qt.Key.Key_Up, alt)
    QTest.keyClick(row, Qt.Key.Key_Up, alt)
    assert edited.names == ["solarize", "random_resized_crop", "horizontal_flip"]
    QTest.keyClick(row, Qt.Key.Key_Down, alt)
    assert edited.names[1] == "solarize"
    QTest.keyClick(row, Qt.Key.Key_Space)
    assert not edited.editor.chain[1].enabled
    QTest.keyClick(row, Qt.Key.Key_Return)
    assert not row.is_open
    QTest.keyClick(row, Qt.Key.Key_Delete)
    assert edited.names == ["random_resized_crop", "horizontal_flip"]
    assert edited.editor.rows[1].hasFocus()


def test_a_row_can_be_dragged_to_another_place(edited: Edited) -> None:
    rows = edited.editor.rows
    handle = rows[0].handle
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
    below = rows[2].mapTo(edited.editor, QPoint(0, rows[2].height() - 2))
    QTest.mouseMove(handle, handle.mapFrom(edited.editor, below))
    assert edited.editor._line.isVisible()
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=handle.mapFrom(edited.editor, below))
    assert edited.names == ["horizontal_flip", "solarize", "random_resized_crop"]
    assert len(edited.told) == 1


def test_parameters_are_edited_with_a_merge_key(edited: Edited, qtbot: QtBot) -> None:
    row = edited.editor.rows[2]
    assert row.form
    field = row.form.field("p")
    assert isinstance(field, NumberField)
    for _ in range(3):
        QTest.keyClick(field.control.slider, Qt.Key.Key_Right)
    value = edited.editor.chain[2].params["p"]
    assert value == pytest.approx(0.23)
    assert len({merge for _, merge in edited.told}) == 1
    assert edited.told[0][1]
    assert edited.editor.rows[2] is row


def test_ops_are_added_from_a_grouped_menu(edited: Edited) -> None:
    groups = [menu for action in edited.editor._menu.actions() if isinstance(menu := action.menu(), QMenu)]
    assert [group.title() for group in groups] == ["Geometry", "Color"]
    actions = {action.text(): action for group in groups for action in group.actions()}
    groups[1].hovered.emit(actions["Solarize"])
    assert edited.editor._menu.help.text() == "Inverts."
    actions["Horizontal flip"].trigger()
    assert edited.editor.chain[-1] == OpSpec(op="horizontal_flip")
    assert edited.editor.rows[-1].is_open
    assert edited.told[-1][0] == "Add Horizontal flip"


def test_a_title_gives_way_to_the_buttons_and_has_the_whole_row_otherwise(qtbot: QtBot, session: Session) -> None:
    """Nothing is cut without an ellipsis, and nothing is kept free for buttons that are not there.

    A row that was never shown: no pointer and no focus of another window comes between.
    """
    row = OpRow(CROP, next(card for card in session.catalog.ops if card.name == CROP.op))
    qtbot.addWidget(row)
    name = row._name

    def shown(width: int, *, near: bool) -> str:
        row._show_buttons(near=near)
        row.resize(width, 40)
        row.grab()  # Lays out.
        return name.shown

    assert shown(600, near=False) == name.text() == "Random resized crop"
    spare = name.contentsRect().width() - name.fontMetrics().horizontalAdvance(name.text())
    enough = 600 - spare + 2
    assert shown(enough, near=False) == name.text(), "just enough room for the title alone"
    assert shown(enough, near=True).endswith("…")
    assert row.solo.isVisibleTo(row)
    assert row.solo.geometry().left() >= name.geometry().right()


def test_the_small_buttons_come_with_the_pointer_and_the_focus(edited: Edited) -> None:
    row = edited.editor.rows[0]
    middle = QPointF(row.rect().center())
    row.clearFocus()
    QApplication.sendEvent(row, QEvent(QEvent.Type.Leave))
    assert not row.solo.isVisibleTo(row)
    QApplication.sendEvent(row, QEnterEvent(middle, middle, middle))
    assert row.solo.isVisibleTo(row)
    QApplication.sendEvent(row, QEvent(QEvent.Type.Leave))
    assert not row.solo.isVisibleTo(row)
    QApplication.sendEvent(row, QFocusEvent(QEvent.Type.FocusIn))
    assert row.solo.isVisibleTo(row)


def test_an_op_that_is_not_installed_can_still_be_removed(edited: Edited, qtbot: QtBot) -> None:
    edited.editor.set_chain((CROP, OpSpec(op="sharpen")))
    row = edited.editor.rows[1]
    assert row.card is None
    row.setFocus()
    QTest.keyClick(row, Qt.Key.Key_Delete)
    assert edited.names == ["random_resized_crop"]


def test_before_the_catalog_is_there_rows_complain_of_nothing(qtbot: QtBot, session: Session) -> None:
    editor = ChainEditor()
    qtbot.addWidget(editor)
    editor.set_chain((CROP, FLIP))
    assert [row.title for row in editor.rows] == ["Random resized crop", "Horizontal flip"]
    assert not any("Install" in label.text() for label in editor.findChildren(QLabel))
    editor.set_ops(session.catalog.ops)
    assert editor.chain == (CROP, FLIP)
    assert editor.rows[0].is_open


def test_duplicates_keep_their_own_parameters(edited: Edited) -> None:
    edited.editor.duplicate(1)
    assert edited.names.count("horizontal_flip") == 2
    other = OpSpec(op="horizontal_flip", params={"p": 0.9})
    edited.editor.set_chain((other, FLIP))
    assert [row.spec for row in edited.editor.rows] == [other, FLIP]


def test_tab_goes_through_rows_and_their_sliders_from_top_to_bottom(edited: Edited, qtbot: QtBot) -> None:
    """Whatever was made, opened, moved or removed when."""
    editor = edited.editor

    def stops() -> list[QWidget]:
        found: list[QWidget] = []
        at = editor.add_button.nextInFocusChain()
        while at is not None and at is not editor.add_button:
            if at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.isVisibleTo(editor):
                found.append(at)
            at = at.nextInFocusChain()
        return found

    editor.rows[1].set_open(True)
    editor.add("horizontal_flip")
    editor.move_op(3, 0)
    editor.remove(2)

    def in_order() -> bool:
        tops = [stop.mapTo(editor, QPoint()).y() for stop in stops()]
        return all(below >= above - 8 for above, below in pairwise(tops))  # Parts of one line are of unlike height.

    qtbot.waitUntil(in_order)  # Rows find their places a moment after they were made.
    assert stops()[0] is editor.rows[0]
    assert sum(isinstance(stop, OpRow) for stop in stops()) == 3
    assert all(stop.accessibleName() or stop.property("text") for stop in stops())
