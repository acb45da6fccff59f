"""The main job through the real window, engine and trainer: from a folder of images to a verified encoder, and back."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from workbench.data.sample import paint_sample
from workbench.gui.app import application, open_window
from workbench.gui.pages.evaluate.page import EvaluatePage
from workbench.gui.pages.explore.page import ExplorePage
from workbench.gui.pages.export.page import ExportPage
from workbench.gui.pages.method.page import MethodPage
from workbench.gui.shots import settle
from workbench.gui.window import MainWindow
from workbench.runs import control
from workbench.runs.results import load_evaluations
from workbench.runs.state import status
from workbench.spec.experiment import OpSpec

PATIENCE_MS = 240_000


@pytest.fixture
def images(tmp_path: Path) -> Path:
    paint_sample(tmp_path / "leaves", count=120, size=32)
    return tmp_path / "leaves"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CACHE", "SETTINGS", "RUNS"):
        monkeypatch.setenv(f"WORKBENCH_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


@pytest.fixture
def open_one(places: Path, qtbot: QtBot) -> Iterator[Callable[[], MainWindow]]:
    application()
    opened: list[MainWindow] = []

    def open_it() -> MainWindow:
        window = open_window()
        window.resize(1280, 800)
        window.show()
        window.begin()
        opened.append(window)
        return window

    yield open_it
    for window in opened:
        if window.session.run:
            control.ask(window.session.run, "stop")
        window.close()
        window.deleteLater()


@pytest.mark.slow
def test_from_a_folder_to_a_verified_encoder_and_back(
    qtbot: QtBot, images: Path, open_one: Callable[[], MainWindow]
) -> None:
    window = open_one()
    session = window.session

    # Open a folder: the engine scans it and suggests an experiment.
    window.open_path(images)
    qtbot.waitUntil(lambda: session.draft is not None and bool(session.catalog.methods), timeout=PATIENCE_MS)
    assert session.scan is not None
    assert session.scan.count == 120

    # Edit the chain, and take the edit back and forth.
    window.show_page("views")
    settle(window)
    draft = session.draft
    assert draft is not None
    view = draft.views[0]
    chain = (*view.chain, OpSpec(op="solarize", params={"p": 0.2}))
    session.edit(
        msgspec.structs.replace(draft, views=(msgspec.structs.replace(view, chain=chain), *draft.views[1:])), "Add"
    )
    session.undo.undo()
    assert session.draft == draft
    session.undo.redo()
    settle(window)

    # Choose a method; make it a small run.
    method = window.show_page("method")
    assert isinstance(method, MethodPage)
    method.choose("simclr", "tinyconv")
    settle(window)
    draft = session.draft
    assert draft is not None
    assert draft.backbone.name == "tinyconv"
    assert draft.views[0].chain[-1].op == "solarize"
    replace = msgspec.structs.replace
    small = replace(
        draft,
        data=replace(draft.data, labels="csv", column="color", size=32),
        views=tuple(replace(view, size=32) for view in draft.views),
        train=replace(draft.train, epochs=3, batch_size=32, max_minutes=0.0, warmup=0.0, device="cpu"),
        watch=replace(draft.watch, probe_every=1, snapshot_every=1, checkpoint_every=1, images=100),
    )
    session.edit(small, "Small")
    settle(window)

    # Start: a process of its own trains, and the window follows it.
    qtbot.waitUntil(method.start_button.isEnabled, timeout=PATIENCE_MS)
    method.start_button.click()
    run = session.run
    assert run is not None
    sign = control.heartbeat(run)
    assert sign is not None
    assert sign.pid != os.getpid()
    qtbot.waitUntil(lambda: bool(session.watcher.state and session.watcher.state.snapshots), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: session.watcher.status == "finished", timeout=PATIENCE_MS)
    name, state = status(run)
    assert name == "finished"
    assert state.best("knn") is not None

    # Explore, probe, export.
    explore = window.show_page("explore")
    assert isinstance(explore, ExplorePage)
    qtbot.waitUntil(lambda: explore.scene is not None, timeout=PATIENCE_MS)
    evaluate = window.show_page("evaluate")
    assert isinstance(evaluate, EvaluatePage)
    settle(window)
    evaluate.start.click()
    qtbot.waitUntil(lambda: bool(evaluate.evaluations), timeout=PATIENCE_MS)
    evaluation = load_evaluations(run)[0]
    assert evaluation.frozen
    assert {result.subject for result in evaluation.results} == {"encoder", "untrained", "pixels"}
    export = window.show_page("export")
    assert isinstance(export, ExportPage)
    settle(window)
    assert "safetensors" in export.chosen()
    export.start.click()
    qtbot.waitUntil(lambda: (run.exports / "encoder.safetensors").exists(), timeout=PATIENCE_MS)
    settle(window)
    assert export.records.records
    assert all(record.verified for record in export.records.records)

    # Reopen: a new window shows the run that was shown last.
    window.close()
    again = open_one()
    qtbot.waitUntil(lambda: again.session.run is not None, timeout=PATIENCE_MS)
    assert again.session.run is not None
    assert again.session.run.path == run.path


@pytest.mark.slow
def test_a_run_outlives_the_window_and_a_killed_trainer_is_interrupted(
    qtbot: QtBot, images: Path, open_one: Callable[[], MainWindow]
) -> None:
    import psutil

    window = open_one()
    window.open_path(images)
    qtbot.waitUntil(lambda: window.session.draft is not None, timeout=PATIENCE_MS)
    draft = window.session.draft
    assert draft is not None
    replace = msgspec.structs.replace
    run = window.session.start(
        replace(
            draft,
            backbone=replace(draft.backbone, name="tinyconv"),
            train=replace(draft.train, epochs=100_000, batch_size=32, max_minutes=0.0, device="cpu"),
            watch=replace(draft.watch, images=50, checkpoint_every=1, probe_every=0, snapshot_every=0),
        )
    )
    qtbot.waitUntil(lambda: status(run)[1].checkpoint is not None, timeout=PATIENCE_MS)
    window.close()
    assert control.is_alive(run)

    again = open_one()
    qtbot.waitUntil(lambda: again.session.watcher.status == "training", timeout=PATIENCE_MS)
    sign = control.heartbeat(run)
    assert sign is not None
    trainer = psutil.Process(sign.pid)
    trainer.kill()
    trainer.wait(timeout=30)
    qtbot.waitUntil(lambda: again.session.watcher.status == "interrupted", timeout=PATIENCE_MS)
