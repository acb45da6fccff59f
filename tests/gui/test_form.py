from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.gui.widgets.fields import (
    ChoiceField,
    NumberField,
    RangeField,
    SwitchField,
    TextField,
    format_number,
    parse_number,
)
from workbench.gui.widgets.form import ParamForm
from workbench.gui.widgets.slider import Scale, scale_of
from workbench.spec.experiment import DataSpec, TrainSpec, ViewSpec, WatchSpec
from workbench.spec.params import ParamInfo, describe

INFOS = (
    ParamInfo(name="count", title="count", kind="int", default=2, low=1, high=32),
    ParamInfo(name="hue", title="hue", kind="float", default=0.1, low=0.0, high=0.5, unit="turns"),
    ParamInfo(name="rate", title="rate", kind="float", default=0.06, low=1e-7, high=100, logarithmic=True),
    ParamInfo(name="scale", title="area", kind="range", default=(0.2, 1.0), low=0.01, high=1.0),
    ParamInfo(name="both", title="both ways", kind="bool", default=True),
    ParamInfo(name="edges", title="edges", kind="choice", default="zero", choices=("zero", "mirror"), advanced=True),
    ParamInfo(name="note", title="note", kind="text", default="", advanced=True),
)


class Heard:
    """What a form told."""

    def __init__(self, form: ParamForm) -> None:
        self.edits: list[tuple[str, Any, str]] = []
        form.edited.connect(lambda name, value, merge: self.edits.append((name, value, merge)))

    @property
    def keys(self) -> set[str]:
        return {merge for _, _, merge in self.edits}


@pytest.fixture
def form(qtbot: QtBot) -> ParamForm:
    made = ParamForm(INFOS)
    qtbot.addWidget(made)
    made.resize(320, 480)
    made.show()
    return made


def test_it_shows_the_declared_defaults_and_folds_the_advanced(form: ParamForm) -> None:
    assert form.values() == {info.name: info.default for info in INFOS}
    assert form.fold is not None
    assert "Advanced (2)" in form.fold.button.text()
    assert not form.field("edges").isVisible()
    form.fold.set_open(True)
    assert form.field("edges").isVisible()


def test_setting_values_tells_nothing_and_round_trips(form: ParamForm) -> None:
    heard = Heard(form)
    values = {
        "count": 6, "hue": 0.25, "rate": 0.0005, "scale": (0.4, 0.9), "both": False, "edges": "mirror", "note": "x",
    }  # fmt: skip
    form.set_values(values)
    assert form.values() == values
    form.set_values({**values, "scale": [0.3, 0.8]})
    assert form.values()["scale"] == (0.3, 0.8)
    assert heard.edits == []


