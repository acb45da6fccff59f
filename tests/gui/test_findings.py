"""Measured findings on the Views page: asked when edits pause, shown for these views only, mended in one step."""

from typing import Any

import pytest
from msgspec.structs import replace
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from workbench.engine.messages import MeasureViews, ViewFactsReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.pages.views.findings import Findings
from workbench.gui.session import Session
from workbench.gui.widgets.overlap_bars import OverlapBars
from workbench.spec.viewfacts import FactorReading, ViewFacts, ViewFinding


def facts(request: MeasureViews) -> ViewFacts:
    smaller = (replace(request.views[0], count=1), *request.views[1:])
    return ViewFacts(
        images=len(request.paths), overlap=(0.3, *(0.7 / 19,) * 19), overlap_median=0.4, apart=0.31, by_pixels=0.5,
        by_colors=0.9, chance=0.01, identical=0.0, clipped=0.02,
        factors=(FactorReading(column="color", originals=0.9, views=0.4, guessing=0.2),),
        findings=(
            ViewFinding(level="note", title="“color” is taken away.", text="…", place=0),
            ViewFinding(title="Crops rarely meet.", text="In 31 % of pairs …", place=0, fix="Raise it", views=smaller),
        ),
    )  # fmt: skip


@pytest.fixture
def findings(qtbot: QtBot, opened: Session, engine: Engine, client: Any) -> Findings:
    client.replies[MeasureViews] = lambda request: (ViewFactsReply(facts=facts(request)), {})
    shown = Findings(opened, engine)
    shown._pause.setInterval(5)
    qtbot.addWidget(shown)
    shown.resize(336, 600)
    shown.show()
    return shown


def test_nothing_is_asked_while_nobody_looks(findings: Findings, client: Any, qtbot: QtBot) -> None:
    qtbot.wait(30)
    assert not [asked for asked in client.asked if isinstance(asked, MeasureViews)]
    findings.set_active(True)
    qtbot.waitUntil(lambda: findings.facts is not None)
    assert [banner.title for banner in findings.banners] == ["Crops rarely meet.", "“color” is taken away."]
    assert findings.overlap.shares[0] == 0.3
    assert ("pair found by colors", "90 %", "") in findings.table.rows
    assert ("color read from pixels", "90 → 40 %", "") in findings.table.rows
    findings.grab()


def test_the_fix_is_one_undoable_step(findings: Findings, opened: Session, qtbot: QtBot) -> None:
    findings.set_active(True)
    qtbot.waitUntil(lambda: findings.facts is not None)
    assert opened.draft is not None
    before = opened.draft
    findings._apply(next(found for found in findings.facts.findings if found.fix))  # type: ignore[union-attr]
    assert opened.draft.views[0].count == 1
    opened.undo.undo()
    assert opened.draft == before


def test_old_answers_are_not_shown_for_new_views(
    findings: Findings, opened: Session, client: Any, qtbot: QtBot
) -> None:
    client.hold.add(MeasureViews)
    findings.set_active(True)
    qtbot.waitUntil(lambda: any(isinstance(asked, MeasureViews) for asked in client.asked))
    assert opened.draft is not None
    view = replace(opened.draft.views[0], count=5)
    opened.edit(replace(opened.draft, views=(view, *opened.draft.views[1:])), "more")
    assert client.cancelled
    client.release()
    qtbot.waitUntil(lambda: findings.facts is not None)
    assert client.last(MeasureViews).views[0].count == 5


def test_clicking_leads_to_the_op(findings: Findings, qtbot: QtBot) -> None:
    findings.set_active(True)
    qtbot.waitUntil(lambda: findings.facts is not None)
    with qtbot.waitSignal(findings.wanted) as wanted:
        next(one for one in findings.banners[0].findChildren(QPushButton) if one.text() == "Show the op").click()
    assert wanted.args == [0, 0]


def test_a_failure_is_said(findings: Findings, client: Any, qtbot: QtBot) -> None:
    client.replies[MeasureViews] = lambda _: Failed(id=0, reason="error", message="An image cannot be read.")
    findings.set_active(True)
    qtbot.waitUntil(lambda: "An image cannot be read." in findings._told.text())


def test_bars_say_what_they_show(qtbot: QtBot) -> None:
    bars = OverlapBars()
    qtbot.addWidget(bars)
    bars.resize(300, 64)
    bars.grab()
    bars.set_shares([0.5, *[0.0] * 18, 0.5])
    image = bars.grab().toImage()
    assert bars.words(0) == "50.0 % of pairs share 0 to 5 % of the area"
    first, last, none = (image.pixelColor(x, 20) for x in (7, 293, 150))
    assert len({first.name(), last.name(), none.name()}) == 3
