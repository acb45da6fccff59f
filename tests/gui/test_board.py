"""The board: solo and mute touch nothing but the pictures; large views, wipe, zoom, histogram, normalization."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.engine.messages import PixelStatistics, Preview
from workbench.gui.pages.views import ViewsPage
from workbench.gui.pages.views.listening import Listening, Voice
from workbench.gui.session import Session
from workbench.gui.widgets.histogram import Histogram, counted
from workbench.gui.widgets.lightbox import Lightbox, Stage
from workbench.gui.widgets.shades import Shades
from workbench.gui.widgets.wipe import Wipe
from workbench.spec.experiment import OpSpec, ViewSpec


@pytest.fixture
def page(opened: Session, show_page: Callable[[type[ViewsPage]], ViewsPage], qtbot: QtBot) -> ViewsPage:
    shown = show_page(ViewsPage)
    shown.entered()
    qtbot.waitUntil(lambda: bool(shown.grid.content.views and shown.grid.content.views[0]))
    return shown


def pictures() -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.uint8]]]:
    red, blue = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    blue[0, 0] = (10, 20, 30)
    return red, blue


def test_solo_shows_one_op_and_leaves_the_draft_alone(page: ViewsPage, client: Any, qtbot: QtBot) -> None:
    draft, count = page.session.draft, page.session.undo.count()
    assert draft is not None
    row = page.inspector.editor.rows[1]
    row.setFocus()
    QTest.keyClick(row, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: [spec.enabled for spec in client.last(Preview).views[0].chain].count(True) == 1)
    asked = client.last(Preview).views[0].chain
    assert asked[1].enabled
    assert [spec.params for spec in asked] == [spec.params for spec in draft.views[0].chain]
    assert page.session.draft is draft
    assert page.session.undo.count() == count
    assert page.board.listening.text.startswith(f"Only {row.title} is shown")
    assert row.solo.isChecked()
    page.board.listening.button.click()
    qtbot.waitUntil(lambda: client.last(Preview).views == draft.views)
    assert not page.board.listening.isVisible()
    assert not row.solo.isChecked()


def test_mute_hides_one_op(page: ViewsPage, client: Any, qtbot: QtBot) -> None:
    row = page.inspector.editor.rows[0]
    row.mute.click()
    qtbot.waitUntil(lambda: not client.last(Preview).views[0].chain[0].enabled)
    assert f"{row.title} is left out" in page.board.listening.text
    page.strip.soloed.emit(0)
    qtbot.waitUntil(lambda: client.last(Preview).views[0].chain[0].enabled)


def test_listening_forgets_ops_that_are_gone() -> None:
    views = (ViewSpec(chain=(OpSpec(op="a"), OpSpec(op="b", enabled=False))),)
    solo = Listening().toggled_solo(Voice("global", "b"))
    assert [spec.enabled for spec in solo.heard(views)[0].chain] == [False, True]
    swapped = (replace(views[0], chain=views[0].chain[::-1]),)
    assert solo.still_meant(swapped) == solo, "a moved op is the same one"
    assert not solo.still_meant((replace(views[0], chain=views[0].chain[:1]),)).active
    muted = Listening().toggled_mute(Voice("global", "a")).toggled_mute(Voice("global", "b"))
    assert [spec.enabled for spec in muted.heard(views)[0].chain] == [False, False]
    assert not muted.toggled_mute(Voice("global", "a")).toggled_mute(Voice("global", "b")).active


def test_the_large_view_opens_moves_and_closes(page: ViewsPage, client: Any, qtbot: QtBot) -> None:
    QTest.keyClick(page.grid, Qt.Key.Key_Return)
    assert page.board.is_large
    assert page.board.lightbox.stages
    before = page.grid.selection
    QTest.keyClick(page.board.lightbox, Qt.Key.Key_Down)
    assert page.grid.selection == ((before[0] + 1) % len(page.grid.content.paths), before[1])
    qtbot.waitUntil(lambda: client.last(Preview).steps_of == page.grid.selection[0])
    QTest.keyClick(page.board.lightbox, Qt.Key.Key_Escape)
    assert not page.board.is_large
    page.board.large.click()
    assert page.board.is_large
    page.grab()


def test_the_line_parts_before_and_after(qtbot: QtBot) -> None:
    wipe = Wipe()
    qtbot.addWidget(wipe)
    wipe.resize(200, 200)
    red, blue = pictures()
    wipe.set_pictures(red, blue, ("before", "after"))
    for share, left, right in ((0.5, "#ff0000", "#0000ff"), (0.0, "#0000ff", "#0000ff"), (1.0, "#ff0000", "#ff0000")):
        wipe.set_share(share)
        image = wipe.grab().toImage()
        assert (image.pixelColor(60, 150).name(), image.pixelColor(140, 150).name()) == (left, right)
    with qtbot.waitSignal(wipe.divided):
        QTest.keyClick(wipe, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    QTest.mouseClick(wipe, Qt.MouseButton.LeftButton, pos=QPointF(50, 100).toPoint())
    assert wipe.share == pytest.approx(0.25, abs=0.01)


def test_zoomed_pixels_are_exact_squares(qtbot: QtBot) -> None:
    wipe = Wipe()
    qtbot.addWidget(wipe)
    wipe.resize(200, 200)
    _, blue = pictures()
    wipe.set_pictures(blue, blue, ("", ""))
    wipe.set_share(1)
    wipe.grab()  # It takes its place.
    wipe.set_zoom(8)
    box = wipe.box()
    assert (box.width(), box.height()) == (64, 64)
    image = wipe.grab().toImage()
    corner = box.topLeft().toPoint()
    inside = {image.pixelColor(corner.x() + x, corner.y() + y).name() for x in range(8) for y in range(8)}
    assert inside == {"#0a141e"}
    assert image.pixelColor(corner.x() + 8, corner.y()).name() == "#0000ff"
    assert wipe.words(0, 0) == "x 0, y 0 · after 10 20 30 · before 10 20 30"


def test_histograms_are_counts(qtbot: QtBot) -> None:
    draw = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    counts = counted(draw)
    for channel in range(3):
        assert np.array_equal(counts[channel], np.histogram(draw[..., channel], bins=256, range=(0, 256))[0])
    alone = Histogram()
    qtbot.addWidget(alone)
    alone.set_pictures(None, np.repeat(draw[..., :1], 3, axis=2))
    assert (len(alone.after), alone.channels()) == (1, "gray")
    for planes, words in ((5, "planes 1, 2, 3"), (2, "planes 1, 2"), (1, "plane 1")):
        alone.set_planes(planes)
        alone.set_pictures(draw, draw)
        assert alone.channels() == words
        alone.grab()
    box = Lightbox()
    qtbot.addWidget(box)
    red, blue = pictures()
    stages = [Stage("0", "original", red), Stage("1", "crop", red), Stage("2", "blue", blue)]
    box.set_view("a.png", stages, [("crop", "0.5 of the area")])
    box.compare("1", "2")
    assert np.array_equal(box.histogram.after, counted(blue))
    assert np.array_equal(box.histogram.before, counted(red))
    assert box.drawn == (("crop", "0.5 of the area"),)
    assert any("after:" in words for words in box.histogram.words())
    box.grab()


def test_normalized_shades_are_the_networks_numbers() -> None:
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.2, 0.25)
    shades = Shades(mean, std)
    for channel in range(3):
        for value in (0, 51, 102, 200, 255):
            number = (value / 255 - mean[channel]) / std[channel]
            expected = round(min(1.0, max(0.0, number / 2.5 * 0.5 + 0.5)) * 255)
            assert abs(int(shades.table[channel][value]) - expected) <= 1
            assert shades.numbers[channel, value] == pytest.approx(number)
    draw = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype(np.uint8)
    assert shades.applied(draw)[1, 2, 3, 1] == shades.table[1][draw[1, 2, 3, 1]]
    single = Shades((0.5,), (0.2,)).table
    assert np.array_equal(single[0], single[2])


def test_the_board_shows_them(page: ViewsPage, client: Any, qtbot: QtBot) -> None:
    before = page.grid.content.views[0][0].pixelColor(3, 3).name()
    page.board.normalization.mode.button("normalized").click()
    qtbot.waitUntil(lambda: "mean 0.50 0.40 0.30" in page.board.normalization.words)
    assert client.last(PixelStatistics).paths
    shades = Shades((0.5, 0.4, 0.3), (0.2, 0.2, 0.25)).table
    old = [int(before[place : place + 2], 16) for place in (1, 3, 5)]
    color = page.grid.content.views[0][0].pixelColor(3, 3)
    assert (color.red(), color.green(), color.blue()) == tuple(int(shades[c][v]) for c, v in enumerate(old))
    page.board.normalization.mode.button("stored").click()
    assert page.grid.content.views[0][0].pixelColor(3, 3).name() == before


def test_shades_of_planes_are_of_those_that_are_shown() -> None:
    five = Shades((0.1, 0.2, 0.3, 0.4, 0.5), (0.1,) * 5)
    assert five.at(np.array([51, 51, 51], np.uint8)) == pytest.approx((1, 0, -1), abs=0.01)
    two = Shades((0.1, 0.2), (0.1, 0.1))
    assert two.applied(np.zeros((1, 1, 3), np.uint8))[0, 0, 2] == 0
