"""The questions that the system's own dialogs ask."""

from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

from workbench.gui.session import Session


def choose_folder(session: Session, parent: QWidget) -> None:
    """Asks for a folder of images, and opens it."""
    recent = session.settings.recent
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    chosen = QFileDialog.getExistingDirectory(parent, "Open a folder of images", str(recent[0]) if recent else pictures)
    if chosen:
        session.open_folder(Path(chosen))


def choose_runs_folder(session: Session, parent: QWidget) -> None:
    """Asks where runs are kept."""
    chosen = QFileDialog.getExistingDirectory(parent, "Keep runs in", str(session.runs_folder))
    if chosen:
        session.set_runs_folder(Path(chosen))