def test_a_drag_of_a_slider_is_one_gesture(form: ParamForm) -> None:
    field = form.field("hue")
    assert isinstance(field, NumberField)
    heard = Heard(form)
    slider = field.control.slider
    for number in range(2):
        QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(12, slider.height() // 2))
        for x in (30, 50, 60 + number):
            QTest.mouseMove(slider, QPoint(x, slider.height() // 2))
            form.set_values(form.values())  # what a page does after each edit must not disturb the drag
        QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(60 + number, slider.height() // 2))
    names = [name for name, _, _ in heard.edits]
    assert set(names) == {"hue"}
    assert len(heard.edits) >= 6
    assert len(heard.keys) == 2
    assert form.values()["hue"] == heard.edits[-1][1]
    assert field.control.edit.text() == format_number(heard.edits[-1][1])


def test_a_number_can_be_typed_and_stays_within_its_bounds(form: ParamForm, qtbot: QtBot) -> None:
    field = form.field("count")
    assert isinstance(field, NumberField)
    heard = Heard(form)
    for typed, value in (("7", 7), ("900", 32), ("12,6", 13)):
        field.control.edit.selectAll()
        QTest.keyClicks(field.control.edit, typed)
        QTest.keyClick(field.control.edit, Qt.Key.Key_Return)
        assert form.values()["count"] == value
        assert heard.edits[-1][:2] == ("count", value)
        assert isinstance(heard.edits[-1][1], int)
    before = len(heard.edits)
    field.control.edit.selectAll()
    QTest.keyClicks(field.control.edit, "many")
    QTest.keyClick(field.control.edit, Qt.Key.Key_Return)
    assert form.values()["count"] == 13
    assert field.control.edit.text() == "13"
    assert len(heard.edits) == before


def test_arrow_keys_step_a_slider_and_the_wheel_leaves_it_alone(form: ParamForm, qtbot: QtBot) -> None:
    field = form.field("rate")
    assert isinstance(field, NumberField)
    heard = Heard(form)
    for _ in range(3):
        QTest.keyClick(field.control.slider, Qt.Key.Key_Right)
    told = [value for _, value, _ in heard.edits]
    assert told == sorted(told)
    assert told[0] > 0.06
    assert len(heard.keys) == 1
    QTest.keyClick(field.control.slider, Qt.Key.Key_Home)
    assert form.values()["rate"] < 0.001


def test_the_ends_of_a_range_push_each_other(form: ParamForm, qtbot: QtBot) -> None:
    field = form.field("scale")
    assert isinstance(field, RangeField)
    heard = Heard(form)
    field.smallest.edit.selectAll()
    QTest.keyClicks(field.smallest.edit, "0.5")
    QTest.keyClick(field.smallest.edit, Qt.Key.Key_Return)
    assert heard.edits[-1][:2] == ("scale", (0.5, 1.0))
    field.largest.edit.selectAll()
    QTest.keyClicks(field.largest.edit, "0.3")
    QTest.keyClick(field.largest.edit, Qt.Key.Key_Return)
    assert form.values()["scale"] == (0.3, 0.3)


def test_switch_choice_and_text_tell_their_new_value(form: ParamForm, qtbot: QtBot) -> None:
    assert form.fold
    form.fold.set_open(True)
    heard = Heard(form)
    both, edges, note = form.field("both"), form.field("edges"), form.field("note")
    assert isinstance(both, SwitchField)
    assert isinstance(edges, ChoiceField)
    assert isinstance(note, TextField)
    QTest.keyClick(both.switch, Qt.Key.Key_Space)
    QTest.keyClick(edges.combo, Qt.Key.Key_Down)
    QTest.keyClicks(note.line, "a")
    assert len(heard.edits) == 2
    QTest.keyClick(note.line, Qt.Key.Key_Return)
    assert [edit[:2] for edit in heard.edits] == [("both", False), ("edges", "mirror"), ("note", "a")]
    assert len(heard.keys) == 3


def test_reset_appears_with_a_change_and_takes_it_back(form: ParamForm, qtbot: QtBot) -> None:
    field = form.field("hue")
    heard = Heard(form)
    assert field.is_default
    form.set_values({"hue": 0.3})
    assert not field.is_default
    assert field._reset.isVisible()
    assert "0.10" in field._reset.toolTip()
    QTest.mouseClick(field._reset, Qt.MouseButton.LeftButton)
    assert heard.edits[-1][:2] == ("hue", 0.1)
    assert not field._reset.isVisible()
    form.set_defaults({"hue": 0.3})
    assert not field.is_default


def test_a_text_with_options_is_a_choice_and_shows_what_is_not_among_them(qtbot: QtBot) -> None:
    form = ParamForm(describe(TrainSpec), options={"device": (("auto", "auto"), ("cpu", "2 CPU cores"))})
    qtbot.addWidget(form)
    form.set_values({"device": "cuda:3"})
    assert form.values()["device"] == "cuda:3"
    form.set_options("device", (("auto", "auto"), ("mps", "Apple GPU")))
    assert form.values()["device"] == "cuda:3"


@pytest.mark.parametrize("spec", [TrainSpec, ViewSpec, WatchSpec, DataSpec])
def test_every_declared_parameter_of_an_experiment_round_trips(qtbot: QtBot, spec: type[Any]) -> None:
    infos = describe(spec)
    form = ParamForm(infos)
    qtbot.addWidget(form)
    for info in infos:
        assert form.values()[info.name] == (info.default if info.default is not None else "")
        scale = scale_of(info) if info.kind in ("int", "float") else None
        if scale:
            assert scale.low <= info.default <= scale.high
            assert scale.value(scale.position(scale.low)) == scale.low
            assert info.low is None or scale.low >= info.low
            assert info.high is None or scale.high <= info.high


@pytest.mark.parametrize(
    "scale",
    [Scale(0, 1), Scale(8, 1024, whole=True), Scale(1, 65_536, True, True), Scale(1e-5, 6, True), Scale(0, 9, True)],
)
def test_a_scale_is_monotone_and_its_steps_always_move(scale: Scale) -> None:
    values = [scale.value(number / 200) for number in range(201)]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (scale.low, scale.high)
    for value in values:
        assert value == scale.high or scale.step(value, 1) > value
        assert value == scale.low or scale.step(value, -1) < value
        assert abs(scale.value(scale.position(value)) - value) <= 0.35 * abs(value) + 1e-9
    if scale.whole:
        assert all(value == int(value) for value in values)


def test_a_value_outside_the_usual_part_stays_what_it_is() -> None:
    info = next(info for info in describe(TrainSpec) if info.name == "epochs")
    usual = scale_of(info)
    assert usual.high < 100_000
    assert scale_of(info, 50_000.0).high == 50_000


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4, "0.40"), (1.0, "1.00"), (0.996, "0.996"), (0.06, "0.06"), (5e-4, "5e-4"), (30.0, "30"), (0.0, "0.00")],
)
def test_numbers_are_written_as_a_person_would(value: float, text: str) -> None:
    assert format_number(value) == text
    assert parse_number(text) == value


def test_fractions_and_commas_are_understood() -> None:
    assert parse_number("3:4") == 0.75
    assert parse_number("1/4") == 0.25
    assert parse_number("0,5") == 0.5
    assert parse_number("−2") == -2
    assert parse_number("1/0") is None
    assert parse_number("nan") is None
