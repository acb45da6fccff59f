"""What the window draws itself: a map of a million points, a lasso around most of them, a curve of ten million."""

import math
import os
import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from workbench.bench.harness import Result, take_turns
from workbench.gui.app import application
from workbench.gui.widgets.curves import CurvePlot
from workbench.gui.widgets.scatter import EmbeddingMap
from workbench.gui.widgets.series import Curve
from workbench.spec.progress import Report

_POINTS = 1_000_000
_SCALARS = 10_000_000


def run(*, quick: bool, report: Report) -> list[Result]:
    """Offscreen, so that no screen's refresh is in the figures; each is the time of one painted frame."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = application()
    rounds = 5 if quick else 15
    points = _map(app)
    plot, curve = _plot(app)
    frames = take_turns({"zoom, one frame": lambda: _milliseconds(lambda: _zoom(points))}, rounds=rounds, report=report)
    lasso = take_turns({"find the points inside": lambda: _milliseconds(lambda: _lasso(points))}, rounds=rounds)
    painted = take_turns({"first paint": lambda: _milliseconds(lambda: _paint(plot, curve))}, rounds=rounds)
    points.close()
    plot.close()
    return [
        Result(name="drawing", title="Map of 1,000,000 points", unit="ms", rows=frames, target="33 ms (30 frames/s)"),
        Result(name="drawing", title="Lasso on 1,000,000 points", unit="ms", rows=lasso, target="100 ms or less"),
        Result(name="drawing", title="Curve of 10,000,000 points", unit="ms", rows=painted, target="200 ms or less"),
    ]


def _map(app: QApplication) -> EmbeddingMap:
    draw = np.random.default_rng(0)
    classes = draw.integers(0, 10, _POINTS)
    centers = draw.normal(size=(10, 2)) * 3
    points = EmbeddingMap()
    points.resize(950, 730)
    points.set_points((centers[classes] + draw.normal(size=(_POINTS, 2))).astype(np.float32))
    points.set_classes(classes)
    points.show()
    app.processEvents()
    return points


def _plot(app: QApplication) -> tuple[CurvePlot, Curve]:
    x = np.linspace(0, 200, _SCALARS)
    y = np.exp(-x / 30) + np.random.default_rng(0).normal(size=_SCALARS) * 0.05
    plot = CurvePlot(x_label="epoch")
    plot.resize(920, 360)
    plot.show()
    app.processEvents()
    return plot, Curve(label="loss", x=x, y=y, smoothed=True)  # As the Train page draws it.


def _zoom(points: EmbeddingMap) -> None:
    points.zoom(1.01)
    points.repaint()


def _lasso(points: EmbeddingMap) -> None:
    corners = [2 * math.pi * number / 300 for number in range(300)]
    radius = [1 + 0.2 * math.sin(5 * angle) for angle in corners]
    points.points_inside(
        [
            QPointF(475 + 220 * r * math.cos(angle), 365 + 200 * r * math.sin(angle))
            for angle, r in zip(corners, radius, strict=True)
        ]
    )


def _paint(plot: CurvePlot, curve: Curve) -> None:
    plot.set_curves([curve])
    plot.repaint()


def _milliseconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)
