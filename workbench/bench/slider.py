"""The window's side of `workbench bench preview`: opens a folder, moves a slider, and watches what is painted.

    python -m workbench.bench.slider FOLDER MOVES DRAGS

prints one line of JSON: the milliseconds of single moves, and a record per drag.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent

from workbench.engine.messages import Arrays, Preview, PreviewReply
from workbench.gui.app import application, open_window
from workbench.gui.pages.views import ViewsPage
from workbench.gui.shots import settle
from workbench.gui.widgets.fields import NumberField
from workbench.gui.widgets.slider import Slider
from workbench.gui.window import MainWindow
from workbench.spec.errors import EngineError
from workbench.spec.experiment import DataSpec, Experiment, OpSpec, ViewSpec

_OP, _PARAM = "color_jitter", "brightness"
_SIZE = 224
_WARM_MOVES = 5
_MOVE_MS, _TICK_MS = 16, 5
_DRAG_MOVES = 100
_PATIENCE_MS = 60_000


class Watch(QObject):
    """Tells when the pictures of a slider's value have been painted: `painted(value, at)`, in `perf_counter` seconds.

    A value is on the screen when the reply to its own request has come, the grid has painted it, and Qt is
    through with everything else that it had to paint with it.
    """

    def __init__(self, page: ViewsPage, painted: Callable[[float, float], None]) -> None:
        super().__init__(page)
        self._painted = painted
        self._arrived: float | None = None
        page.feed.arrived.connect(self._on_arrived)
        page.grid.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        """Painting has begun; what is posted now runs when it is over."""
        if event.type() == QEvent.Type.Paint and self._arrived is not None:
            value, self._arrived = self._arrived, None
            QTimer.singleShot(0, self, lambda: self._painted(value, time.perf_counter()))
        return super().eventFilter(watched, event)

    def _on_arrived(self, request: Preview, reply: PreviewReply, arrays: Arrays) -> None:
        del reply, arrays
        self._arrived = _value_in(request)


class Gaps(QObject):
    """How long the window was deaf: the longest time between two ticks of a short timer, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer(self, interval=_TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)

    def start(self) -> None:
        """From now on."""
        self.longest = 0.0
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """Until now."""
        self._on_tick()
        self._timer.stop()

    def _on_tick(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, 1000 * (now - self._last))
        self._last = now


class Drag:
    """One press of the mouse on a slider, moved back and forth over its middle, a different value with every move."""

    def __init__(self, slider: Slider) -> None:
        self._slider = slider
        self._place = 0
        self._send(QEvent.Type.MouseButtonPress)

    def move(self) -> float:
        """Moves on until the value is another one; returns it."""
        before = self._slider.number()
        while self._slider.number() == before:
            self._place += 1
            self._send(QEvent.Type.MouseMove)
        return self._slider.number()

    def release(self) -> None:
        """Lets go."""
        self._send(QEvent.Type.MouseButtonRelease)

    def _send(self, kind: QEvent.Type) -> None:
        width = self._slider.width()
        room = int(0.6 * width)
        along = self._place % (2 * room)
        point = QPointF(0.2 * width + (along if along < room else 2 * room - along), self._slider.height() / 2)
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
        event = QMouseEvent(kind, point, self._slider.mapToGlobal(point), button, held, Qt.KeyboardModifier.NoModifier)
        QCoreApplication.sendEvent(self._slider, event)


def measure(folder: Path, *, moves: int, drags: int) -> dict[str, Any]:
    """'single': milliseconds per move. 'drags': of each, its 'moves' and 'frames', and 'last', 'shown' and 'gap' in ms.

    'views': how many there are on the page. Raises `EngineError` where pictures do not come.
    """
    application()
    window = open_window()
    window.resize(1440, 900)
    window.show()
    window.begin()
    try:
        page = _open_views(window, folder)
        slider = _slider(page)
        _move_singly(page, slider, _WARM_MOVES)
        single = _move_singly(page, slider, moves)
        records = [_drag(page, slider) for _ in range(drags)]
        views = sum(len(row) for row in page.grid.content.views)
    finally:
        window.close()
    return {"single": single, "drags": records, "views": views}


