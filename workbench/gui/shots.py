"""Pictures of every page, as a person sees them: the real window, the real engine, one run and its images."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPointF, QTimer
from PySide6.QtWidgets import QApplication

from workbench.gui import theme
from workbench.gui.app import application, open_window
from workbench.gui.pages import PAGES
from workbench.gui.pages.evaluate import EvaluatePage
from workbench.gui.pages.explore import ExplorePage
from workbench.gui.pages.train import TrainPage
from workbench.gui.pages.views import ViewsPage
from workbench.gui.theme import Mode
from workbench.gui.widgets.scatter import EmbeddingMap
from workbench.gui.widgets.segments import Segments
from workbench.gui.window import MainWindow
from workbench.runs.folder import RunFolder
from workbench.spec.errors import EngineError, RunError

SIZES = ((1440, 900), (1280, 800))
MODES: tuple[Mode, ...] = ("light", "dark")
_QUIET_SECONDS = 0.6
"""Longer than any page waits for the last of several changes before it asks."""
_PATIENCE_SECONDS = 180.0
_OPENED_OP = "color_jitter"
_COMPANY, _MOST_MEASURED = 60, 2000
_OTHER_LOOKS = {"views": ("task",), "train": ("task",), "evaluate": ("invariance", "inside")}
_FIRST_PAGES = ("data", "views", "method")
"""These ask the engine again when the draft arrives, so they are visited once before the pictures."""


def take_screenshots(
    out: Path,
    *,
    run: Path | None = None,
    runs: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> list[Path]:
    """Writes PAGE-MODE-WIDTH.png for every page, light and dark, at two sizes. Returns the files.

    With a run, its images are opened and it is shown on Train, Explore, Evaluate and Export; where a page has more to
    show (the task of the method, the look inside), there is a PAGE-LOOK-MODE-WIDTH.png too. Raises `RunError` where
    `out` cannot be written, `EngineError` where the engine does not come to rest.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{out} cannot be made: {error.strerror or error}.", hint="Choose another folder.") from error
    app = application()
    window = open_window(runs)
    theme.set_mode("light")
    window.resize(*SIZES[0])
    window.show()
    window.begin()
    window.make_all_pages()
    try:
        if run is not None:
            _show_run(window, RunFolder.open(run))
        for name in _FIRST_PAGES:
            window.show_page(name)
            settle(window)
        _show_details(window)
        return _take_all(app, window, out, tell or (lambda _: None))
    finally:
        window.close()
        window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def settle(window: MainWindow, seconds: float = _PATIENCE_SECONDS) -> None:
    """Waits until nothing is asked, read or opened, and has not been for a moment.

    Raises `EngineError` after `seconds`.
    """
    until = time.monotonic() + seconds
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < _QUIET_SECONDS:
        _spin(0.02)
        if not _is_quiet(window):
            quiet_since = time.monotonic()
        if time.monotonic() > until:
            still = window.engine.open_requests
            raise EngineError(f"The window did not come to rest within {seconds:.0f} s; {still} requests are open.")


def _is_quiet(window: MainWindow) -> bool:
    session = window.session
    reading = session.opening is not None or session.run_list.busy
    return not (window.engine.open_requests or reading) and session.watcher.caught_up


def _spin(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def _show_run(window: MainWindow, run: RunFolder) -> None:
    experiment = run.experiment()
    if Path(experiment.data.folder).is_dir():
        window.session.open_folder(Path(experiment.data.folder), experiment)
        settle(window)
    window.session.set_run(run)
    settle(window)


def _show_details(window: MainWindow) -> None:
    """What a person would have clicked: the sliders of one op, and a part of the map with one of its images."""
    views = window.ensure_page("views")
    if isinstance(views, ViewsPage):
        for row in views.inspector.editor.rows:
            row.set_open(row.spec.op == _OPENED_OP)
    window.show_page("explore")
    settle(window)
    explore = window.ensure_page("explore")
    if isinstance(explore, ExplorePage) and explore.scene is not None:
        center, outline = _crowd(explore.stage.map)
        explore.stage.map.draw_lasso(outline)
        explore.stage.map.clicked.emit(center)
        settle(window)


def _crowd(shown: EmbeddingMap) -> tuple[int, list[QPointF]]:
    """The point with the most company on the map, and an outline around its nearest ones."""
    spots = [shown.place_of(position) for position in range(min(shown.count, _MOST_MEASURED))]
    places = np.array([(spot.x(), spot.y()) for spot in spots])
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    company = min(_COMPANY, len(places) - 1)
    reach = np.partition(distances, company, axis=1)[:, company]
    center = int(reach.argmin())
    turns = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    radius = 1.15 * reach[center] * (1 + 0.12 * np.sin(2 * turns) + 0.08 * np.cos(3 * turns))
    x, y = places[center, 0] + radius * np.cos(turns), places[center, 1] + radius * np.sin(turns)
    return center, [QPointF(float(left), float(top)) for left, top in zip(x, y, strict=True)]


def _take_all(app: QApplication, window: MainWindow, out: Path, tell: Callable[[str], None]) -> list[Path]:
    files = []
    for width, height in SIZES:
        window.resize(width, height)
        for mode in MODES:
            theme.set_mode(mode)
            for name, _ in PAGES:
                window.show_page(name)
                files.append(_take(app, window, out / f"{name}-{mode}-{width}.png"))
                tell(files[-1].name)
                if (looks := _looks(window, name)) is not None:
                    usual = looks.value()
                    for look in _OTHER_LOOKS[name]:
                        looks.button(look).click()
                        files.append(_take(app, window, out / f"{name}-{look}-{mode}-{width}.png"))
                        tell(files[-1].name)
                    looks.button(usual).click()
    return files


def _looks(window: MainWindow, name: str) -> Segments | None:
    """What switches a page to something else that it shows, where that is offered."""
    match window.ensure_page(name):
        case ViewsPage() as views:
            looks = views.board.mode
        case TrainPage() as train:
            looks = train.looks
        case EvaluatePage() as evaluate:
            looks = evaluate.modes
        case _:
            return None
    return looks if looks.isVisible() else None


def _take(app: QApplication, window: MainWindow, file: Path) -> Path:
    settle(window)
    app.processEvents()
    if not window.grab().save(str(file)):
        raise RunError(f"{file} cannot be written.", hint="Choose another folder, or free some space.")
    return file
