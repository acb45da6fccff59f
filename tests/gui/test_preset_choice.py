"""The preset menu: choosing, recognizing, saving, opening, copying, pasting; and views that the method cannot use."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMessageBox
from pytestqt.qtbot import QtBot

from workbench.engine import messages as m
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.pages.views import ViewsPage, own
from workbench.gui.pages.views.edits import same_views
from workbench.gui.pages.views.presets import PresetChoice
from workbench.gui.pages.views.recognition import KnownPlans
from workbench.gui.session import Session
from workbench.gui.widgets.fold import Fold
from workbench.spec import places
from workbench.spec.catalog import PresetCard
from workbench.spec.experiment import DataSpec, Experiment, MethodSpec, OpSpec, TaskSpec, ViewSpec
from workbench.spec.presets import load_preset, preset_text

BLURRED = PresetCard(
    name="blurred",
    title="Blurred",
    help="Soft.",
    source="A paper",
    section="published",
    views=(
        ViewSpec(name="global", chain=(OpSpec(op="horizontal_flip"), OpSpec(op="gaussian_blur"))),
        ViewSpec(name="local", role="local", count=6, chain=(OpSpec(op="horizontal_flip"),)),
    ),
)


@pytest.fixture
def page(qtbot: QtBot, opened: Session, engine: Engine) -> ViewsPage:
    catalog = opened.catalog
    opened.set_catalog(replace(catalog, presets=(*catalog.presets, BLURRED)))
    made = ViewsPage(opened, engine)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.entered()
    return made


@pytest.fixture
def choice(page: ViewsPage) -> PresetChoice:
    return page.preset


def draft_of(page: ViewsPage) -> Experiment:
    assert page.session.draft
    return page.session.draft


def clip(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


def test_the_preset_of_a_new_draft_is_recognized(choice: PresetChoice) -> None:
    assert choice.text() == "Preset: SimCLR, scaled to your data"
    assert choice.presets.action_of("simclr").isChecked()
    assert not choice.presets.action_of("gentle").isChecked()


def test_a_preset_is_one_step_scaled_or_as_published(page: ViewsPage, choice: PresetChoice) -> None:
    before = draft_of(page)
    choice.presets.action_of("blurred").trigger()
    assert choice.text() == "Preset: Blurred, scaled to your data"
    assert "No blur" in choice.toolTip()
    assert [(view.size, len(view.chain)) for view in draft_of(page).views] == [(32, 1), (16, 1)]
    choice.presets.scaling.trigger()
    assert choice.text() == "Preset: Blurred, as published"
    assert [(view.size, len(view.chain)) for view in draft_of(page).views] == [(32, 2), (16, 1)]
    assert page.session.undo.count() == 2
    page.session.undo.undo()
    assert choice.text() == "Preset: Blurred, scaled to your data"
    assert choice.presets.scaling.isChecked()
    page.session.undo.undo()
    assert draft_of(page) == before
    assert choice.text() == "Preset: SimCLR, scaled to your data"


def test_a_change_is_marked_and_taking_it_back_too(page: ViewsPage, choice: PresetChoice) -> None:
    choice.choose(page.session.catalog.preset("gentle"))
    page.inspector.editor.add("solarize")
    assert choice.text() == "Preset: Gentle, changed"
    assert not choice.presets.action_of("gentle").isChecked()
    choice.presets.scaling.trigger()
    assert choice.text() == "Preset: Gentle, changed", "changed views stay as they are"
    page.session.undo.undo()
    assert choice.text().startswith("Preset: Gentle, ")


def test_the_engine_suggests_and_its_reasons_are_told(
    qtbot: QtBot, page: ViewsPage, choice: PresetChoice, client: Any
) -> None:
    views = (ViewSpec(size=32, chain=(OpSpec(op="horizontal_flip"),)),)
    client.replies[m.Suggest] = lambda request: (
        m.SuggestReply(experiment=replace(draft_of(page), views=views), view_reasons=("No blur: 32 px.",)), {},
    )  # fmt: skip
    choice.presets.actions()[0].trigger()
    qtbot.waitUntil(choice.note.isVisible)
    assert client.last(m.Suggest).preset == ""
    assert draft_of(page).views == views
    assert choice.note.banner.text == "No blur: 32 px."
    page.hide()
    assert not choice.note.isVisible()


def test_views_are_suggested_for_all_tasks_together(page: ViewsPage, choice: PresetChoice, client: Any) -> None:
    method = MethodSpec(name="rotation", also=(TaskSpec(name="simclr", weight=0.5),))
    page.session.edit(replace(draft_of(page), method=method), "Two tasks")
    choice.presets.actions()[0].trigger()
    asked = client.last(m.Suggest)
    assert (asked.method, asked.also) == ("rotation", method.also)


def test_help_follows_the_entry_that_is_pointed_at(choice: PresetChoice) -> None:
    choice.presets.hovered.emit(choice.presets.action_of("blurred"))
    assert choice.presets.help.text() == "Soft. Source: A paper."
    choice.presets.aboutToShow.emit()
    assert "Point at" in choice.presets.help.text()


def test_saved_presets_are_in_the_menu_until_they_are_removed(
    qtbot: QtBot, page: ViewsPage, choice: PresetChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.inspector.editor.add("solarize")
    views = draft_of(page).views
    monkeypatch.setattr(QInputDialog, "getText", lambda *_args, **_kw: ("My cats", True))
    choice.sharing._on_save_wanted()
    assert choice.text() == "Preset: My cats"
    assert same_views(load_preset(places.presets_folder() / "my-cats.toml").views, views)
    choice.choose(page.session.catalog.preset("gentle"))
    choice.presets.action_of("my-cats").trigger()
    qtbot.waitUntil(lambda: same_views(draft_of(page).views, views))
    asked: list[str] = []

    def cancel(*arguments: Any) -> QMessageBox.StandardButton:
        asked.append(arguments[2])
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "question", cancel)
    choice.sharing._on_save_wanted()
    choice.sharing._on_removed(places.presets_folder() / "my-cats.toml")
    assert asked == ["Replace your 'My cats'?", "Put your preset 'my-cats' into the trash?"]
    assert (places.presets_folder() / "my-cats.toml").exists()
    monkeypatch.setattr(QMessageBox, "question", lambda *_args: QMessageBox.StandardButton.Yes)
    monkeypatch.setattr(own, "send2trash", lambda file: Path(file).unlink())
    choice.sharing._on_removed(places.presets_folder() / "my-cats.toml")
    with pytest.raises(KeyError):
        choice.presets.action_of("my-cats")


def test_a_bundled_name_is_not_taken_and_a_broken_file_says_why(choice: PresetChoice) -> None:
    assert choice.sharing.save_as("SimCLR").name == "simclr-own"
    (places.presets_folder() / "torn.toml").write_text("[[views", encoding="utf-8")
    choice.presets.aboutToShow.emit()
    entry = next(action for action in choice.presets.actions() if action.text().startswith("torn.toml"))
    entry.trigger()
    assert choice.note.banner.title == "torn.toml cannot be used."
    assert "not valid TOML" in choice.note.banner.text


def test_views_go_through_a_file(
    qtbot: QtBot, page: ViewsPage, choice: PresetChoice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice.choose(BLURRED)
    views = draft_of(page).views
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(tmp_path / "plan"), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(tmp_path / "plan.toml"), ""))
    choice.sharing._on_export_wanted()
    choice.choose(page.session.catalog.preset("gentle"))
    choice.sharing._on_open_wanted()
    qtbot.waitUntil(lambda: draft_of(page).views == views)
    assert page.session.undo.undoText() == "Views from plan.toml"
    (tmp_path / "plan.toml").write_text("size = 3", encoding="utf-8")
    choice.sharing._on_open_wanted()
    assert choice.note.banner.level == "bad"
    assert "'views' is missing" in choice.note.banner.text
    assert draft_of(page).views == views
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(tmp_path / "plan.toml" / "x"), ""))
    choice.sharing._on_export_wanted()
    assert "cannot be written: a file is where a folder should be" in choice.note.banner.text


def test_copied_views_are_pasted_as_one_step(qtbot: QtBot, page: ViewsPage, choice: PresetChoice) -> None:
    page.inspector.editor.add("solarize")
    changed = draft_of(page)
    choice.sharing.copy_toml()
    assert choice.note.banner.title == "Copied 1 kind of view as TOML."
    choice.choose(BLURRED)
    other = draft_of(page)
    page.grid.setFocus()
    QTest.keyClick(page, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: same_views(draft_of(page).views, changed.views))
    assert choice.text() == "Preset: SimCLR, changed"
    assert page.session.undo.undoText() == "Paste views"
    page.session.undo.undo()
    assert draft_of(page) == other


def test_pasting_into_a_field_is_left_to_the_field(page: ViewsPage) -> None:
    clip("cats")
    for fold in page.inspector.findChildren(Fold):
        fold.set_open(True)
    field = page.inspector.more_form.findChild(QLineEdit)
    assert field
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert field.text() == "cats"
    assert not page.preset.note.isVisible()


@pytest.mark.parametrize(
    ("text", "title", "words"),
    [
        ("", "The clipboard holds no text.", ""),
        ("hello", "Nothing was pasted.", "The text on the clipboard is not valid TOML"),
        ("title = 'x'", "Nothing was pasted.", "'views' is missing"),
    ],
)
def test_what_cannot_be_pasted_is_said(
    page: ViewsPage, choice: PresetChoice, text: str, title: str, words: str
) -> None:
    clip(text)
    choice.sharing.paste()
    assert choice.note.isVisible()
    assert choice.note.banner.title == title
    assert words in choice.note.banner.text
    assert page.session.undo.count() == 0
    QTest.keyClick(choice.note, Qt.Key.Key_Escape)
    assert not choice.note.isVisible()


def test_views_that_cannot_be_made_are_not_taken(
    qtbot: QtBot, page: ViewsPage, choice: PresetChoice, client: Any
) -> None:
    client.replies[m.CheckViews] = lambda _request: Failed(id=1, reason="error", message="unknown op 'x'.")
    clip(preset_text(BLURRED))
    choice.sharing.paste()
    qtbot.waitUntil(choice.note.isVisible)
    assert choice.note.banner.text == "unknown op 'x'."
    assert page.session.undo.count() == 0


def test_code_is_copied_and_what_it_leaves_out_is_told(qtbot: QtBot, choice: PresetChoice, client: Any) -> None:
    choice.sharing.copy_python()
    qtbot.waitUntil(choice.note.isVisible)
    assert QGuiApplication.clipboard().text() == "import torchvision"
    assert choice.note.banner.text == "torchvision has nothing for: Erasing."
    client.replies[m.ViewsAsPython] = lambda _request: (m.ViewsAsPythonReply(text="v2"), {})
    choice.sharing.copy_python()
    qtbot.waitUntil(lambda: choice.note.banner.title == "Copied as Python.")


def test_views_that_the_method_cannot_use_are_said_with_a_way_out(page: ViewsPage, choice: PresetChoice) -> None:
    need = page.inspector.need
    assert need.isHidden()
    choice.choose(BLURRED)
    assert not need.isHidden()
    assert need.banner.title == "SimCLR cannot use local views."
    QTest.mouseClick(need.mend, Qt.MouseButton.LeftButton)
    assert [view.role for view in draft_of(page).views] == ["global"]
    assert need.isHidden()
    draft = draft_of(page)
    page.session.edit(replace(draft, views=(replace(draft.views[0], count=1),)), "One view")
    assert need.banner.title == "SimCLR needs 2 global views of each image, not 1."
    assert need.mend.text() == "Make 2 views"
    QTest.mouseClick(need.mend, Qt.MouseButton.LeftButton)
    assert draft_of(page).views[0].count == 2
    page.session.edit(replace(draft, views=(replace(BLURRED.views[1], count=1),)), "Only local")
    QTest.mouseClick(need.mend, Qt.MouseButton.LeftButton)
    assert [(view.role, view.count, view.size) for view in draft_of(page).views] == [("global", 2, 32)]


def test_a_method_with_local_views_is_named(qtbot: QtBot, page: ViewsPage, choice: PresetChoice) -> None:
    catalog = page.session.catalog
    methods = tuple(replace(card, local_views=card.name == "byol") for card in catalog.methods)
    page.session.set_catalog(replace(catalog, methods=methods))
    choice.choose(BLURRED)
    assert page.inspector.need.banner.text.endswith("choose a method that uses them (BYOL).")
    with qtbot.waitSignal(page.session.page_wanted) as wanted:
        QTest.mouseClick(page.inspector.need.change, Qt.MouseButton.LeftButton)
    assert wanted.args == ["method"]
    draft = draft_of(page)
    page.session.edit(replace(draft, method=replace(draft.method, name="byol")), "Method")
    assert page.inspector.need.isHidden()


def test_plans_that_are_alike_are_told_apart_by_what_is_meant() -> None:
    twins = tuple(PresetCard(name=name, title=name, help="", views=(ViewSpec(),)) for name in ("a", "b"))
    plans = KnownPlans(twins, DataSpec(folder="x", size=32))
    views = (ViewSpec(size=32),)
    assert plans.find(views) == (twins[0], True)
    assert plans.find(views, meant=("b",), scaled=False) == (twins[1], False)
    assert plans.find((ViewSpec(size=31),)) is None
