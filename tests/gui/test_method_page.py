from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.gui.conftest import fake_catalog, fake_experiment
from workbench.engine import messages as m
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.pages.method import MethodPage
from workbench.gui.pages.method.about import paper_link
from workbench.gui.pages.method.choosing import recommended, sections, with_suggestion
from workbench.gui.pages.method.recipe import weights_of_runs
from workbench.gui.session import Session
from workbench.gui.widgets.fields import ChoiceField, NumberField
from workbench.runs.folder import RunFolder
from workbench.spec.catalog import Broken, Catalog, MethodCard, Recipe
from workbench.spec.dataset import ScanReport
from workbench.spec.errors import RunError
from workbench.spec.experiment import Experiment, MethodSpec, TrainSpec, ViewSpec
from workbench.spec.machine import Device, Finding


@pytest.fixture
def page(qtbot: QtBot, opened: Session, engine: Engine) -> MethodPage:
    made = MethodPage(opened, engine)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.entered()
    return made


def draft_of(page: MethodPage) -> Experiment:
    assert page.session.draft
    return page.session.draft


def has_method(page: MethodPage, name: str) -> bool:
    return draft_of(page).method.name == name


def texts(page: MethodPage) -> list[str]:
    return [label.text() for label in page.findChildren(QLabel) if label.isVisibleTo(page)]


def answer_with(method: str, **train: Any) -> Any:
    """A fake suggestion for a method, on top of whatever was asked."""

    def reply(request: m.Suggest) -> tuple[m.AnyReply, m.Arrays]:
        assert request.data
        experiment = Experiment(
            name=f"{request.method} on pets",
            data=request.data,
            views=(ViewSpec(count=1, size=32),),
            method=MethodSpec(name=request.method),
            train=TrainSpec(**{"epochs": 4, "batch_size": 8, **train}),
        )
        return m.SuggestReply(experiment=experiment), {}

    del method
    return reply


def test_without_images_it_says_the_next_step(qtbot: QtBot, session: Session, engine: Engine) -> None:
    page = MethodPage(session, engine)
    qtbot.addWidget(page)
    page.show()
    assert page.state == "needs"
    assert not page.start_button.isEnabled()
    assert "Open a folder" in page.start_button.toolTip()
    with qtbot.waitSignal(session.page_wanted) as wanted:
        QTest.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)
    assert wanted.args == ["data"]


def test_a_folder_without_images_is_not_waited_for(qtbot: QtBot, session: Session, engine: Engine) -> None:
    session.set_scan(ScanReport(folder="/nothing"))
    page = MethodPage(session, engine)
    qtbot.addWidget(page)
    assert page.empty.title == "No images yet"
    assert not page.empty.button.isHidden()


def test_before_the_catalog_is_there_it_says_that_it_loads(page: MethodPage) -> None:
    catalog = page.session.catalog
    page.session.set_catalog(Catalog())
    assert "Loading methods" in texts(page)
    assert page.gallery.tiles == ()
    page.session.set_catalog(catalog)
    assert "Loading methods" not in texts(page)
    assert len(page.gallery.tiles) == 4


def test_broken_plugins_are_named(qtbot: QtBot, page: MethodPage) -> None:
    catalog = page.session.catalog
    page.session.set_catalog(
        Catalog(
            methods=catalog.methods,
            backbones=catalog.backbones,
            ops=catalog.ops,
            presets=catalog.presets,
            broken=(Broken(file="mine.py", message="No METHOD in it."),),
        )
    )
    qtbot.waitUntil(lambda: "1 plugin could not be loaded." in texts(page))
    assert "mine.py: No METHOD in it." in texts(page)


def test_choosing_a_card_takes_its_recipe_and_views_as_one_undo_step(
    qtbot: QtBot, page: MethodPage, client: Any
) -> None:
    before = draft_of(page)
    client.replies[m.Suggest] = answer_with("byol", learning_rate=0.2)
    tile = next(tile for tile in page.gallery.tiles if tile.card.name == "byol")
    QTest.mouseClick(tile, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: draft_of(page).method.name == "byol")
    draft = draft_of(page)
    assert (draft.train.learning_rate, draft.views[0].count, draft.name) == (0.2, 1, "byol on pets")
    assert page.session.undo.count() == 1
    assert tile.property("chosen") is True
    assert page.method_form.title == "BYOL"
    page.session.undo.undo()
    assert draft_of(page) == before
    assert page.method_form.title == "SimCLR"


