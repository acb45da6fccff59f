"""The embedding map: what is drawn where, what the lasso catches, what lies under the cursor."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPolygonF
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.gui.widgets import lasso
from workbench.gui.widgets.epoch_slider import EpochSlider
from workbench.gui.widgets.legend import ClassLegend
from workbench.gui.widgets.raster import View, dot_size, draw_points, fit_view
from workbench.gui.widgets.scatter import EmbeddingMap


def _star(corners: int = 11) -> np.ndarray:
    angles = np.linspace(0, 4 * np.pi, corners, endpoint=False)
    radius = np.where(np.arange(corners) % 2, 1.0, 0.4)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)


@pytest.mark.parametrize("count", [500, 150_000])
def test_lasso_agrees_with_qt(count: int) -> None:
    rng = np.random.default_rng(3)
    points = rng.uniform(-1.2, 1.2, (count, 2)).astype(np.float32)
    outline = _star() + 0.1
    found = lasso.inside(outline, points[:, 0].copy(), points[:, 1].copy())
    polygon = QPolygonF([QPointF(*corner) for corner in outline.tolist()])
    some = rng.permutation(count)[:3000]
    expected = [polygon.containsPoint(QPointF(*points[row].tolist()), Qt.FillRule.OddEvenFill) for row in some.tolist()]
    assert found[some].tolist() == expected
    assert 0.05 < found.mean() < 0.6


def test_lasso_of_nothing() -> None:
    empty = np.empty(0, np.float32)
    assert not lasso.inside(_star(), empty, empty).any()
    one = np.zeros(1, np.float32)
    assert not lasso.inside(_star()[:2], one, one).any()
    assert not lasso.inside(np.zeros((4, 2)), one + 1, one).any()


def test_a_point_is_drawn_where_it_is_in_its_color() -> None:
    view = View(scale=10.0, left=20.0, top=30.0)
    colors = np.array([0xFFFF0000, 0xFF0000FF], np.uint32)
    x, y = np.array([1.0, 1.0], np.float32), np.array([0.5, 0.5], np.float32)
    for size in (1.0, 5.0):
        picture = draw_points(
            x, y, np.array([0, 1], np.uint8), view=view, colors=colors, width=60, height=50, size=size
        )
        assert picture.shape == (50, 60)
        assert picture[25, 30] & 0xFFFFFF in (0x0000FF, 0x00007F, 0x000080, 0x000092)
        rows, columns = np.nonzero(picture)
        assert abs(rows - 25).max() <= size / 2 + 1
        assert abs(columns - 30).max() <= size / 2 + 1


@pytest.mark.parametrize("size", [1.0, 2.5, 8.0])
def test_points_at_the_border_and_beyond_harm_nothing(size: float) -> None:
    spread = np.linspace(-50, 150, 400, dtype=np.float32)
    view = View(scale=1.0, left=0.0, top=99.0)
    inks = np.zeros(400, np.uint8)
    colors = np.array([0xFF123456], np.uint32)
    picture = draw_points(spread, spread, inks, view=view, colors=colors, width=100, height=100, size=size)
    rows, columns = np.nonzero(picture)
    assert len(rows) > 0
    assert abs((99 - rows) - columns).max() <= 2 * size + 2  # nothing wraps around to the other side


def test_zoom_keeps_the_place_under_the_cursor_and_grows_dots() -> None:
    view = View(scale=3.0, left=10.0, top=20.0)
    assert view.zoomed(2.5, 77.0, 33.0).to_position(77.0, 33.0) == pytest.approx(view.to_position(77.0, 33.0))
    sizes = [dot_size(10_000, width=900, height=700, zoom=zoom) for zoom in (1, 2, 8)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] <= 9.0


def test_all_points_fit() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=100).astype(np.float32) * 3, rng.normal(size=100).astype(np.float32)
    across, down = fit_view(x, y, 300, 200).to_pixels(x, y)
    assert across.min() >= 0
    assert across.max() <= 300
    assert down.min() >= 0
    assert down.max() <= 200


def test_a_collapsed_representation_is_one_dot_in_the_middle() -> None:
    x = np.full(50, 7.5, np.float32)
    view = fit_view(x, x, 300, 200)
    assert view.to_pixels(x, x)[0][0] == pytest.approx(150)
    colors, inks = np.array([0xFFFFFFFF], np.uint32), np.zeros(50, np.uint8)
    far = np.array([1e30, -1e30] * 25, np.float32)
    assert draw_points(x, x, inks, view=view, colors=colors, width=300, height=200, size=3.0)[100, 150]
    assert not draw_points(far, far, inks, view=view, colors=colors, width=300, height=200, size=3.0).any()


@pytest.fixture
def grid(qtbot: QtBot) -> EmbeddingMap:
    """A map of 5 x 5 points in two classes."""
    made = EmbeddingMap()
    qtbot.addWidget(made)
    made.resize(400, 400)
    made.show()
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0))
    made.set_points(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32))
    made.set_classes(np.arange(25) % 2)
    return made


def test_what_is_under_the_cursor(grid: EmbeddingMap, qtbot: QtBot) -> None:
    for position in (0, 7, 24):
        assert grid.point_at(grid.place_of(position)) == position
    assert grid.point_at((grid.place_of(0) + grid.place_of(6)) / 2) == -1
    with qtbot.waitSignal(grid.clicked) as clicked:
        QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.place_of(12).toPoint())
    assert clicked.args == [12]
    with qtbot.waitSignal(grid.hovered, check_params_cb=lambda position: position == 12):
        QTest.mouseMove(grid, grid.place_of(12).toPoint() + QPoint(1, 0))
    grid.show_classes(frozenset({1}))
    assert grid.point_at(grid.place_of(12)) == -1
    assert grid.point_at(grid.place_of(13)) == 13


def _drag(qtbot: QtBot, grid: EmbeddingMap, spots: list[QPointF], keys: Qt.KeyboardModifier) -> None:
    QTest.mousePress(grid, Qt.MouseButton.LeftButton, keys, spots[0].toPoint())
    for spot in spots[1:]:
        QTest.mouseMove(grid, spot.toPoint())
    QTest.mouseRelease(grid, Qt.MouseButton.LeftButton, keys, spots[-1].toPoint())


def test_lasso_catches_what_it_surrounds(grid: EmbeddingMap, qtbot: QtBot) -> None:
    first, last = grid.place_of(5), grid.place_of(11)  # (0, 1) and (1, 2): four points
    low, high = QPointF(first.x() - 20, first.y() + 20), QPointF(last.x() + 20, last.y() - 20)
    box = [low, QPointF(high.x(), low.y()), high, QPointF(low.x(), high.y())]
    grid.set_lasso(True)
    with qtbot.waitSignal(grid.lassoed) as caught:
        _drag(qtbot, grid, box, Qt.KeyboardModifier.NoModifier)
    assert caught.args[0].tolist() == [5, 6, 10, 11]
    assert caught.args[1] is False
    grid.set_lasso(False)
    with qtbot.waitSignal(grid.lassoed) as caught:
        _drag(qtbot, grid, box, Qt.KeyboardModifier.ShiftModifier)
    assert caught.args[1] is True


def test_a_lasso_stays_with_its_selection(grid: EmbeddingMap) -> None:
    corner = grid.place_of(5)
    outline = [corner + QPointF(x, y) for x, y in ((-30, -30), (30, -30), (30, 30), (-30, 30))]
    plain = grid.grab().toImage()
    grid.lassoed.connect(lambda found, _adds: grid.set_selection(found))
    grid.draw_lasso(outline)
    grid.zoom(1.5)
    corners = np.array([(spot.x(), spot.y()) for spot in grid._kept_outline()])
    center = grid.place_of(5)
    np.testing.assert_allclose(corners.mean(axis=0), (center.x(), center.y()), atol=0.5)
    np.testing.assert_allclose(np.ptp(corners, axis=0), (90.0, 90.0), atol=0.5)
    grid.set_selection(None)
    grid.fit()
    assert grid.grab().toImage() == plain


def test_a_drag_pans_and_a_double_click_shows_everything(grid: EmbeddingMap, qtbot: QtBot) -> None:
    before = grid.place_of(0)
    _drag(qtbot, grid, [QPointF(100, 100), QPointF(130, 120), QPointF(150, 140)], Qt.KeyboardModifier.NoModifier)
    assert (grid.place_of(0) - before).toPoint() == QPoint(50, 40)
    QTest.mouseDClick(grid, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    assert grid.place_of(0) == before


def test_selection_dims_the_others(grid: EmbeddingMap) -> None:
    all_bright = grid.picture()
    grid.set_selection(np.array([3]))
    other, chosen = grid.place_of(12).toPoint(), grid.place_of(3).toPoint()
    assert grid.picture().pixelColor(other).alpha() < all_bright.pixelColor(other).alpha() / 2
    assert grid.picture().pixelColor(chosen) == all_bright.pixelColor(chosen)
    grid.set_selection(None)
    assert grid.picture() == all_bright


def test_positions_that_are_not_finite_and_no_points_at_all(grid: EmbeddingMap) -> None:
    grid.set_points(np.array([[np.nan, 1.0], [2.0, np.inf]], np.float32))
    grid.grab()
    grid.set_points(np.empty((0, 2), np.float32))
    grid.grab()
    assert grid.point_at(QPointF(5, 5)) == -1


def test_the_same_points_glide_to_their_new_places(grid: EmbeddingMap, qtbot: QtBot) -> None:
    still = grid.picture()
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0))
    grid.set_points(np.stack([y.ravel(), x.ravel()], axis=1).astype(np.float32), animate=True)
    assert grid.picture() == still
    assert grid.point_at(grid.place_of(1)) == 1
    qtbot.waitUntil(lambda: grid.picture() != still)


def test_legend_shows_a_class_alone_and_all_again(qtbot: QtBot) -> None:
    legend = ClassLegend()
    qtbot.addWidget(legend)
    legend.resize(300, 200)
    legend.set_classes([f"class {number}" for number in range(20)], [5] * 20)
    with qtbot.waitSignal(legend.shown_changed) as shown:
        legend.choose(frozenset({3, 4}))
    assert shown.args == [frozenset({3, 4})]
    legend._search.setText("7")
    assert legend.names == ("class 7", "class 17")
    with qtbot.waitSignal(legend.shown_changed, check_params_cb=lambda numbers: numbers == frozenset({17})):
        legend.choose(frozenset({17}))
    with qtbot.waitSignal(legend.shown_changed, check_params_cb=lambda numbers: numbers is None):
        legend.choose(None)


def test_names_of_classes_have_half_the_width_each(qtbot: QtBot) -> None:
    legend = ClassLegend()
    qtbot.addWidget(legend)
    legend.resize(300, 200)
    legend.set_classes(["airplane", "automobile"], [5, 5])
    legend.show()
    shown = legend._list
    assert shown.visualRect(shown.model().index(1, 0)).width() > 120


def test_epochs_are_chosen_and_the_newest_is_followed(qtbot: QtBot) -> None:
    slider = EpochSlider()
    qtbot.addWidget(slider)
    assert slider.epoch == -1
    slider.set_epochs((0, 10, 20))
    assert slider.epoch == 20
    slider.set_epochs((0, 10, 20, 30))
    assert slider.epoch == 30
    slider.set_epoch(12)
    assert slider.epoch == 10
    slider.set_epochs((0, 10, 20, 30, 40))
    assert slider.epoch == 10
    with qtbot.waitSignal(slider.chosen) as chosen:
        slider._slider.setValue(3)
    assert chosen.args == [30]
