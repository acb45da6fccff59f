from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from workbench.engine.messages import Thumbnails
from workbench.engine.protocol import Failed
from workbench.gui import words
from workbench.gui.actions import Action
from workbench.gui.bridge import Engine
from workbench.gui.palette import match
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.column import GUTTER, ScrollColumn
from workbench.gui.widgets.empty import EmptyState
from workbench.gui.widgets.errors import show_failure
from workbench.gui.widgets.gallery import Gallery, Mapped
from workbench.gui.widgets.table import FactTable
from workbench.gui.widgets.thumbnails import to_image
from workbench.spec.errors import UsageError


@pytest.fixture
def gallery(qtbot: QtBot, engine: Engine) -> Gallery:
    made = Gallery(engine, thumb=64)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def test_gallery_asks_only_for_what_is_seen(qtbot: QtBot, gallery: Gallery, engine: Engine, client: Any) -> None:
    rows = np.arange(1_000_000)
    paths = Mapped(rows, lambda row: f"{row}.png")
    gallery.set_items("/photos", paths, paths)
    with qtbot.waitSignal(engine.settled):
        gallery.viewport().repaint()
    qtbot.waitUntil(lambda: engine.open_requests == 0)
    asked = [path for request in client.asked if isinstance(request, Thumbnails) for path in request.paths]
    assert asked[0] == "0.png"
    assert len(asked) < 100
    client.asked.clear()
    gallery.set_current(999_999)
    gallery.viewport().repaint()
    qtbot.waitUntil(lambda: engine.open_requests == 0)
    assert "999999.png" in client.last(Thumbnails).paths
    assert gallery.visible_range().stop == 1_000_000


def test_gallery_keys_and_clicks_choose(qtbot: QtBot, gallery: Gallery) -> None:
    gallery.set_items("/photos", [f"{number}.png" for number in range(20)])
    QTest.keyClick(gallery, Qt.Key.Key_Right)
    QTest.keyClick(gallery, Qt.Key.Key_Down)
    below = gallery.current
    assert below > 1
    with qtbot.waitSignal(gallery.chosen) as chosen:
        QTest.keyClick(gallery, Qt.Key.Key_Return)
    assert chosen.args == [below]
    QTest.keyClick(gallery, Qt.Key.Key_End)
    assert gallery.current == 19
    with qtbot.waitSignal(gallery.chosen) as chosen:
        QTest.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
    assert chosen.args[0] >= 0


def test_gallery_without_pictures_is_quiet(qtbot: QtBot, gallery: Gallery) -> None:
    gallery.set_items("/photos", [])
    for key in (Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_Return):
        QTest.keyClick(gallery, key)
    assert gallery.current == -1


def test_a_failed_batch_is_not_asked_for_again(qtbot: QtBot, gallery: Gallery, engine: Engine, client: Any) -> None:
    client.replies[Thumbnails] = lambda request: Failed(id=1, reason="error", message="gone")
    gallery.set_items("/photos", ["a.png"])
    with qtbot.waitSignal(engine.settled), qtbot.assertNotEmitted(engine.failed):
        gallery.viewport().repaint()
    gallery.viewport().repaint()
    assert sum(isinstance(request, Thumbnails) for request in client.asked) == 1


def test_pictures_keep_their_pixels() -> None:
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[0, 1] = (10, 20, 30, 255)
    image = to_image(pixels)
    assert (image.width(), image.height()) == (3, 2)
    assert image.pixelColor(1, 0).getRgb() == (10, 20, 30, 255)
    assert to_image(np.zeros((2, 3, 4), np.uint8)).isNull()


def test_card_is_a_button_where_it_is_said_so(qtbot: QtBot) -> None:
    card = Card("SimCLR", "2020", clickable=True)
    qtbot.addWidget(card)
    assert card.accessibleName() == "SimCLR"
    with qtbot.waitSignal(card.clicked):
        QTest.keyClick(card, Qt.Key.Key_Space)
    with qtbot.waitSignal(card.clicked):
        QTest.mouseClick(card, Qt.MouseButton.LeftButton)


def test_banner_says_its_level_in_words(qtbot: QtBot) -> None:
    banner = Banner("bad", "Collapsed.", "All embeddings are equal.")
    qtbot.addWidget(banner)
    assert banner.accessibleName() == "Problem: Collapsed. All embeddings are equal."
    banner.show_words("good", "Healthy.")
    assert banner.accessibleName() == "Good: Healthy."


