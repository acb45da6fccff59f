"""Evaluate's second way of looking: the audit is asked for, shown, and compared."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.engine.messages import AuditReply, RunAudit
from workbench.engine.protocol import Failed
from workbench.gui.pages.evaluate import EvaluatePage
from workbench.gui.pages.evaluate.invariance import heat_rows
from workbench.gui.session import Session
from workbench.gui.widgets.heat_map import HeatMap, HeatRow
from workbench.runs.audit import Audit, FactorResult, LadderResult, Rung, save_audit
from workbench.runs.folder import RunFolder


def ladder(key: str, *cosines: float) -> LadderResult:
    rungs = tuple(Rung(label=f"step {n}", cosine=c, low=c - 0.1, high=c + 0.1, raw=c) for n, c in enumerate(cosines))
    return LadderResult(key=key, title=key.capitalize(), group="color", rungs=rungs)


def audit(subject: Any = "trained", *, hue: float = 0.95, color: float = 0.3) -> Audit:
    factor = FactorResult(
        column="color", classes=6, test_images=100, accuracy=color, low=color - 0.05, high=color + 0.05, guessing=0.2
    )
    return Audit(
        subject=subject, epoch=3, images=50, image_size=32, between=0.4,
        ladders=(ladder("rotation", 0.6, 0.4, 0.3, 0.2), ladder("hue", 0.99, 0.98, 0.97, hue), ladder("flip", 0.5)),
        factors=(factor,), encoder_hash="a" * 64, frozen=True, time=1.0,
    )  # fmt: skip


@pytest.fixture
def page(
    show_page: Callable[[type[EvaluatePage]], EvaluatePage], session: Session, finished_run: RunFolder, qtbot: QtBot
) -> EvaluatePage:
    """On a finished run, with the audit chosen."""
    shown = show_page(EvaluatePage)
    session.set_run(finished_run)
    qtbot.waitUntil(lambda: len(shown.evaluations) == 1)
    shown.modes.button("invariance").click()
    return shown


def test_nothing_yet_says_what_to_do(page: EvaluatePage) -> None:
    view = page.invariance
    assert page.start.text() == "Audit"
    assert view._stack.currentIndex() == 1
    assert "has not been audited yet" in view._empty.title
    assert not page.start.isVisible(), "one button is enough"
    assert view._empty.button.isVisible()
    page.modes.button("probes").click()
    assert page.start.text() == "Evaluate"


def test_nothing_is_compared_with_itself(page: EvaluatePage) -> None:
    view = page.invariance

    def offered() -> list[str]:
        return [view.other.itemText(number) for number in range(view.other.count())]

    assert "this run, trained" not in offered()
    view.other.set_value("untrained")
    view.subject.set_value("untrained")
    view.subject.chosen.emit("untrained")
    assert view.other.value() == ""
    assert "this run, trained" in offered()
    assert not any("untrained" in title for title in offered())


def test_the_button_asks_and_the_answer_is_shown(
    page: EvaluatePage, client: Any, finished_run: RunFolder, qtbot: QtBot
) -> None:
    client.hold.add(RunAudit)
    client.replies[RunAudit] = lambda asked: (AuditReply(audit=audit(asked.subject)), {})
    page.start.click()
    asked = client.last(RunAudit)
    assert (asked.run, asked.subject) == (str(finished_run.path), "trained")
    assert page.state == "running"
    assert not page.start.isEnabled()
    client.release()
    qtbot.waitUntil(lambda: bool(page.invariance.heat.rows))
    assert [row.title for row in page.invariance.heat.rows] == ["Hue", "Flip", "Rotation"]
    assert "Blind to hue (0.95)" in page.invariance.verdict.text
    assert page.start.isVisible()
    assert page.start.isEnabled()
    page.invariance.order.setCurrentIndex(page.invariance.order.findData("kind"))
    page.invariance.order.chosen.emit("kind")
    assert [row.title for row in page.invariance.heat.rows] == ["Flip", "Hue", "Rotation"]
    page.grab()


def test_a_comparison_asks_for_both(page: EvaluatePage, client: Any, finished_run: RunFolder, qtbot: QtBot) -> None:
    save_audit(finished_run, audit())
    page.invariance.set_run(finished_run)
    page.invariance.other.set_value("untrained")
    page.invariance.other.chosen.emit("untrained")
    assert "Nothing to compare with yet" in page.invariance.verdict.title
    answers = {"trained": audit(), "untrained": audit("untrained", hue=0.2, color=0.9)}
    client.replies[RunAudit] = lambda asked: (AuditReply(audit=answers[asked.subject]), {})
    page.start.click()
    qtbot.waitUntil(lambda: client.last(RunAudit).subject == "untrained")
    qtbot.waitUntil(lambda: len(page.invariance.heat.rows) == 3 and len(page.invariance.heat.rows[0].answers) == 2)
    assert page.invariance.heat.rows[0].title == "Hue", "the most different first"
    assert "Trained sees less than untrained of hue (0.95 against 0.20)" in page.invariance.verdict.text
    page.grab()


def test_a_failure_ends_the_work(
    page: EvaluatePage, client: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    monkeypatch.setattr(
        "workbench.gui.pages.evaluate.invariance.show_failure", lambda _parent, failure: said.append(failure.message)
    )
    client.replies[RunAudit] = lambda _: Failed(id=0, reason="error", message="The hub cannot be reached.")
    page.start.click()
    qtbot.waitUntil(lambda: bool(said))
    assert not page.invariance.busy
    assert page.start.isEnabled()


def test_cells_are_found_and_told(qtbot: QtBot) -> None:
    heat = HeatMap()
    qtbot.addWidget(heat)
    heat.resize(600, 200)
    first, second = audit(), audit("untrained", hue=0.1)
    heat.set_rows(heat_rows([first, second], "apart"), ("one", "two"))
    heat.grab()
    said: list[str] = []
    heat.told.connect(said.append)
    assert heat.cell_at(heat._cell(0, 1, 3).center()) == (0, 1, 3)
    assert heat.cell_at(QPointF(2, 2)) is None
    assert heat.words(0, 1, 3) == "two: Hue, step 3: 0.10 on average, from 0.00 to 0.20 for 80 % of the images"
    heat.setFocus()
    QTest.keyClick(heat, Qt.Key.Key_Down)
    QTest.keyClick(heat, Qt.Key.Key_Right)
    assert said[-1].startswith("one: Hue, step 1")
    color = heat.grab().toImage().pixelColor(heat._cell(0, 0, 0).topLeft().toPoint() + heat.rect().topLeft())
    pale = heat.grab().toImage().pixelColor(heat._cell(0, 1, 3).topLeft().toPoint())
    assert color != pale
    heat.set_rows([HeatRow(title="x", answers=(None,))], ("one",))
    heat.grab()
