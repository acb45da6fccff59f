"""The Explore page: the map of a run, its epochs, what is selected and what lies near."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from workbench.engine.messages import Project
from workbench.engine.protocol import Failed
from workbench.gui.pages.explore import ExplorePage, scene
from workbench.gui.pages.explore import page as explore_page
from workbench.gui.session import Session
from workbench.runs import control
from workbench.runs.events import EventLog, SnapshotTaken
from workbench.runs.folder import RunFolder
from workbench.runs.snapshot import Snapshot, read_snapshot, write_layout, write_snapshot
from workbench.runs.split import SplitTable
from workbench.spec.experiment import DataSpec


@pytest.fixture
def page(show_page: Callable[[type[ExplorePage]], ExplorePage]) -> ExplorePage:
    """The page, shown."""
    return show_page(ExplorePage)


@pytest.fixture
def explored(page: ExplorePage, session: Session, finished_run: RunFolder, qtbot: QtBot) -> ExplorePage:
    """The page on a finished run with snapshots of the epochs 0, 2 and 4."""
    session.set_run(finished_run)
    qtbot.waitUntil(lambda: page.scene is not None)
    return page


def _epoch(page: ExplorePage) -> int:
    return page.scene.epoch if page.scene else -1


def test_components_are_turned_onto_each_other() -> None:
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(50, 2)).astype(np.float32)
    angle = 2.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]], np.float32)
    np.testing.assert_allclose(
        scene.turned(reference @ turn + 7, reference), reference - reference.mean(axis=0), atol=1e-5
    )


def test_classes_are_those_of_the_whole_set_in_natural_order() -> None:
    table = SplitTable(
        paths=tuple("abcd"), parts=("train",) * 4, labels=("10", "9", "", "cat"), factors={"color": ("r", "g", "r", "")}
    )
    names, numbers = scene.classes_of(table, "label", np.array([3, 2, 0]))
    assert names == ("9", "10", "cat")
    assert numbers.tolist() == [2, -1, 1]
    assert scene.columns(table) == ("label", "color", "part")


def test_nearest_are_the_greatest_cosines(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(40, 8)).astype(np.float32) * rng.uniform(0.1, 9, (40, 1)).astype(np.float32)
    file = tmp_path / "epoch-0001.h5"
    write_snapshot(file, Snapshot(epoch=1, embeddings=rows, indices=np.arange(40), pca=rows[:, :2]))
    found, cosines = scene.nearest(file, 7, 5)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = [row for row in np.argsort(-(unit @ unit[7])) if row != 7][:5]
    assert found.tolist() == expected
    np.testing.assert_allclose(cosines, (unit @ unit[7])[expected], rtol=1e-4)


def test_without_a_run_and_before_the_first_snapshot(page: ExplorePage, opened: Session, qtbot: QtBot) -> None:
    assert page.state == "needs"
    with qtbot.waitSignal(opened.page_wanted) as wanted:
        page._empty.button.click()
    assert wanted.args == ["method"]
    assert opened.draft
    opened.set_run(RunFolder.create(opened.runs_folder, opened.draft))
    assert page._empty.button.text() == "Show the run"
    assert not page.projection.isVisible()


def test_the_newest_snapshot_is_shown(explored: ExplorePage) -> None:
    assert _epoch(explored) == 4
    assert explored.stage.map.count == 24
    assert explored.state == "ready"
    assert explored.legend.names == ("cats", "dogs")
    assert explored.color.value() == "label"
    explored.grab()


def test_another_epoch_and_a_new_snapshot(explored: ExplorePage, session: Session, qtbot: QtBot) -> None:
    slider = explored.stage.slider
    slider._slider.setValue(1)
    qtbot.waitUntil(lambda: _epoch(explored) == 2)
    slider._slider.setValue(2)
    qtbot.waitUntil(lambda: _epoch(explored) == 4)
    assert session.run
    old = read_snapshot(session.run.snapshot_file(4))
    new = Snapshot(epoch=6, embeddings=old.embeddings, indices=old.indices, pca=old.pca)
    write_snapshot(session.run.snapshot_file(6), new)
    with EventLog(session.run.events_file) as log:
        log.append(SnapshotTaken(epoch=6, file="snapshots/epoch-0006.h5", images=24, dim=8))
    qtbot.waitUntil(lambda: _epoch(explored) == 6)


def test_colors_by_a_factor(explored: ExplorePage) -> None:
    explored.color.set_value("shape")
    explored.color.chosen.emit("shape")
    assert explored.legend.names == ("round", "square")
    shown: list[Any] = []
    explored.legend.shown_changed.connect(shown.append)
    explored.legend.choose(frozenset({1}))
    assert shown[-1] == frozenset({1})


def test_labels_from_a_table_are_called_as_it_calls_them(explored: ExplorePage, session: Session) -> None:
    assert session.run
    table, shown = explored.table, explored.scene
    assert table
    assert shown
    assert explored.color.itemText(0) == "Color: label"
    explored.table = None
    explored._on_read((table, shown, DataSpec(folder="x", labels="csv", column="species")))
    assert explored.color.itemText(0) == "Color: species"
    assert explored._classes_card.title == "Species"


def test_a_lasso_fills_the_selection(explored: ExplorePage, tmp_path: Path) -> None:
    explored.stage.map.lassoed.emit(np.array([1, 2, 5]), False)
    assert explored.selection.rows.tolist() == [1, 2, 5]
    explored.stage.map.lassoed.emit(np.array([2, 9]), True)
    assert explored.selection.rows.tolist() == [1, 2, 5, 9]
    assert explored.selection.gallery.count == 4
    explored.selection.write_list(tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == ["cats/01.png", "cats/02.png", "cats/05.png", "cats/09.png"]
    assert rows[0]["shape"] == "round"
    explored.selection._clear.click()
    assert len(explored.selection.rows) == 0


def test_a_click_finds_neighbors_and_a_neighbor_is_a_point(explored: ExplorePage, qtbot: QtBot) -> None:
    explored.stage.map.clicked.emit(3)
    qtbot.waitUntil(lambda: len(explored.nearest.rows) == 8)
    assert 3 not in explored.nearest.rows
    other = explored.nearest.rows[0]
    explored.nearest.picked.emit(other)
    assert explored.stage.map.marked == other
    qtbot.waitUntil(lambda: other not in explored.nearest.rows)
    explored.stage.map.clicked.emit(-1)
    assert explored.nearest.rows == []


def test_a_resting_cursor_shows_the_image(explored: ExplorePage) -> None:
    explored.stage.map.hovered.emit(20)
    assert explored.stage.hover.path == "dogs/02.png"
    explored.stage.map.hovered.emit(-1)
    assert explored.stage.hover.path == ""


def _choose_umap(page: ExplorePage) -> None:
    page.projection.set_value("umap")
    page.projection.chosen.emit("umap")


def test_a_stored_umap_is_shown_first_and_none_is_computed_unasked(
    page: ExplorePage, session: Session, finished_run: RunFolder, client: Any, qtbot: QtBot
) -> None:
    positions = np.arange(48, dtype=np.float32).reshape(24, 2)
    write_layout(finished_run.layout_file(4, "umap"), positions, np.arange(24))
    session.set_run(finished_run)
    qtbot.waitUntil(lambda: page.scene is not None)
    assert page.scene
    assert (page.scene.kind, page.projection.value()) == ("umap", "umap")
    page.stage.slider.chosen.emit(2)
    qtbot.waitUntil(lambda: _epoch(page) == 2)
    assert page.projection.value() == "pca"
    assert not page._settle.isActive()
    assert not any(isinstance(request, Project) for request in client.asked)


def test_umap_is_asked_of_the_engine_and_shown(explored: ExplorePage, client: Any, qtbot: QtBot) -> None:
    _choose_umap(explored)
    qtbot.waitUntil(lambda: explored.scene is not None and explored.scene.kind == "umap")
    assert client.last(Project).epoch == 4
    assert not explored.stage._work.isVisible()


def test_umap_is_not_computed_twice(explored: ExplorePage, client: Any, session: Session, qtbot: QtBot) -> None:
    assert session.run
    positions = np.full((24, 2), 3.0, np.float32)
    write_layout(session.run.layout_file(4, "umap"), positions, np.arange(24))
    _choose_umap(explored)
    qtbot.waitUntil(lambda: explored.scene is not None and explored.scene.kind == "umap")
    assert explored.scene
    np.testing.assert_array_equal(explored.scene.positions, positions)
    assert not any(isinstance(request, Project) for request in client.asked)


def test_umap_can_be_cancelled_and_can_fail(
    explored: ExplorePage, client: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.hold.add(Project)
    _choose_umap(explored)
    qtbot.waitUntil(lambda: explored.stage._work.isVisible())
    explored.stage.cancelled.emit()
    assert len(client.cancelled) == 1
    assert explored.projection.value() == "pca"
    failures: list[Failed] = []
    monkeypatch.setattr(explore_page, "show_failure", lambda _parent, failure: failures.append(failure))
    client.hold.clear()
    client.replies[Project] = lambda _request: Failed(id=1, reason="error", message="Too few images for UMAP.")
    _choose_umap(explored)
    qtbot.waitUntil(lambda: len(failures) == 1)
    assert explored.scene
    assert explored.scene.kind == "pca"
    assert explored.projection.value() == "pca"


def test_a_damaged_snapshot_is_told(
    page: ExplorePage, session: Session, finished_run: RunFolder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_run.snapshot_file(4).write_bytes(b"torn")
    told: list[str] = []
    monkeypatch.setattr(explore_page, "show_failure", lambda _parent, error: told.append(str(error)))
    session.set_run(finished_run)
    qtbot.waitUntil(lambda: len(told) == 1)
    assert "damaged" in told[0]


def test_a_running_run_without_a_snapshot(
    page: ExplorePage, opened: Session, make_run: Callable[..., RunFolder]
) -> None:
    assert opened.draft
    run = RunFolder.create(opened.runs_folder, opened.draft)
    control.beat(run)
    from workbench.runs.events import Phase

    with EventLog(run.events_file) as log:
        log.append(Phase(phase="training"))
    opened.set_run(run)
    assert page._empty.button.text() == "Watch the training"