def test_fact_table_keeps_its_labels_when_only_values_change(qtbot: QtBot) -> None:
    table = FactTable([("RankMe", "1", "of 8"), ("std", "2", "")], header=("metric", "now", "healthy"))
    qtbot.addWidget(table)
    before = table.findChildren(QLabel)
    table.set_rows([("RankMe", "3", "of 8"), ("std", "4", "")])
    assert table.findChildren(QLabel) == before
    assert [label.text() for label in before][3:5] == ["RankMe", "3"]
    table.set_rows([])
    assert table.rows == ()


def test_empty_state_leads_on(qtbot: QtBot) -> None:
    clicks: list[int] = []
    empty = EmptyState("data", "Nothing", "Do something about it. " * 20, "Do it", lambda: clicks.append(1))
    qtbot.addWidget(empty)
    empty.show()
    QTest.mouseClick(empty.button, Qt.MouseButton.LeftButton)
    assert clicks == [1]


@pytest.mark.parametrize(
    "problem",
    [
        Failed(id=1, reason="error", message="It broke.", hint="Mend it.", details="Traceback …"),
        UsageError("It broke.", hint="Mend it."),
    ],
)
def test_failures_are_shown_and_copied(qtbot: QtBot, problem: Any) -> None:
    dialog = show_failure(None, problem)
    qtbot.addWidget(dialog)
    assert "It broke." in dialog.copied_text()
    assert "Mend it." in dialog.copied_text()
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    buttons["Copy details"].click()
    assert QGuiApplication.clipboard().text() == dialog.copied_text()
    buttons["Close"].click()


def test_numbers_in_words() -> None:
    assert words.duration(59.4) == "59 s"
    assert words.duration(59.8) == "60 s"
    assert words.duration(72 * 60) == "1 h 12 min"
    assert words.duration(119.7 * 60) == "2 h"
    assert words.duration(3 * 86400 + 4 * 3600) == "3 d 4 h"
    assert words.size(999) == "999 B"
    assert words.size(1_200_000) == "1.2 MB"
    assert words.memory(12 * 1024**3) == "12 GB"
    assert words.age(0, now=40) == "40 s ago"
    assert words.capitalized("a sees less. b sees 0.5 of 2. c") == "A sees less. B sees 0.5 of 2. C"
    assert (
        words.minus("solarize (-0.43), of 2026-11-27-byol, x-2")
        == "solarize (\N{MINUS SIGN}0.43), of 2026-11-27-byol, x-2"
    )
    assert words.counted(1, "class", "classes") == "1 class"
    assert words.counted(9469, "image") == "9,469 images"


def test_commands_are_found_by_a_few_letters() -> None:
    titles = ["Open folder…", "Go to Views", "Go to Evaluate", "Dark colors", "Full screen"]

    def best(typed: str) -> str:
        return max(titles, key=lambda title: match(typed, title))

    assert best("eval") == "Go to Evaluate"
    assert best("dark") == "Dark colors"
    assert best("of") == "Open folder…"
    assert best("gv") == "Go to Views"
    assert match("xyz", "Go to Views") == 0.0


def test_an_action_is_possible_unless_it_says_no() -> None:
    assert Action(name="a", title="A", run=lambda: None).possible
    assert not Action(name="a", title="A", run=lambda: None, enabled=lambda: False).possible


def test_cards_keep_their_width_when_a_column_scrolls(qtbot: QtBot) -> None:
    column = ScrollColumn()
    qtbot.addWidget(column)
    card = Card("Facts")
    card.setMinimumHeight(100)
    column.column.addWidget(card)
    column.column.addStretch(1)
    column.resize(300, 200)
    column.show()
    assert not column.verticalScrollBar().isVisible()
    assert card.width() == 300 - GUTTER
    card.setMinimumHeight(400)
    qtbot.waitUntil(column.verticalScrollBar().isVisible)
    qtbot.waitUntil(lambda: card.height() >= 400)
    assert card.width() == 300 - GUTTER


def test_a_card_that_scrolls_keeps_its_content_at_the_top(qtbot: QtBot) -> None:
    card = Card("Title", scrolls=True)
    qtbot.addWidget(card)
    lines = [QLabel(f"line {number}") for number in range(10)]
    for line in lines:
        card.content.addWidget(line)
    card.resize(300, 600)
    card.show()
    assert lines[-1].mapTo(card, lines[-1].rect().bottomLeft()).y() < 400
    scroll = card.findChild(ScrollColumn)
    assert scroll is not None
    assert scroll.verticalScrollBar().maximum() == 0
    card.resize(300, 160)
    qtbot.waitUntil(lambda: scroll.verticalScrollBar().maximum() > 0)
