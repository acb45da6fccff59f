"""What the window remembers: geometry, splitters, theme, folders, the last page and run."""

from pathlib import Path
from typing import get_args
from urllib.parse import quote

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from workbench.gui.theme import Mode
from workbench.spec import places

_MOST_RECENT = 8


class Settings(QObject):
    """A small INI file in the settings folder. A damaged or unwritable file only means that nothing is remembered."""

    recent_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        file = places.settings_folder() / "window.ini"
        self._store = QSettings(str(file), QSettings.Format.IniFormat, self)

    @property
    def theme(self) -> Mode:
        """Light, dark, or as the system is."""
        value = self._text("theme")
        return value if value in get_args(Mode) else "system"  # type: ignore[return-value]

    @theme.setter
    def theme(self, mode: Mode) -> None:
        self._store.setValue("theme", mode)

    @property
    def page(self) -> str:
        """The name of the page that was shown last."""
        return self._text("page")

    @page.setter
    def page(self, name: str) -> None:
        self._store.setValue("page", name)

    @property
    def runs_folder(self) -> Path | None:
        """Where runs are, where the user has chosen another folder."""
        return self._path("runs_folder")

    @runs_folder.setter
    def runs_folder(self, folder: Path) -> None:
        self._store.setValue("runs_folder", str(folder))

    @property
    def run(self) -> Path | None:
        """The run that was shown last."""
        return self._path("run")

    @run.setter
    def run(self, folder: Path | None) -> None:
        self._store.setValue("run", str(folder or ""))

    @property
    def recent(self) -> tuple[Path, ...]:
        """Folders that were opened, newest first, without those that are gone."""
        paths = [Path(text) for text in self._text("recent").split("\n") if text]
        return tuple(path for path in paths if path.is_dir())

    def add_recent(self, folder: Path) -> None:
        """A folder was opened."""
        others = [path for path in self.recent if path != folder]
        self._store.setValue("recent", "\n".join(str(path) for path in [folder, *others][:_MOST_RECENT]))
        self.recent_changed.emit()

    def clear_recent(self) -> None:
        """Forgets the folders."""
        self._store.remove("recent")
        self.recent_changed.emit()

    def masks(self, images: Path) -> Path | None:
        """The folder of masks that a folder of images was compared with last."""
        return self._path(f"masks/{quote(str(images), safe='')}")

    def set_masks(self, images: Path, folder: Path) -> None:
        """Masks for those images were chosen."""
        self._store.setValue(f"masks/{quote(str(images), safe='')}", str(folder))

    def keep_geometry(self, window: QWidget) -> None:
        """Remembers where a window was."""
        self._store.setValue("geometry", window.saveGeometry())

    def restore_geometry(self, window: QWidget) -> bool:
        """Puts a window where it was; False where nothing is remembered."""
        value = self._store.value("geometry")
        return isinstance(value, QByteArray) and window.restoreGeometry(value)

    def keep_splitters(self, within: QWidget) -> None:
        """Remembers every splitter that has a name."""
        for splitter in within.findChildren(QSplitter):
            if splitter.objectName():
                self._store.setValue(f"splitter/{splitter.objectName()}", splitter.saveState())

    def restore_splitters(self, within: QWidget) -> None:
        """Puts every splitter that has a name where it was."""
        for splitter in within.findChildren(QSplitter):
            value = self._store.value(f"splitter/{splitter.objectName()}") if splitter.objectName() else None
            if isinstance(value, QByteArray):
                splitter.restoreState(value)

    def save(self) -> None:
        """Writes the file now."""
        self._store.sync()

    def _text(self, key: str) -> str:
        value = self._store.value(key, "")
        return value if isinstance(value, str) else ""

    def _path(self, key: str) -> Path | None:
        text = self._text(key)
        return Path(text) if text else None