def test_what_the_user_changed_stays_when_another_method_is_chosen(qtbot: QtBot, page: MethodPage, client: Any) -> None:
    draft = draft_of(page)
    page.session.edit(replace(draft, train=replace(draft.train, epochs=77), views=(ViewSpec(name="mine"),)), "mine")
    client.replies[m.Suggest] = answer_with("byol", learning_rate=0.2)
    page.choose("byol")
    qtbot.waitUntil(lambda: draft_of(page).method.name == "byol")
    assert draft_of(page).train.epochs == 77
    assert draft_of(page).train.learning_rate == 0.2
    assert draft_of(page).views[0].name == "mine"


def test_a_draft_from_elsewhere_is_compared_with_a_fresh_suggestion(
    qtbot: QtBot, page: MethodPage, client: Any
) -> None:
    draft = replace(draft_of(page), train=replace(draft_of(page).train, epochs=77))
    page.session.set_draft(draft)
    page._usual.clear()
    client.replies[m.Suggest] = answer_with("byol", learning_rate=0.2)
    page.choose("byol")
    qtbot.waitUntil(lambda: draft_of(page).method.name == "byol")
    assert [request.method for request in client.asked if isinstance(request, m.Suggest)] == ["simclr", "byol"]
    assert draft_of(page).train.epochs == 77


def test_the_second_beta_is_in_the_recipe_and_comes_with_the_method(
    qtbot: QtBot, session: Session, engine: Engine
) -> None:
    byol = replace(fake_catalog().method("byol"), recipe=Recipe(optimizer="adamw", beta2=0.95))
    others = tuple(one for one in fake_catalog().methods if one.name != "byol")
    session.set_catalog(replace(fake_catalog(), methods=(byol, *others)))
    session.set_draft(fake_experiment("elsewhere"))
    page = MethodPage(session, engine)
    qtbot.addWidget(page)
    page.show()
    page.entered()
    page.choose("byol")
    assert (draft_of(page).train.optimizer, draft_of(page).train.beta2) == ("adamw", 0.95)
    assert page.recipe.form.values()["train.beta2"] == 0.95
    page.recipe.form.field("train.beta2").edited.emit(0.9)
    assert draft_of(page).train.beta2 == 0.9


@pytest.mark.parametrize(
    ("optimizer", "shown", "hidden"),
    [("sgd", "train.momentum", "train.beta2"), ("lars", "train.momentum", "train.beta2"),
     ("adamw", "train.beta2", "train.momentum")],
)  # fmt: skip
def test_what_does_nothing_with_an_optimizer_has_no_row(
    page: MethodPage, optimizer: str, shown: str, hidden: str
) -> None:
    field = page.recipe.form.field("train.optimizer")
    assert isinstance(field, ChoiceField)
    field.combo.set_value(optimizer)
    field.edited.emit(optimizer)
    assert not page.recipe.form.field(shown).isHidden()
    assert page.recipe.form.field(hidden).isHidden()
    assert page.recipe.form.fold is not None
    rows = [name for name in page.recipe.form.names if page.recipe.form.field(name).parent() is not page.recipe.form]
    assert f"Advanced ({len(rows) - 1})" in page.recipe.form.fold.button.text()


def test_a_suggestion_that_fails_leaves_the_draft(qtbot: QtBot, page: MethodPage, client: Any) -> None:
    client.replies[m.Suggest] = lambda _request: Failed(id=1, reason="cancelled")
    page.choose("byol")
    qtbot.waitUntil(lambda: page._pending == "")
    assert draft_of(page).method.name == "simclr"
    assert [tile.card.name for tile in page.gallery.tiles if tile.property("chosen")] == ["simclr"]


def test_the_arrow_keys_move_between_cards_and_enter_chooses(qtbot: QtBot, page: MethodPage, client: Any) -> None:
    client.replies[m.Suggest] = answer_with("")
    first, second = page.gallery.tiles[0], page.gallery.tiles[1]
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Right)
    assert second.hasFocus()
    QTest.keyClick(second, Qt.Key.Key_Left)
    assert first.hasFocus()
    QTest.keyClick(second, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: draft_of(page).method.name == second.card.name)


