"""The application: one window, and the engine behind it."""

import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from workbench import __version__
from workbench.gui import crash, theme
from workbench.gui.bridge import Engine
from workbench.gui.session import Session
from workbench.gui.window import MainWindow
from workbench.runs.folder import RunFolder


def run(folder: Path | None = None, runs: Path | None = None, run: Path | None = None) -> int:
    """Opens the window until it is closed: on a folder of images, or on a run with its images and settings."""
    app = application()
    window = open_window(runs)
    crash.report_to(window)
    theme.set_mode(window.session.settings.theme)
    shown = None if run is None else RunFolder.open(run)
    if shown is not None:
        window.session.set_run(shown)
        window.show_page("train")
    window.show()
    window.begin()
    # After the first paint, so that the window is there while the folder is read.
    if folder is not None:
        QTimer.singleShot(0, window, lambda: window.open_path(folder))
    elif shown is not None:
        QTimer.singleShot(0, window, lambda: window.open_images_of(shown))
    return app.exec()


def application() -> QApplication:
    """The application object, dressed."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    app = QApplication(sys.argv[:1])
    QCoreApplication.setApplicationName("Pretext Workbench")
    QCoreApplication.setApplicationVersion(__version__)
    QGuiApplication.setDesktopFileName("pretext-workbench")
    theme.install(app)
    return app


def open_window(runs: Path | None = None) -> MainWindow:
    """A window with an own session and engine; `window.show()` and `window.begin()` bring it to life."""
    session = Session(runs)
    engine = Engine()
    window = MainWindow(session, engine)
    session.setParent(window)
    engine.setParent(window)
    return window
