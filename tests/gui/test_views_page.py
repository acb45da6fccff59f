from typing import Any

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.engine import messages as m
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.pages.views import ViewsPage, edits
from workbench.gui.session import Session
from workbench.gui.widgets.fields import NumberField
from workbench.spec.dataset import ScanReport
from workbench.spec.experiment import DataSpec, Experiment, OpSpec, ViewSpec


@pytest.fixture
def page(qtbot: QtBot, opened: Session, engine: Engine) -> ViewsPage:
    made = ViewsPage(opened, engine)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.entered()
    return made


def draft_of(page: ViewsPage) -> Experiment:
    assert page.session.draft
    return page.session.draft


def wait_for_pictures(qtbot: QtBot, page: ViewsPage) -> None:
    qtbot.waitUntil(lambda: bool(page.grid.content.originals) and not page.feed.is_busy)


def test_the_engine_is_asked_before_the_window_paints(
    qtbot: QtBot, page: ViewsPage, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_pictures(qtbot, page)
    events: list[str] = []
    want = page.feed.want

    def asked(request: m.Preview) -> None:
        events.append("asked")
        want(request)

    monkeypatch.setattr(page.feed, "want", asked)

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
            if event.type() == QEvent.Type.Paint:
                events.append("painted")
            return super().eventFilter(watched, event)

    watch = Watch()
    page.bar.draw.installEventFilter(watch)
    draft = draft_of(page)
    for seed in (1, 2, 3):  # Several changes in a row are one wish.
        page.session.edit(replace(draft, seed=seed), "seed")
        page.bar.draw.update()
    qtbot.waitUntil(lambda: "painted" in events)
    assert events[:2] == ["asked", "painted"]
    assert events.count("asked") == 1
    assert client.last(m.Preview).seed == 3


def test_without_images_it_says_the_next_step(qtbot: QtBot, session: Session, engine: Engine) -> None:
    page = ViewsPage(session, engine)
    qtbot.addWidget(page)
    page.show()
    assert page.state == "needs"
    assert page.go_on.isHidden()
    with qtbot.waitSignal(session.page_wanted) as wanted:
        QTest.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)
    assert wanted.args == ["data"]


def test_a_folder_without_images_is_not_waited_for(qtbot: QtBot, session: Session, engine: Engine) -> None:
    session.set_scan(ScanReport(folder="/nothing"))
    page = ViewsPage(session, engine)
    qtbot.addWidget(page)
    assert page.empty.title == "No images yet"
    assert not page.empty.button.isHidden()


def test_it_shows_pictures_of_several_images_and_both_views(qtbot: QtBot, page: ViewsPage, client: Any) -> None:
    wait_for_pictures(qtbot, page)
    content = page.grid.content
    assert content.names == ("global 1", "global 2")
    assert len(content.paths) == len(content.originals) == len(content.views[0]) >= 4
    assert (content.views[0][0].width(), content.views[0][0].height()) == (32, 32)
    request = client.last(m.Preview)
    scan = page.session.scan
    assert scan
    assert set(request.paths) <= set(scan.paths)
    assert len(page.strip.steps) == 3
    assert [step.place for step in page.strip.steps] == [-1, 0, 1]


def test_while_hidden_it_asks_for_nothing(qtbot: QtBot, opened: Session, engine: Engine, client: Any) -> None:
    page = ViewsPage(opened, engine)
    qtbot.addWidget(page)
    qtbot.wait(20)
    assert not any(isinstance(request, m.Preview) for request in client.asked)


def test_a_slider_changes_the_draft_and_the_preview_and_is_one_undo_step(
    qtbot: QtBot, page: ViewsPage, client: Any
) -> None:
    wait_for_pictures(qtbot, page)
    row = page.inspector.editor.rows[1]
    row.set_open(True)
    assert row.form
    field = row.form.field("p")
    assert isinstance(field, NumberField)
    for _ in range(5):
        QTest.keyClick(field.control.slider, Qt.Key.Key_Right)
    assert draft_of(page).views[0].chain[1].params["p"] == pytest.approx(0.55)
    assert page.session.undo.count() == 1
    qtbot.waitUntil(lambda: client.last(m.Preview).views == draft_of(page).views)
    page.session.undo.undo()
    assert draft_of(page).views[0].chain[1].params["p"] == 0.5
    assert field.value() == 0.5


