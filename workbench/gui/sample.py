"""Paints the sample images in a process of its own, and says how far it is."""

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from workbench.gui.widgets.errors import Words
from workbench.spec import places

COUNT = 3000


class SamplePainter(QObject):
    """`paint` starts it; `painted` gives the folder, `failed` the Words."""

    progressed = Signal(int, int)
    painted = Signal(Path)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None, *, count: int = COUNT) -> None:
        super().__init__(parent)
        self._count = count
        self._process: QProcess | None = None
        self._timer = QTimer(self, interval=200)
        self._timer.timeout.connect(self._look)

    @property
    def folder(self) -> Path:
        """Where the sample is, beside the runs."""
        return places.default_runs().parent / "sample"

    @property
    def busy(self) -> bool:
        """Whether it paints."""
        return self._process is not None

    def paint(self) -> None:
        """Paints what is not there yet; a sample that is complete takes a second."""
        if self._process is not None:
            return
        process = QProcess(self)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self._process = process
        arguments = ["-m", "workbench", "sample", str(self.folder), "--count", str(self._count)]
        process.start(sys.executable, arguments)
        self._timer.start()
        self._look()

    def cancel(self) -> None:
        """Stops painting; what is painted stays, and is not painted again."""
        if self._process is not None:
            process, self._process = self._process, None
            self._timer.stop()
            process.kill()
            process.waitForFinished(1000)

    def _look(self) -> None:
        try:
            done = sum(1 for _ in (self.folder / "images").iterdir())
        except OSError:
            done = 0
        self.progressed.emit(min(done, self._count), self._count)

    def _on_finished(self, code: int) -> None:
        process, self._process = self._process, None
        self._timer.stop()
        if process is None:
            return
        process.deleteLater()
        if code == 0:
            self.painted.emit(self.folder)
            return
        said = bytes(process.readAll().data()).decode("utf-8", "replace").strip()
        last = said.splitlines()[-1].removeprefix("workbench: ") if said else f"exit code {code}"
        self.failed.emit(Words(f"The sample could not be painted: {last}", "", said))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            self._timer.stop()
            self._process = None
            self.failed.emit(Words(f"The sample could not be painted: {sys.executable} cannot be started."))
