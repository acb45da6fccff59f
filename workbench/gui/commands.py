"""Everything that the window can do, listed once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from workbench import __version__
from workbench.gui import dialogs, theme
from workbench.gui.actions import Action
from workbench.gui.pages import PAGES
from workbench.gui.widgets.errors import Words, show_failure
from workbench.runs import control

if TYPE_CHECKING:
    from workbench.gui.session import Session
    from workbench.gui.theme import Mode
    from workbench.gui.window import MainWindow

_MODES: tuple[tuple[Mode, str, str], ...] = (
    ("system", "Colors as the system", "chip"),
    ("light", "Light colors", "sun"),
    ("dark", "Dark colors", "moon"),
)


def of_window(window: MainWindow) -> list[Action]:
    """The window's actions, in the order of the menus."""
    return [*_file(window), *_edit(window), *_pages(window), *_run(window), *_view(window), *_help(window)]


def set_theme(session: Session, mode: Mode) -> None:
    """Changes the colors, and remembers it."""
    session.settings.theme = mode
    theme.set_mode(mode)


def _file(window: MainWindow) -> list[Action]:
    session = window.session
    return [
        Action(
            name="open", title="Open folder…", menu="File", shortcuts=("Ctrl+O",), icon="open",
            run=lambda: dialogs.choose_folder(session, window),
        ),
        Action(
            name="runs-folder", title="Change runs folder…", menu="File", icon="runs",
            run=lambda: dialogs.choose_runs_folder(session, window),
        ),
        Action(
            name="show-run", title="Show the run's folder", menu="File", group=1, icon="external",
            enabled=lambda: session.run is not None, run=lambda: _show_run(session),
        ),
        Action(name="quit", title="Quit", menu="File", group=2, shortcuts=("Ctrl+Q",), icon="close", run=window.close),
    ]  # fmt: skip


def _edit(window: MainWindow) -> list[Action]:
    undo = window.session.undo
    return [
        Action(
            name="undo", title="Undo", menu="Edit", shortcuts=("Ctrl+Z",), icon="undo", enabled=undo.canUndo,
            run=undo.undo,
        ),
        Action(
            name="redo", title="Redo", menu="Edit", shortcuts=("Ctrl+Y", "Ctrl+Shift+Z"), icon="redo",
            enabled=undo.canRedo, run=undo.redo,
        ),
        Action(
            name="palette", title="Find a command…", menu="Edit", group=1, shortcuts=("Ctrl+K", "Ctrl+Shift+P"),
            icon="search", run=window.open_palette,
        ),
    ]  # fmt: skip


def _pages(window: MainWindow) -> list[Action]:
    return [
        Action(
            name=f"page-{name}",
            title=f"Go to {title}",
            menu="View",
            shortcuts=(f"Ctrl+{number}",),
            icon=name,
            run=partial(window.show_page, name),
        )
        for number, (name, title) in enumerate(PAGES, start=1)
    ]


def _run(window: MainWindow) -> list[Action]:
    session = window.session
    watcher = session.watcher
    return [
        Action(
            name="start", title="Start training", shortcuts=("Ctrl+Return",), icon="play",
            enabled=lambda: session.draft is not None, run=lambda: _start(window),
        ),
        Action(
            name="pause", title="Pause the run", icon="pause", enabled=lambda: watcher.status == "training",
            run=lambda: _ask(session, "pause"),
        ),
        Action(
            name="stop", title="Stop the run and keep it", icon="stop", enabled=lambda: watcher.running,
            run=lambda: _ask(session, "stop"),
        ),
    ]  # fmt: skip


def _view(window: MainWindow) -> list[Action]:
    session = window.session
    modes = [
        Action(
            name=f"theme-{mode}",
            title=title,
            menu="View",
            group=1,
            icon=icon,
            checked=partial(_is_mode, mode),
            run=partial(set_theme, session, mode),
        )
        for mode, title, icon in _MODES
    ]
    full = Action(
        name="full-screen", title="Full screen", menu="View", group=2, shortcuts=("F11",), icon="fit",
        checked=window.isFullScreen, run=window.toggle_full_screen,
    )  # fmt: skip
    return [*modes, full]


def _help(window: MainWindow) -> list[Action]:
    return [
        Action(name="about", title="About Pretext Workbench", menu="Help", icon="info", run=lambda: _about(window)),
        Action(
            name="forget-recent", title="Forget recent folders", icon="clock",
            enabled=lambda: bool(window.session.settings.recent), run=window.session.settings.clear_recent,
        ),
    ]  # fmt: skip


def _start(window: MainWindow) -> None:
    """The Method page checks the draft before it starts a run, so starting goes through it."""
    window.show_page("method").press_primary()


def _ask(session: Session, request: control.Request) -> None:
    if session.run is not None:
        control.ask(session.run, request)


def _is_mode(mode: Mode) -> bool:
    return theme.mode() == mode


def _show_run(session: Session) -> None:
    if session.run is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(session.run.path)))


def _about(window: MainWindow) -> None:
    words = Words(f"Pretext Workbench {__version__}", "From a folder of images to a trained, verified encoder.")
    dialog = show_failure(window, words)
    dialog.setWindowTitle("About Pretext Workbench")