def test_at_most_one_preview_is_under_way_and_the_last_wish_wins(qtbot: QtBot, page: ViewsPage, client: Any) -> None:
    wait_for_pictures(qtbot, page)
    client.hold.add(m.Preview)
    before = sum(isinstance(request, m.Preview) for request in client.asked)
    for draw in range(1, 4):
        page.bar.draw_changed.emit(draw)
    assert sum(isinstance(request, m.Preview) for request in client.asked) == before + 1
    client.release()
    qtbot.waitUntil(lambda: not page.feed.is_busy)
    assert client.last(m.Preview).epoch == 3
    assert sum(isinstance(request, m.Preview) for request in client.asked) == before + 2


def test_a_failed_preview_is_told_in_words_and_the_next_one_works(qtbot: QtBot, page: ViewsPage, client: Any) -> None:
    wait_for_pictures(qtbot, page)
    client.replies[m.Preview] = lambda _request: Failed(id=1, reason="error", message="No such file.", hint="Look.")
    page.bar.draw_changed.emit(1)
    qtbot.waitUntil(page.problem.isVisible)
    assert "No such file. Look." in page.problem.text
    del client.replies[m.Preview]
    page.bar.draw_changed.emit(2)
    qtbot.waitUntil(lambda: not page.problem.isVisible())


def test_reroll_changes_the_seed_unless_it_is_locked(qtbot: QtBot, page: ViewsPage, client: Any) -> None:
    wait_for_pictures(qtbot, page)
    seed = draft_of(page).seed
    QTest.mouseClick(page.bar.reroll, Qt.MouseButton.LeftButton)
    changed = draft_of(page).seed
    assert changed != seed
    page.bar.lock.click()
    QTest.mouseClick(page.bar.reroll, Qt.MouseButton.LeftButton)
    assert draft_of(page).seed == changed
    qtbot.waitUntil(lambda: client.last(m.Preview).epoch == 1)
    assert client.last(m.Preview).seed == changed
    assert "draw 2 of 4" in page.bar._draw_label.text()


def test_every_draw_can_be_reached(qtbot: QtBot, page: ViewsPage) -> None:
    """However many epochs there are, an arrow key goes one draw on."""
    wait_for_pictures(qtbot, page)
    draft = draft_of(page)
    page.session.edit(replace(draft, train=replace(draft.train, epochs=800)), "More epochs")
    for _ in range(3):
        QTest.keyClick(page.bar.draw, Qt.Key.Key_Right)
    assert "draw 4 of 800" in page.bar._draw_label.text()


def test_the_strip_soloes_by_a_key(qtbot: QtBot, page: ViewsPage) -> None:
    wait_for_pictures(qtbot, page)
    page.strip.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_S):
        QTest.keyClick(page.strip, key)
    assert "Only Horizontal flip is shown" in page.board.listening.text


def test_other_images_are_other_rows(qtbot: QtBot, page: ViewsPage, client: Any) -> None:
    wait_for_pictures(qtbot, page)
    first = client.last(m.Preview).paths
    QTest.mouseClick(page.bar.shuffle, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: client.last(m.Preview).paths != first)


def test_a_click_on_a_view_shows_its_steps(qtbot: QtBot, page: ViewsPage, client: Any) -> None:
    wait_for_pictures(qtbot, page)
    place = page.grid.place_of(2, 1)
    QTest.mouseClick(page.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: client.last(m.Preview).steps_of == 2)
    assert client.last(m.Preview).steps_view == 1
    assert "crop 0.5" in page.grid.describe(2, 1)
    QTest.keyClick(page.grid, Qt.Key.Key_Left)
    assert page.grid.selection == (2, 0)


def test_clicking_a_step_marks_its_op(qtbot: QtBot, page: ViewsPage) -> None:
    wait_for_pictures(qtbot, page)
    page.strip.chosen.emit(1)
    assert page.inspector.editor.rows[1]._current


