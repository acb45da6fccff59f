"""What the window is working on: one folder, one draft of an experiment, one run. Every page reads it here."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from workbench.gui.run_list import RunList
from workbench.gui.run_watch import RunWatcher
from workbench.gui.settings import Settings
from workbench.runs.folder import RunFolder
from workbench.runs.launch import launch_trainer
from workbench.spec import places
from workbench.spec.catalog import Catalog
from workbench.spec.dataset import ScanReport
from workbench.spec.experiment import Experiment
from workbench.spec.machine import Device


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A folder that is being read, and how far that is; `total` 0 means unknown."""

    folder: Path
    what: str = "Looking for images"
    done: int = 0
    total: int = 0


class Session(QObject):
    """The window's state, without widgets. Values are frozen: a change replaces them and emits a signal.

    `run_list` reads the runs folder, `watcher` follows the chosen run's events, `undo` is the history
    of the draft, and `settings` is what the window remembers from one start to the next.
    """

    catalog_changed = Signal()
    scan_changed = Signal()
    """Another folder, or a new scan of it; `scan` may be None."""
    draft_changed = Signal()
    """Any change of the draft experiment, undo and redo included."""
    draft_opened = Signal()
    """A draft that is not a change of the one before, with an empty history; `draft_changed` follows."""
    run_changed = Signal()
    """Another run is shown by Train, Explore, Evaluate and Export; `run` may be None."""
    runs_folder_changed = Signal()
    run_started = Signal(object)
    """A trainer was launched for this RunFolder."""
    page_wanted = Signal(str)
    """A page asks for another one ('method'), as the next step."""
    folder_wanted = Signal(Path, object)
    """A folder is to be opened, with this Experiment as the draft (None: the engine suggests one)."""
    opening_changed = Signal()
    """A folder is being read, or is not any more; see `opening`."""
    opening_cancelled = Signal()
    """The user does not want to wait for it."""

    def __init__(self, runs_folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo = QUndoStack(self)
        self.settings = Settings(self)
        self._catalog = Catalog()
        self._devices: tuple[Device, ...] = ()
        self._scan: ScanReport | None = None
        self._draft: Experiment | None = None
        self._reasons: tuple[str, ...] = ()
        self._run: RunFolder | None = None
        self._opening: Opening | None = None
        self._runs_folder = runs_folder or self.settings.runs_folder or places.default_runs()
        self.run_list = RunList(self)
        self.watcher = RunWatcher(self)
        self.run_changed.connect(lambda: self.watcher.watch(self._run))

    @property
    def catalog(self) -> Catalog:
        """Methods, backbones, ops and presets; empty until the engine has answered."""
        return self._catalog

    def set_catalog(self, catalog: Catalog) -> None:
        """The engine has described the plugins."""
        self._catalog = catalog
        self.catalog_changed.emit()

    @property
    def devices(self) -> tuple[Device, ...]:
        """What can train, best first; empty until the engine has answered."""
        return self._devices

    def set_devices(self, devices: tuple[Device, ...]) -> None:
        """The engine has looked."""
        self._devices = devices
        self.catalog_changed.emit()

    @property
    def scan(self) -> ScanReport | None:
        """What is in the open folder."""
        return self._scan

    def set_scan(self, scan: ScanReport | None) -> None:
        """Another folder. The draft goes with it (the Data page asks the engine for a new one)."""
        self._scan = scan
        self.undo.clear()
        self._draft = None
        self.scan_changed.emit()
        self.draft_changed.emit()

    @property
    def draft(self) -> Experiment | None:
        """The experiment that Data, Views and Method edit, and that Start training runs."""
        return self._draft

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the engine suggested the draft as it is."""
        return self._reasons

    def set_draft(self, draft: Experiment | None, reasons: tuple[str, ...] = ()) -> None:
        """A new draft, with an empty history."""
        self._draft = draft
        self._reasons = reasons
        self.undo.clear()
        self.draft_opened.emit()
        self.draft_changed.emit()

    def edit(self, draft: Experiment, text: str, *, merge: str = "") -> None:
        """One undoable change. Successive edits with the same non-empty `merge` (a slider's drag) are one step."""
        if self._draft is None or draft == self._draft:
            return
        self.undo.push(_Edit(self, self._draft, draft, text, merge))

    def _replace(self, draft: Experiment) -> None:
        self._draft = draft
        self.draft_changed.emit()

    @property
    def opening(self) -> Opening | None:
        """The folder that is being read now."""
        return self._opening

    def set_opening(self, opening: Opening | None) -> None:
        """How far reading a folder is; None when it has ended."""
        self._opening = opening
        self.opening_changed.emit()

    def open_folder(self, folder: Path, draft: Experiment | None = None) -> None:
        """Asks for a folder to be read and shown, with that draft or with one that the engine suggests."""
        self.folder_wanted.emit(folder, draft)

    def open_again(self, experiment: Experiment) -> None:
        """Takes up an older experiment as the draft, on its own images."""
        self.open_folder(Path(experiment.data.folder), experiment)

    @property
    def run(self) -> RunFolder | None:
        """The run that Train, Explore, Evaluate and Export show."""
        return self._run

    def set_run(self, run: RunFolder | None) -> None:
        """Shows another run."""
        self._run = run
        self.run_changed.emit()

    @property
    def runs_folder(self) -> Path:
        """Where runs are."""
        return self._runs_folder

    def set_runs_folder(self, folder: Path) -> None:
        """Another workspace."""
        self._runs_folder = folder
        self.runs_folder_changed.emit()

    def start(self, experiment: Experiment) -> RunFolder:
        """Makes a run folder, launches its trainer, and shows it. Raises `RunError`."""
        run = RunFolder.create(self._runs_folder, experiment)
        launch_trainer(run)
        self.set_run(run)
        self.run_started.emit(run)
        return run


class _Edit(QUndoCommand):
    def __init__(self, session: Session, before: Experiment, after: Experiment, text: str, merge: str) -> None:
        super().__init__(text)
        self._session = session
        self._before = before
        self.after = after
        self.merge = merge

    def id(self) -> int:
        """Qt merges only commands of one id; -1 never merges."""
        return 1 if self.merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """A drag of one slider is one step."""
        if not isinstance(other, _Edit) or other.merge != self.merge:
            return False
        self.after = other.after
        return True

    def undo(self) -> None:
        """Back."""
        self._session._replace(self._before)

    def redo(self) -> None:
        """Forth, and the first time."""
        self._session._replace(self.after)
