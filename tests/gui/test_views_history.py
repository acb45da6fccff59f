"""Edits of the views, undone step by step, give the first experiment; redone, the last. Through the real widgets."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.gui.bridge import Engine
from workbench.gui.pages.views import ViewsPage
from workbench.gui.session import Session
from workbench.gui.widgets.fields import ChoiceField, NumberField, RangeField
from workbench.gui.widgets.form import ParamForm
from workbench.spec.catalog import PresetCard
from workbench.spec.experiment import Experiment, OpSpec, ViewSpec
from workbench.spec.presets import preset_text

OPS = ("random_resized_crop", "horizontal_flip", "solarize")
MULTI = PresetCard(
    name="multi",
    title="Multi",
    help="Small ones too.",
    views=(
        ViewSpec(name="global", chain=(OpSpec(op="horizontal_flip"), OpSpec(op="gaussian_blur"))),
        ViewSpec(name="local", role="local", count=6, chain=(OpSpec(op="solarize", params={"p": 0.2}),)),
    ),
)
PASTED = (preset_text(MULTI), "[[views]]\nsize = 24\n", "no views at all")


@pytest.fixture
def page(qtbot: QtBot, opened: Session, engine: Engine) -> ViewsPage:
    opened.set_catalog(replace(opened.catalog, presets=(*opened.catalog.presets, MULTI)))
    made = ViewsPage(opened, engine)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.entered()
    return made


class Hands:
    """What a person can do on the page. Numbers choose among what there is."""

    def __init__(self, page: ViewsPage, wait: Callable[[], None]) -> None:
        self.page = page
        self.inspector = page.inspector
        self.editor = page.inspector.editor
        self.wait = wait
        self.gesture = ""
        """What the last deed was a part of: only deeds of one gesture may be one step."""
        self._settled = 0

    def add(self, one: int, other: int) -> None:
        self.editor.add(OPS[one % len(OPS)])

    def remove(self, one: int, other: int) -> None:
        if self.editor.rows:
            self.editor.remove(one % len(self.editor.rows))

    def move(self, one: int, other: int) -> None:
        if self.editor.rows:
            self.editor.move_op(one % len(self.editor.rows), other % len(self.editor.rows))

    def duplicate(self, one: int, other: int) -> None:
        if self.editor.rows:
            self.editor.duplicate(one % len(self.editor.rows))

    def toggle(self, one: int, other: int) -> None:
        if self.editor.rows:
            self.editor.rows[one % len(self.editor.rows)].switch.toggle()

    def drag(self, one: int, other: int) -> None:
        """Keys on a slider of an op, and sometimes the focus leaves it afterwards."""
        if not self.editor.rows:
            return
        row = self.editor.rows[one % len(self.editor.rows)]
        row.set_open(True)
        if row.form:
            self._turn(row.form, one, other)

    def turn_kind(self, one: int, other: int) -> None:
        self._turn(self.inspector.size_form, one, other)

    def change_role(self, one: int, other: int) -> None:
        self._turn(self.inspector.more_form, 1, other)

    def choose_kind(self, one: int, other: int) -> None:
        chips = self.inspector.kinds.chips
        chips[one % len(chips)].click()

    def add_kind(self, one: int, other: int) -> None:
        self.inspector.kinds.add_button.click()

    def remove_kind(self, one: int, other: int) -> None:
        self.inspector.kinds.remove_button.click()

    def choose_preset(self, one: int, other: int) -> None:
        presets = self.page.session.catalog.presets
        self.page.preset.presets.action_of(presets[one % len(presets)].name).trigger()

    def switch_scaling(self, one: int, other: int) -> None:
        self.page.preset.presets.scaling.trigger()

    def paste(self, one: int, other: int) -> None:
        QGuiApplication.clipboard().setText(PASTED[one % len(PASTED)])
        self.page.preset.sharing.paste()
        self.wait()

    def mend(self, one: int, other: int) -> None:
        if not self.inspector.need.isHidden():
            self.inspector.need.mend.click()

    def normalize(self, one: int, other: int) -> None:
        self.inspector.normalize.chosen.emit(("dataset", "imagenet", "none")[one % 3])

    def reroll(self, one: int, other: int) -> None:
        self.page.bar.reroll.click()
        self.gesture = "reroll"

    def _turn(self, form: ParamForm, one: int, other: int) -> None:
        field = form.field(form.names[one % len(form.names)])
        if isinstance(field, ChoiceField):
            field.combo.setCurrentIndex(other % field.combo.count())
            field.combo.activated.emit(field.combo.currentIndex())
            return
        assert isinstance(field, (NumberField, RangeField))
        controls = (field.control,) if isinstance(field, NumberField) else (field.smallest, field.largest)
        slider = controls[other % len(controls)].slider
        key = Qt.Key.Key_Right if other % 3 else Qt.Key.Key_Left
        for _ in range(1 + other % 4):
            QTest.keyClick(slider, key)
        self.gesture = f"{id(field)}:{self._settled}"
        if one % 2:
            slider.settled.emit()
            self._settled += 1


DEEDS = sorted(name for name in vars(Hands) if not name.startswith("_"))
Deed = tuple[str, int, int]
DEED = st.tuples(
    st.sampled_from([*DEEDS, "drag", "drag", "undo", "undo", "redo"]), st.integers(0, 11), st.integers(0, 11)
)


class Model:
    """What the history should hold: every state with the gesture that led to it, and which of them is the draft."""

    def __init__(self, first: Experiment) -> None:
        self.states = [first]
        self.gestures = [""]
        self.at = 0

    def push(self, state: Experiment, gesture: str, *, merged: bool) -> None:
        kept = self.at + (0 if merged else 1)
        self.states = [*self.states[:kept], state]
        self.gestures = [*self.gestures[:kept], gesture]
        self.at = kept


def do(hands: Hands, model: Model, deed: Deed) -> None:
    """One deed, by hand and in the model."""
    session, (name, one, other) = hands.page.session, deed
    before, index = session.draft, session.undo.index()
    if name in ("undo", "redo"):
        getattr(session.undo, name)()
        model.at = max(0, model.at - 1) if name == "undo" else min(len(model.states) - 1, model.at + 1)
        return
    hands.gesture = ""
    getattr(hands, name)(one, other)
    draft = session.draft
    assert draft
    steps = session.undo.index() - index
    if draft == before:
        assert steps in (0, 1), "a way there and back is a step at most"
    if steps or draft != before:
        goes_on = hands.gesture != "" and model.gestures[model.at] == hands.gesture
        assert steps == 1 or (steps == 0 and goes_on), f"{name} made {steps} steps"
        model.push(draft, hands.gesture, merged=steps == 0)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(deeds=st.lists(DEED, min_size=3, max_size=14))
def test_whatever_is_done_can_be_undone_and_redone(
    qtbot: QtBot, page: ViewsPage, engine: Engine, deeds: list[Deed]
) -> None:
    session = page.session
    session.undo.setIndex(0)
    first = session.draft
    assert first
    session.set_draft(first)  # an empty history, as after opening a folder
    hands = Hands(page, lambda: qtbot.waitUntil(lambda: engine._open == 0))
    model = Model(first)
    for deed in deeds:
        do(hands, model, deed)
        note(f"{deed}: {session.undo.undoText()}")
        assert session.draft == model.states[model.at]
        assert session.undo.index() == model.at
    last, count = model.at, len(model.states)
    for state in reversed(model.states[:last]):
        session.undo.undo()
        assert session.draft == state
    assert session.draft == first
    assert not session.undo.canUndo()
    for state in model.states[1:]:
        session.undo.redo()
        assert session.draft == state
    assert not session.undo.canRedo()
    assert session.undo.count() == count - 1
    shown = session.draft
    assert shown == model.states[-1]
    page.inspector.set_kind(0)
    assert [row.spec for row in page.inspector.editor.rows] == list(shown.views[0].chain), "the page shows the draft"


def test_a_drag_is_one_step_and_the_next_one_another(page: ViewsPage) -> None:
    session = page.session
    row = page.inspector.editor.rows[1]
    row.set_open(True)
    assert row.form
    field = row.form.field("p")
    assert isinstance(field, NumberField)
    for _ in range(2):
        for _ in range(6):
            QTest.keyClick(field.control.slider, Qt.Key.Key_Right)
        field.control.slider.settled.emit()
    assert session.undo.count() == 2
