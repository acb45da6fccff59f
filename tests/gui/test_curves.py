"""Curves: the numbers behind them, and what the plot shows of them."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from workbench.gui import theme
from workbench.gui.widgets import ticks
from workbench.gui.widgets.curve_paint import boxes_of
from workbench.gui.widgets.curves import CurvePlot
from workbench.gui.widgets.series import Curve, Level, envelope, smooth, visible


def _slow_average(values: np.ndarray, weight: float) -> list[float]:
    mean, found = 0.0, []
    for count, value in enumerate(values, start=1):
        mean = weight * mean + (1 - weight) * value
        found.append(mean / (1 - weight**count))
    return found


@pytest.mark.parametrize("weight", [0.01, 0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("count", [1, 2, 37, 5000])
def test_smoothing_is_the_recurrence(weight: float, count: int) -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, count)
    np.testing.assert_allclose(smooth(values, weight), _slow_average(values, weight), rtol=1e-10)


def test_no_smoothing_and_nothing_to_smooth() -> None:
    values = np.arange(5.0)
    assert smooth(values, 0.0) is values
    assert len(smooth(np.empty(0), 0.9)) == 0


def test_thinned_line_has_every_columns_extremes() -> None:
    rng = np.random.default_rng(2)
    x, y = np.sort(rng.uniform(0, 10, 40_000)), rng.normal(size=40_000)
    thin_x, thin_y = envelope(x, y, 0.0, 10.0, 100)
    assert len(thin_x) <= 400
    assert np.all(np.diff(thin_x) >= 0)
    column, thin_column = (x * 10).astype(int), np.minimum((thin_x * 10).astype(int), 99)
    for number in range(100):
        own = y[column == number]
        assert own.min() in thin_y[thin_column == number]
        assert own.max() in thin_y[thin_column == number]


def test_a_short_line_is_left_alone_and_a_gap_is_bridged() -> None:
    x, y = np.arange(10.0), np.arange(10.0)
    assert envelope(x, y, 0, 9, 100)[0] is x
    assert visible(x, 3.5, 5.5) == slice(3, 7)
    assert visible(x, 3.0, 5.0) == slice(2, 6)


def test_ticks_are_round_and_cover() -> None:
    values, step = ticks.linear_ticks(0.07, 1.53, 4)
    assert values == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0])
    assert [ticks.tick_text(value, step) for value in values] == ["0", "0.5", "1.0", "1.5", "2.0"]
    assert ticks.linear_ticks(2.0, 2.0, 4)[0][0] < 2.0 < ticks.linear_ticks(2.0, 2.0, 4)[0][-1]
    assert ticks.log_ticks(-6.2, 0.0, 4) == [-7.0, -5.0, -3.0, -1.0, 1.0]
    assert ticks.log_text(-6) == "10⁻⁶"
    assert ticks.log_text(-2) == "0.01"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.3468, "0.3468"),
        (6839.6, "6,840"),
        (-3.42, "−3.42"),
        (1.76e-5, "1.76 × 10⁻⁵"),
        (np.nan, "not finite"),
    ],
)
def test_values_are_written_for_people(value: float, text: str) -> None:
    assert ticks.value_text(value) == text


def test_reading_is_the_nearest_point_of_each_curve(qtbot: QtBot) -> None:
    plot = CurvePlot(x_label="epoch")
    qtbot.addWidget(plot)
    short = Curve(label="short", x=np.array([0.0, 1.0]), y=np.array([5.0, 6.0]), color=1)
    plot.set_curves([Curve(label="loss", x=np.array([0.0, 2.0, 4.0]), y=np.array([3.0, np.nan, 1.0])), short])
    assert [(curve.label, x, y) for curve, x, y in plot.reading(0.9)] == [("loss", 0.0, 3.0), ("short", 1.0, 6.0)]
    assert [(curve.label, x, y) for curve, x, y in plot.reading(3.0)] == [("loss", 4.0, 1.0)]


def test_painted_in_the_curves_color_and_again_after_a_change_of_theme(qtbot: QtBot) -> None:
    plot = CurvePlot(x_label="epoch")
    qtbot.addWidget(plot)
    plot.resize(400, 240)
    x = np.linspace(0, 10, 300)
    plot.set_curves(
        [Curve(label="loss", x=x, y=np.exp(-x), color=2, smoothed=True)],
        [Level(label="untrained", y=0.5), Level(label="raw pixels", y=0.0, dotted=True)],
    )
    plot.set_smoothing(0.9)
    for logarithmic in (False, True):
        plot.set_logarithmic(logarithmic)
        image = plot.grab().toImage()
        wanted = theme.class_color(2)
        close = [
            abs(color.red() - wanted.red()) + abs(color.green() - wanted.green()) + abs(color.blue() - wanted.blue())
            for column in range(image.width())
            for row in range(image.height())
            if (color := image.pixelColor(column, row)).alpha()
        ]
        assert min(close) < 30
    light = plot.grab().toImage()
    theme.set_mode("dark")
    assert plot.grab().toImage() != light


def test_nothing_one_point_and_a_constant_can_be_painted(qtbot: QtBot) -> None:
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.resize(300, 200)
    one = np.array([1.0])
    for curves in ([], [Curve(label="a", x=one, y=one)], [Curve(label="a", x=np.arange(4.0), y=np.zeros(4))]):
        for logarithmic in (False, True):
            plot.set_logarithmic(logarithmic)
            plot.set_curves(curves)
            assert not plot.grab().isNull()
            plot.grab()
    plot.set_curves([Curve(label=str(n), x=np.arange(9.0), y=np.arange(9.0) * n, color=n) for n in range(7)])
    plot.grab()


def test_names_overlap_neither_each_other_nor_the_marks_below(qtbot: QtBot) -> None:
    metrics, area = QFontMetricsF(QFont()), QRectF(40, 8, 200, 160)
    ends = [(QPointF(240, y), name) for y, name in ((20, "a"), (22, "b"), (165, "c"), (166, "d"), (168, "e"))]
    boxes = boxes_of(ends, area, metrics)
    for number, box in enumerate(boxes):
        assert not any(box.intersects(other.adjusted(0, 0.01, 0, 0)) for other in boxes[number + 1 :])
        assert box.bottom() <= area.bottom() + metrics.capHeight() / 2 + 0.01
    assert [box.top() for box in boxes] == sorted(box.top() for box in boxes)


def test_wheel_zooms_around_the_cursor_and_double_click_returns(qtbot: QtBot) -> None:
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.resize(400, 200)
    plot.set_curves([Curve(label="", x=np.linspace(0, 100, 1000), y=np.zeros(1000))])
    plot.grab()
    assert plot._axes
    before = plot._axes.from_x(300)
    wheel = QWheelEvent(
        QPointF(300, 80), QPointF(300, 80), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    plot.wheelEvent(wheel)
    plot.grab()
    assert plot._axes.x[1] - plot._axes.x[0] < 70
    assert plot._axes.from_x(300) == pytest.approx(before, abs=1.0)
    QTest.mouseDClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(200, 100))
    plot.grab()
    assert plot._axes.x == (0.0, 100.0)