def _open_views(window: MainWindow, folder: Path) -> ViewsPage:
    chain = (
        OpSpec(op="random_resized_crop", params={"scale": [0.08, 1.0]}),
        OpSpec(op="horizontal_flip"),
        OpSpec(op=_OP, params={"brightness": 0.8, "contrast": 0.8, "saturation": 0.8, "hue": 0.2, "p": 0.8}),
        OpSpec(op="grayscale"),
        OpSpec(op="gaussian_blur", params={"sigma": [0.1, 2.0], "p": 0.5}),
    )
    draft = Experiment(
        data=DataSpec(folder=str(folder), size=_SIZE), views=(ViewSpec(count=2, size=_SIZE, chain=chain),)
    )
    settle(window)
    window.session.open_folder(folder, draft)
    settle(window)
    page = window.show_page("views")
    assert isinstance(page, ViewsPage)
    settle(window)
    return page


def _slider(page: ViewsPage) -> Slider:
    row = next(row for row in page.inspector.editor.rows if row.spec.op == _OP)
    row.set_open(True)
    assert row.form is not None
    field = row.form.field(_PARAM)
    assert isinstance(field, NumberField)
    QCoreApplication.processEvents()
    return field.control.slider


def _value_in(request: Preview) -> float:
    return next(float(spec.params[_PARAM]) for spec in request.views[0].chain if spec.op == _OP)


def _move_singly(page: ViewsPage, slider: Slider, count: int) -> list[float]:
    """Milliseconds from a move to its pictures; the next move waits for them."""
    times: list[float] = []
    wanted = 0.0
    began = 0.0
    loop = QEventLoop()

    def on_painted(value: float, at: float) -> None:
        if value == wanted:
            times.append(1000 * (at - began))
            loop.quit()

    watch = Watch(page, on_painted)
    drag = Drag(slider)
    for number in range(count):
        _rest(0.02)
        began = time.perf_counter()
        wanted = drag.move()
        _run(loop)
        if len(times) <= number:
            raise EngineError(f"No pictures came for a move of the slider within {_PATIENCE_MS // 1000} s.")
    drag.release()
    watch.deleteLater()
    _rest(0.1)
    return times


def _drag(page: ViewsPage, slider: Slider) -> dict[str, float]:
    """One drag with a move every 16 ms, watched until the pictures of the last one are there."""
    moved: dict[float, float] = {}
    shown: list[float] = []
    last = -1.0
    loop = QEventLoop()

    def on_painted(value: float, at: float) -> None:
        shown.append(1000 * (at - moved[value]))
        if value == last:
            loop.quit()

    def on_move() -> None:
        nonlocal last
        began = time.perf_counter()
        value = drag.move()
        moved[value] = began
        counts.append(value)
        if len(counts) == _DRAG_MOVES:
            timer.stop()
            last = value

    counts: list[float] = []
    watch, gaps = Watch(page, on_painted), Gaps()
    drag = Drag(slider)
    moved[slider.number()] = time.perf_counter()
    timer = QTimer(interval=_MOVE_MS, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(on_move)
    gaps.start()
    timer.start()
    _run(loop)
    gaps.stop()
    drag.release()
    watch.deleteLater()
    if last < 0 or not shown:
        raise EngineError(f"No pictures came for a drag of the slider within {_PATIENCE_MS // 1000} s.")
    _rest(0.3)
    return {
        "moves": float(len(counts)),
        "frames": float(len(shown)),
        "last": shown[-1],
        "shown": statistics.median(shown),
        "gap": gaps.longest,
    }


def _run(loop: QEventLoop) -> None:
    QTimer.singleShot(_PATIENCE_MS, loop, loop.quit)
    loop.exec()


def _rest(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop, loop.quit)
    loop.exec()


if __name__ == "__main__":
    result = measure(Path(sys.argv[1]), moves=int(sys.argv[2]), drags=int(sys.argv[3]))
    print(json.dumps(result), flush=True)