def test_parameters_of_the_method_and_the_recipe_edit_the_draft(qtbot: QtBot, page: MethodPage) -> None:
    assert page.method_form.form
    temperature = page.method_form.form.field("temperature")
    assert isinstance(temperature, NumberField)
    QTest.keyClick(temperature.control.slider, Qt.Key.Key_Right)
    assert draft_of(page).method.params["temperature"] > 0.5
    epochs = page.recipe.form.field("train.epochs")
    assert isinstance(epochs, NumberField)
    epochs.control.edit.selectAll()
    QTest.keyClicks(epochs.control.edit, "12")
    QTest.keyClick(epochs.control.edit, Qt.Key.Key_Return)
    assert draft_of(page).train.epochs == 12
    probe = page.recipe.watch.field("watch.probe_every")
    probe.edited.emit(3)
    assert draft_of(page).watch.probe_every == 3
    page.recipe.watch.field("name").edited.emit("pets again")
    assert draft_of(page).name == "pets again"
    QTest.mouseClick(page.method_form.reset_button, Qt.MouseButton.LeftButton)
    assert draft_of(page).method.params == {}
    for _ in range(5):
        page.session.undo.undo()
    assert draft_of(page).train.epochs == 4


def test_a_method_that_needs_another_backbone_gets_one_and_the_next_has_the_old_one_again(
    qtbot: QtBot, page: MethodPage, client: Any
) -> None:
    catalog = page.session.catalog
    masked = replace(catalog.methods[0], name="mae", title="MAE", family="masked", needs=("tokens",))
    patches = replace(catalog.backbones[0], name="vit_nano", provides=("features", "tokens"))
    page.session.set_catalog(
        replace(catalog, methods=(*catalog.methods, masked), backbones=(*catalog.backbones, patches))
    )
    old = draft_of(page).backbone.name

    def reply(request: m.Suggest) -> tuple[m.AnyReply, m.Arrays]:
        made, arrays = answer_with("")(request)
        chosen = request.backbone or ("vit_nano" if request.method == "mae" else "resnet18")
        experiment = replace(made.experiment, backbone=replace(made.experiment.backbone, name=chosen))
        return replace(made, experiment=experiment), arrays

    client.replies[m.Suggest] = reply
    for method, asked, backbone in (("mae", "", "vit_nano"), ("byol", old, old)):
        page.choose(method)
        qtbot.waitUntil(partial(has_method, page, method))
        assert client.last(m.Suggest).backbone == asked
        assert draft_of(page).backbone.name == backbone
    page.choose("mae")
    qtbot.waitUntil(lambda: draft_of(page).method.name == "mae")
    page.recipe.form.edited.emit("backbone.name", old, "")
    qtbot.waitUntil(lambda: draft_of(page).backbone.name == old)
    assert client.last(m.Suggest).backbone == old, "what the user chooses is taken, and the check says what is wrong"


def test_every_backbone_and_device_can_be_chosen(qtbot: QtBot, page: MethodPage, client: Any) -> None:
    client.replies[m.Suggest] = answer_with("")
    page.recipe.form.edited.emit("backbone.name", "tinyconv", "")
    qtbot.waitUntil(lambda: any(isinstance(request, m.Suggest) for request in client.asked))
    assert client.last(m.Suggest).backbone == "tinyconv"
    page.recipe.form.edited.emit("train.device", "cpu", "")
    assert draft_of(page).train.device == "cpu"
    assert page.recipe.form.values()["train.device"] == "cpu"


def test_the_explanation_opens_with_the_paper(qtbot: QtBot, page: MethodPage) -> None:
    assert page.method_form.about.isHidden()
    QTest.mouseClick(page.method_form.about_button, Qt.MouseButton.LeftButton)
    shown = texts(page)
    assert "SimCLR explained at length." in shown
    assert any("https://arxiv.org/abs/2002.05709" in text for text in shown)


def test_findings_are_shown_in_words_and_an_error_stops_the_start(qtbot: QtBot, page: MethodPage, client: Any) -> None:
    qtbot.waitUntil(page.start_button.isEnabled)
    assert "Ready to start." in texts(page)
    assert page.obstacle.isHidden()
    found = (
        Finding(level="error", message="A batch of 1: batch norm needs two.", field="train.batch_size"),
        Finding(level="warning", message="Few images."),
    )
    client.replies[m.Check] = lambda _request: (m.CheckReply(findings=found), {})
    page.session.edit(replace(draft_of(page), seed=5), "seed")
    qtbot.waitUntil(lambda: not page.start_button.isEnabled())
    assert page.start_button.toolTip() == "A batch of 1: batch norm needs two."
    assert page.obstacle.isVisible()
    assert page.obstacle.text == "A batch of 1: batch norm needs two."
    qtbot.waitUntil(lambda: {"A batch of 1: batch norm needs two.", "Few images."} <= set(texts(page)))
    assert "Ready to start." not in texts(page)
    client.replies[m.Check] = lambda _request: Failed(id=1, reason="error", message="The engine ended.")
    page.session.edit(replace(draft_of(page), seed=6), "seed")
    qtbot.waitUntil(lambda: page.start_button.toolTip() == "The engine ended.")