def test_kinds_of_view_are_added_edited_and_removed(qtbot: QtBot, page: ViewsPage) -> None:
    wait_for_pictures(qtbot, page)
    inspector = page.inspector
    QTest.mouseClick(inspector.kinds.add_button, Qt.MouseButton.LeftButton)
    assert [view.name for view in draft_of(page).views] == ["global", "global 2"]
    assert inspector.kind == 1
    field = inspector.size_form.field("count")
    assert isinstance(field, NumberField)
    QTest.keyClick(field.control.slider, Qt.Key.Key_Right)
    assert draft_of(page).views[1].count == 2
    assert draft_of(page).views[0].count == 2
    qtbot.waitUntil(lambda: len(page.grid.content.names) == 4)
    assert page.grid.content.kinds == (0, 0, 1, 1)
    QTest.mouseClick(inspector.kinds.remove_button, Qt.MouseButton.LeftButton)
    assert len(draft_of(page).views) == 1
    assert inspector.kind == 0
    page.session.undo.undo()
    assert len(draft_of(page).views) == 2


def test_normalize_is_part_of_the_chain(page: ViewsPage) -> None:
    page.inspector.normalize.chosen.emit("imagenet")
    assert draft_of(page).data.normalize == "imagenet"
    page.session.undo.undo()
    assert page.inspector.normalize.value() == "dataset"


def test_advice_is_shown_and_goes_with_its_cause(page: ViewsPage) -> None:
    row = page.inspector.editor.rows[1]
    row.set_open(True)
    assert row.form
    row.form.edited.emit("p", 0.0, "")
    assert [banner.title for banner in page.inspector._banners] == ["Horizontal flip never acts."]
    row.switch.toggle()
    assert page.inspector._banners == []


def test_continue_goes_to_the_method_page(qtbot: QtBot, page: ViewsPage) -> None:
    with qtbot.waitSignal(page.session.page_wanted) as wanted:
        QTest.mouseClick(page.go_on, Qt.MouseButton.LeftButton)
    assert wanted.args == ["method"]


def test_advice_from_the_spec_alone(session: Session) -> None:
    """Whether ops do anything to the images is measured, not guessed."""
    chain = (OpSpec(op="random_resized_crop"), OpSpec(op="grayscale", params={"p": 0.2}))
    gray = Experiment(data=DataSpec(folder="x", channels="gray"), views=(ViewSpec(chain=chain),))
    assert edits.advice(gray, session.catalog, 0) == ()
    three = replace(gray, data=DataSpec(folder="x", channels="planes", planes=3))
    assert [one.title for one in edits.advice(three, session.catalog, 0)] == ["grayscale takes the planes for colors."]
    never = replace(gray, views=(ViewSpec(chain=(chain[0], OpSpec(op="solarize", params={"p": 0.0}))),))
    assert [one.title for one in edits.advice(never, session.catalog, 0)] == ["Solarize never acts."]
    large = replace(gray, data=DataSpec(folder="x", size=32), views=(ViewSpec(size=64),))
    assert [one.title for one in edits.advice(large, session.catalog, 0)] == ["Enlarged 2.0 times."]


def test_images_are_spread_over_the_folder_and_never_repeat() -> None:
    assert edits.chosen_rows(0, 8, 0) == ()
    assert edits.chosen_rows(3, 8, 0) == (0, 1, 2)
    rows = edits.chosen_rows(1000, 10, 0)
    assert len(set(rows)) == 10
    assert rows[0] < 100
    assert rows[-1] >= 900
    assert len(set(edits.chosen_rows(1000, 10, 5))) == 10
    assert edits.chosen_rows(1000, 10, 5) == edits.chosen_rows(1000, 10, 5)


def test_the_preset_of_a_fitted_plan_is_recognized(session: Session) -> None:
    presets = session.catalog.presets
    whole, cropped, other = presets[0].views, presets[1].views, (ViewSpec(chain=(OpSpec(op="rotation"),)),)
    for views, usual, name in ((whole, "", "simclr"), (cropped, "", "gentle"), (cropped, "simclr", "simclr")):
        found = edits.source_preset(views, presets, usual)
        assert found
        assert found.name == name
    assert edits.source_preset(other, presets, "simclr") is None


def test_the_same_views_after_a_trip_through_a_file_are_the_same() -> None:
    tuples = (ViewSpec(chain=(OpSpec(op="crop", params={"scale": (0.2, 1.0)}),)),)
    lists = (ViewSpec(chain=(OpSpec(op="crop", params={"scale": [0.2, 1.0]}),)),)
    assert edits.same_views(tuples, lists)
    assert not edits.same_views(tuples, (ViewSpec(),))
