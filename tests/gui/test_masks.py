"""Evaluate > Inside: comparing with masks, from the choice of a folder to what is said of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from workbench.engine.messages import CompareMasks, CompareMasksReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.pages.evaluate import masks
from workbench.gui.pages.evaluate.masks import MaskCard
from workbench.gui.session import Session
from workbench.runs.folder import RunFolder
from workbench.runs.masks import MaskComparison, MaskScore, save_comparison


def comparison(folder: str) -> MaskComparison:
    scores = (
        MaskScore(subject="trained", images=12, jaccard=0.5, low=0.45, high=0.55),
        MaskScore(subject="untrained", images=12, jaccard=0.3, low=0.25, high=0.35),
        MaskScore(subject="box in the middle", images=12, jaccard=0.5, low=0.4, high=0.6),
    )
    return MaskComparison(folder=folder, epoch=4, by="saliency", scores=scores, time=1.0)


@pytest.fixture
def card(qtbot: QtBot, session: Session, engine: Engine, client: Any, finished_run: RunFolder) -> MaskCard:
    client.replies[CompareMasks] = lambda request: (CompareMasksReply(comparison=comparison(request.folder)), {})
    made = MaskCard(session, engine)
    qtbot.addWidget(made)
    made.resize(336, 400)
    made.show()
    made.set_run(finished_run)
    return made


@pytest.fixture
def dialog(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Where the dialog began each time; it answers with a folder 'outlines'."""
    begun: list[str] = []

    def choose(_parent: object, _title: str, start: str) -> str:
        begun.append(start)
        return str(tmp_path / "outlines")

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", choose)
    return begun


def test_a_folder_is_compared_with_and_the_scores_are_shown(
    qtbot: QtBot, card: MaskCard, client: Any, finished_run: RunFolder, tmp_path: Path, dialog: list[str]
) -> None:
    assert not card.bars.isVisible()
    card.choose.click()
    asked = client.last(CompareMasks)
    assert (asked.run, asked.folder) == (str(finished_run.path), str(tmp_path / "outlines"))
    qtbot.waitUntil(card.bars.isVisible)
    assert not card.busy
    said = card.bars.accessibleDescription()
    assert "trained: 50.0 %, from 45.0 to 55.0 %" in said
    assert "untrained: 30.0 %" in said
    assert "box: 50.0 %" in said
    assert card.words.text().startswith("Better than the untrained encoder, not than a box in the middle")
    card.grab()


def test_the_folder_is_remembered_with_the_run_and_with_its_images(
    qtbot: QtBot,
    card: MaskCard,
    finished_run: RunFolder,
    make_run: Callable[..., RunFolder],
    tmp_path: Path,
    dialog: list[str],
) -> None:
    card.choose.click()
    qtbot.waitUntil(lambda: not card.busy)
    card.set_run(make_run(tmp_path / "runs", name="another on the same images"))
    assert not card.bars.isVisible()
    card.choose.click()
    qtbot.waitUntil(lambda: not card.busy)
    save_comparison(finished_run, comparison("/by/the/command"))
    card.set_run(finished_run)
    assert card.bars.isVisible()
    card.choose.click()
    images = Path(finished_run.experiment().data.folder)
    assert dialog == [str(images.parent), str(tmp_path / "outlines"), "/by/the/command"]


def test_nothing_chosen_asks_nothing(card: MaskCard, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_told: "")
    card.choose.click()
    assert not [request for request in client.asked if isinstance(request, CompareMasks)]


def test_it_can_be_cancelled_and_a_failure_is_said(
    qtbot: QtBot, card: MaskCard, client: Any, dialog: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.hold.add(CompareMasks)
    card.choose.click()
    assert card.busy
    assert card.work.isVisible()
    assert not card.choose.isEnabled()
    card.work.cancel.click()
    qtbot.waitUntil(lambda: not card.busy)
    assert not card.work.isVisible()
    client.hold.clear()
    said: list[str] = []
    monkeypatch.setattr(masks, "show_failure", lambda _parent, failure: said.append(failure.message))
    client.replies[CompareMasks] = lambda _: Failed(id=0, reason="error", message="None of the test images has a mask.")
    card.choose.click()
    qtbot.waitUntil(lambda: bool(said))
    assert card.choose.isEnabled()


def test_another_run_gets_no_scores_of_the_one_before(
    qtbot: QtBot, card: MaskCard, client: Any, make_run: Callable[..., RunFolder], tmp_path: Path, dialog: list[str]
) -> None:
    client.hold.add(CompareMasks)
    card.choose.click()
    card.set_run(make_run(tmp_path / "runs", name="other"))
    card.choose.click()
    qtbot.waitUntil(lambda: len(client.cancelled) == 1)
    assert card.busy
    client.release()
    qtbot.waitUntil(card.bars.isVisible)