def test_many_edits_are_checked_once(qtbot: QtBot, page: MethodPage, client: Any) -> None:
    qtbot.waitUntil(page.start_button.isEnabled)
    before = sum(isinstance(request, m.Check) for request in client.asked)
    for seed in range(10, 20):
        page.session.edit(replace(draft_of(page), seed=seed), "seed", merge="seed")
    qtbot.waitUntil(lambda: client.last(m.Check).experiment.seed == 19)
    assert sum(isinstance(request, m.Check) for request in client.asked) == before + 1


def test_a_measurement_is_shown_and_grows_stale(qtbot: QtBot, page: MethodPage) -> None:
    QTest.mouseClick(page.measure.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.measure.table.isVisible)
    rows = {name: value for name, value, _ in page.measure.table.rows}
    assert rows["time for 4 epochs"] == "8 s"
    assert rows["throughput"] == "100 images/s"
    assert rows["limit"].startswith("the network")
    page.session.edit(replace(draft_of(page), train=replace(draft_of(page).train, epochs=9)), "epochs")
    assert "before your last changes" in texts(page)


def test_a_measurement_can_be_cancelled(qtbot: QtBot, page: MethodPage, client: Any) -> None:
    client.hold.add(m.Measure)
    page.measure.button.click()
    assert page.measure.button.text() == "Cancel"
    page.measure.button.click()
    qtbot.waitUntil(lambda: page.measure.button.text() == "Measure again")
    assert client.cancelled
    assert not page.measure.table.isVisible()


