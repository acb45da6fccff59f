"""The Evaluate page: what is asked, what is shown, and what it says of it."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from workbench.engine.messages import Evaluate
from workbench.engine.protocol import Failed
from workbench.gui.pages.evaluate import EvaluatePage, figures
from workbench.gui.pages.evaluate import page as evaluate_page
from workbench.gui.session import Session
from workbench.gui.widgets.matrix import ConfusionMatrix
from workbench.runs.folder import RunFolder
from workbench.runs.results import Evaluation, ProbeResult, load_evaluations
from workbench.runs.split import SplitTable

Figures = tuple[float, float, float]
"""Lower end of the interval, accuracy, upper end."""


@pytest.fixture
def page(show_page: Callable[[type[EvaluatePage]], EvaluatePage]) -> EvaluatePage:
    """The page, shown."""
    return show_page(EvaluatePage)


@pytest.fixture
def ready(page: EvaluatePage, session: Session, finished_run: RunFolder, qtbot: QtBot) -> EvaluatePage:
    """The page on a run with one evaluation of its label."""
    session.set_run(finished_run)
    qtbot.waitUntil(lambda: len(page.evaluations) == 1)
    return page


def _evaluation(encoder: Figures, pixels: Figures | None = None) -> Evaluation:
    found: dict[Literal["encoder", "pixels"], Figures] = {"encoder": encoder}
    if pixels:
        found["pixels"] = pixels
    results = tuple(
        ProbeResult(
            kind="knn", subject=subject, accuracy=value, low=low, high=high, confusion=((8, 2, 0), (0, 0, 5), (0, 0, 0))
        )
        for subject, (low, value, high) in found.items()
    )  # fmt: skip
    return Evaluation(
        epoch=3, column="label", classes=("a", "b", "c"), train_images=40, test_images=15, results=results,
        encoder_hash="f" * 64, frozen=True, time=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rival", "level", "words"),
    [
        ((0.5, 0.55, 0.6), "good", "more than chance explains"),
        ((0.6, 0.65, 0.75), "watch", "may be chance"),
        ((0.85, 0.9, 0.95), "bad", "below raw pixels"),
    ],
)
def test_the_verdict_is_honest_about_overlap(rival: tuple[float, float, float], level: str, words: str) -> None:
    said = figures.verdict(_evaluation(encoder=(0.7, 0.75, 0.8), pixels=rival))
    assert said[0] == level
    assert said[1] == "75.0 % with kNN"
    assert words in said[2]


def test_precision_and_recall_of_each_class() -> None:
    evaluation = _evaluation(encoder=(0.4, 0.5, 0.6))
    rows = figures.class_rows(evaluation.results[0], evaluation.classes)
    assert [(row.precision, row.recall, row.images) for row in rows] == [(1.0, 0.8, 10), (0.0, 0.0, 5), (0.0, None, 0)]
    assert figures.chance(evaluation) == pytest.approx(10 / 15)


def test_only_columns_with_classes_can_be_probed() -> None:
    table = SplitTable(
        paths=("x", "y"), parts=("train", "test"), labels=("", ""), factors={"one": ("k", "k"), "two": ("k", "l")}
    )
    assert figures.columns(table) == ["two"]


def test_without_a_run(page: EvaluatePage, session: Session, qtbot: QtBot) -> None:
    assert page.state == "needs"
    assert not page.start.isVisible()
    with qtbot.waitSignal(session.page_wanted) as wanted:
        page._nothing.button.click()
    assert wanted.args == ["data"]  # A method is chosen for images, and there are none.


def test_a_stored_evaluation_is_shown(ready: EvaluatePage) -> None:
    assert ready.settings.column.value() == "label"
    assert ready.board.which.value() == "linear/encoder"
    assert ready.settings.proof.title == "The encoder was frozen"
    assert "75.0 %" in ready.board.verdict.title
    names = [ready.board.model.item(row, 0).text() for row in range(ready.board.model.rowCount())]
    assert names == ["cats", "dogs"]
    ready.board.table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    assert ready.board.model.item(0, 2).text() == "66.7 %"
    ready.grab()


def test_a_confusion_in_words(qtbot: QtBot) -> None:
    matrix = ConfusionMatrix()
    qtbot.addWidget(matrix)
    matrix.resize(400, 400)
    matrix.grab()
    matrix.set_counts(("cat", "dog"), ((38, 12), (0, 0)))
    matrix.grab()
    assert matrix.words(0, 1) == "12 of 50 “cat” taken for “dog” (24 %)"
    assert matrix.words(0, 0) == "38 of 50 “cat” recognized (76 %)"
    assert matrix.words(1, 1) == "0 of 0 “dog” recognized"
    center = matrix._area().center()
    side = matrix._area().width() / 2
    assert matrix.cell_at(center + type(center)(side / 2, -side / 2)) == (0, 1)
    assert matrix.cell_at(type(center)(1, 1)) is None


def test_names_above_narrow_columns_stand_upright(qtbot: QtBot) -> None:
    matrix = ConfusionMatrix()
    qtbot.addWidget(matrix)
    matrix.resize(420, 400)
    matrix.set_counts(["a", "b"], [[3, 0], [1, 2]])
    lying = matrix._area().top()
    matrix.set_counts(["automobile", "airplane"] * 5, np.eye(10, dtype=int).tolist())
    assert matrix._area().top() > lying + 20
    matrix.grab()


def test_another_column_is_evaluated(ready: EvaluatePage, client: Any, qtbot: QtBot) -> None:
    ready.settings.column.set_value("shape")
    ready.settings.column_chosen.emit("shape")
    assert ready._prompt.title == "Not evaluated yet"
    assert not ready.start.isVisible(), "one button is enough"
    ready.settings.probes["knn"].setChecked(False)
    ready.settings.probes["linear"].setChecked(False)
    assert not ready._prompt.button.isEnabled()
    ready.settings.probes["knn"].setChecked(True)
    ready.settings.neighbors.setValue(7)
    ready._prompt.button.click()
    asked = client.last(Evaluate)
    assert (asked.column, asked.probes, asked.neighbors) == ("shape", ("knn",), 7)
    qtbot.waitUntil(lambda: len(ready.evaluations) == 2)
    assert ready.board.isVisible()
    assert ready.start.isVisible()


def test_nothing_ticked_cannot_be_asked(ready: EvaluatePage) -> None:
    for box in ready.settings.probes.values():
        box.setChecked(False)
    assert not ready.start.isEnabled()


def test_cancel_and_failure(ready: EvaluatePage, client: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    client.hold.add(Evaluate)
    ready.start.click()
    assert ready.state == "running"
    assert not ready.start.isEnabled()
    ready._on_cancel()
    qtbot.waitUntil(lambda: ready.start.isEnabled())
    failures: list[Failed] = []
    monkeypatch.setattr(evaluate_page, "show_failure", lambda _parent, failure: failures.append(failure))
    client.hold.clear()
    client.replies[Evaluate] = lambda _request: Failed(id=1, reason="error", message="The checkpoint is damaged.")
    ready.start.click()
    qtbot.waitUntil(lambda: len(failures) == 1)
    assert ready.start.isEnabled()


def test_an_encoder_that_changed_is_an_alarm(ready: EvaluatePage, session: Session) -> None:
    assert session.run
    stored = load_evaluations(session.run)[0]
    ready.settings.show_evaluation(msgspec.structs.replace(stored, frozen=False))
    assert ready.settings.proof.level == "bad"


def test_a_run_without_labels(
    page: EvaluatePage, session: Session, make_run: Callable[..., RunFolder], qtbot: QtBot
) -> None:
    run = make_run(session.runs_folder)
    run.evaluation_file.unlink()
    text = run.split_file.read_text(encoding="utf-8").splitlines()
    bare = ["index,path,part,label", *(",".join([*line.split(",")[:3], ""]) for line in text[1:])]
    run.split_file.write_text("\n".join(bare) + "\n", encoding="utf-8")
    session.set_run(run)
    qtbot.waitUntil(lambda: page._nothing.button.text() == "Go to Data")
    with qtbot.waitSignal(session.page_wanted) as wanted:
        page._nothing.button.click()
    assert wanted.args == ["data"]