def test_start_makes_a_run_and_goes_to_train(qtbot: QtBot, page: MethodPage, monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[RunFolder] = []
    monkeypatch.setattr("workbench.gui.session.launch_trainer", launched.append)
    qtbot.waitUntil(page.start_button.isEnabled)
    with qtbot.waitSignal(page.session.page_wanted) as wanted:
        page.start_button.click()
    assert wanted.args == ["train"]
    assert page.session.run is launched[0]


def test_a_run_that_cannot_be_made_is_told_in_words(
    qtbot: QtBot, page: MethodPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    def refuse(_experiment: Experiment) -> RunFolder:
        raise RunError("The runs folder cannot be written.")

    monkeypatch.setattr(page.session, "start", refuse)
    monkeypatch.setattr(
        "workbench.gui.pages.method.page.show_failure", lambda _parent, problem: told.append(str(problem))
    )
    qtbot.waitUntil(page.start_button.isEnabled)
    page.start_button.click()
    assert told == ["The runs folder cannot be written."]


def card(name: str, family: Any, tags: tuple[str, ...] = (), *, first: bool = False) -> MethodCard:
    return MethodCard(
        name=name, title=name, family=family, paper="", year=0, summary="", explanation="", when="", collapse="",
        tags=tags, first_choice=first,
    )  # fmt: skip


CARDS = (
    card("a", "contrastive", ("needs large batches",), first=True),
    card("b", "distillation", ("small batches",), first=True),
    card("c", "baseline"),
    card("d", "puzzle", ("small batches",)),
)


def test_first_choices_come_first_and_those_for_small_batches_without_a_gpu() -> None:
    first, reason = recommended(CARDS, 100_000, (Device(name="cpu", title="", memory=0),))
    assert [one.name for one in first] == ["b", "a"]
    assert "no GPU" in reason
    first, _ = recommended(CARDS, 100_000, (Device(name="cuda:0", title="", memory=0),))
    assert [one.name for one in first] == ["a", "b"]
    shown = sections(CARDS, 100, ())
    names = [one.name for section in shown for one in section.cards]
    assert sorted(names) == ["a", "b", "c", "d"]
    assert [section.title for section in shown] == ["Recommended for your data", "Puzzles", "Baselines"]


def test_a_method_is_found_by_any_of_its_words() -> None:
    def found(typed: str) -> list[tuple[str, list[str]]]:
        shown = sections(CARDS, 100, (), typed)
        return [(section.title, [one.name for one in section.cards]) for section in shown]

    assert found("small BATCHES") == [("Self-distillation", ["b"]), ("Puzzles", ["d"])]
    assert found("puzzle small") == [("Puzzles", ["d"])]
    assert found("nothing of the kind") == []


def shown(page: MethodPage) -> list[str]:
    return [tile.card.name for tile in page.gallery.tiles]


def test_the_chosen_card_is_in_sight(page: MethodPage, qtbot: QtBot) -> None:
    page.resize(700, 320)
    bar = page.gallery.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)

    def in_sight() -> bool:
        tile = next(tile for tile in page.gallery.tiles if tile.card.name == "supervised")
        top = tile.mapTo(page.gallery.viewport(), QPoint(0, 0)).y()
        return 0 <= top <= page.gallery.viewport().height() - tile.height()

    assert not in_sight()
    draft = draft_of(page)
    page.session.edit(replace(draft, method=replace(draft.method, name="supervised")), "method")
    qtbot.waitUntil(in_sight)
    bar.setValue(0)
    page.left()
    page.entered()
    qtbot.waitUntil(in_sight)


def test_the_search_narrows_the_cards_and_enter_goes_to_the_first(page: MethodPage, qtbot: QtBot) -> None:
    everything = shown(page)
    QTest.keyClicks(page.search, "distillation")
    assert shown(page) == ["byol"]
    qtbot.waitUntil(lambda: page.gallery.tiles[0].isVisible())
    QTest.keyClick(page.search, Qt.Key.Key_Return)
    assert page.focusWidget() is page.gallery.tiles[0]
    page.search.setText("xyz")
    qtbot.waitUntil(lambda: "No method fits “xyz”." in texts(page))
    assert shown(page) == []
    page.search.clear()
    assert shown(page) == everything


def test_a_suggestion_without_a_reference_changes_no_views(opened: Session) -> None:
    draft = opened.draft
    assert draft
    after = replace(draft, views=(ViewSpec(name="new"),), method=MethodSpec(name="byol"))
    assert with_suggestion(draft, None, after).views == draft.views
    assert with_suggestion(draft, draft, after).views == after.views


def test_papers_link_only_where_the_address_is_known() -> None:
    assert 'href="https://arxiv.org/abs/2002.05709"' in paper_link(
        replace(card("a", "puzzle"), paper="arXiv:2002.05709")
    )
    assert "href" not in paper_link(replace(card("a", "puzzle"), paper="<b>none</b>"))
    assert "<b>" not in paper_link(replace(card("a", "puzzle"), paper="<b>none</b>"))


def test_weights_of_a_finished_run_with_the_same_backbone_can_be_chosen(
    qtbot: QtBot, page: MethodPage, make_run: Callable[..., RunFolder]
) -> None:
    session, field = page.session, page.recipe.form.field("backbone.weights")
    assert isinstance(field, ChoiceField)
    backbone = draft_of(page).backbone.name
    done = make_run(session.runs_folder, name="the first")
    make_run(session.runs_folder, name="half", finished=False)
    session.run_list.refresh()
    qtbot.waitUntil(lambda: len(session.run_list.rows) == 2)
    own = {row.name: row.backbone for row in session.run_list.rows}[done.name]

    def offered() -> dict[str, str]:
        return {str(field.combo.itemData(row)): field.combo.itemText(row) for row in range(field.combo.count())}

    if own != backbone:
        assert list(offered()) == ["none", "pretrained"]
        draft = draft_of(page)
        session.edit(replace(draft, backbone=replace(draft.backbone, name=own)), "backbone")
    assert list(offered()) == ["none", "pretrained", str(done.path)]
    assert offered()[str(done.path)].startswith(f"run {done.name} · kNN ")
    field.combo.setCurrentIndex(2)
    field.combo.activated.emit(2)
    assert draft_of(page).backbone.weights == str(done.path)
    session.undo.undo()
    assert draft_of(page).backbone.weights == "none"


def test_weights_that_are_not_in_the_list_are_shown_by_name(page: MethodPage) -> None:
    draft = draft_of(page)
    spec = replace(draft.backbone, weights="/elsewhere/runs/an-old-one")
    assert weights_of_runs([], spec) == [("/elsewhere/runs/an-old-one", "run an-old-one")]
    page.session.edit(replace(draft, backbone=spec), "weights")
    field = page.recipe.form.field("backbone.weights")
    assert isinstance(field, ChoiceField)
    assert (field.value(), field.combo.currentText()) == ("/elsewhere/runs/an-old-one", "run an-old-one")


def test_another_method_keeps_the_run_to_start_from(page: MethodPage) -> None:
    draft = draft_of(page)
    mine = replace(draft, backbone=replace(draft.backbone, weights="/runs/one"))
    after = replace(draft, method=MethodSpec(name="byol"))
    assert with_suggestion(mine, draft, after).backbone.weights == "/runs/one"
    other = replace(after, backbone=replace(after.backbone, name="another"))
    assert with_suggestion(mine, draft, other).backbone.weights == "none"
