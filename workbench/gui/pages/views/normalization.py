"""Views as stored, or as the network gets them: the switch, and the mean and deviation behind it."""

from collections.abc import Sequence

from msgspec.structs import replace
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.engine.messages import Arrays, PixelStatistics, PixelStatisticsReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.pages.views import edits
from workbench.gui.widgets.segments import Segments
from workbench.gui.widgets.shades import REACH, Shades
from workbench.spec.dataset import ScanReport
from workbench.spec.experiment import DataSpec

_MEASURED = 256
_HELP = (
    "Normalized: the numbers that the network gets, (value − mean) / deviation of each channel. "
    f"0 is mid gray; black and white are {REACH} deviations away."
)
_MOST_WRITTEN = 6


class NormalizationSwitch(QWidget):
    """`changed` when pictures are to be painted in other shades, or the words about them are others.

    The engine is asked once for each folder and each way to read it, and only when somebody wants to know.
    """

    changed = Signal()

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._scan: ScanReport | None = None
        self._data: DataSpec | None = None
        self._known: dict[DataSpec, PixelStatisticsReply] = {}
        self._problem = ""
        self.mode = Segments((("stored", "as stored"), ("normalized", "normalized")))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.mode)
        self.setToolTip(_HELP)
        self.mode.chosen.connect(self._on_chosen)

    @property
    def shades(self) -> Shades | None:
        """What to paint pictures with; None as they are stored, and while nothing is known yet."""
        reply = self._reply()
        return Shades(reply.mean, reply.std) if reply is not None else None

    @property
    def words(self) -> str:
        """'mean 0.47 0.44 0.40 · deviation 0.25 0.24 0.26 · from 256 images'; '' while pictures are as stored."""
        if not self._wanted:
            return ""
        reply = self._reply()
        if self._problem or reply is None:
            return self._problem or "measuring mean and deviation …"
        if self._data is not None and self._data.normalize == "none":
            return "normalization is off: the network gets values from 0 to 1"
        means, deviations = (_written(numbers) for numbers in (reply.mean, reply.std))
        source = f"from {reply.images:,} images" if reply.images else "ImageNet's"
        return f"mean {means} · deviation {deviations} · {source}"

    def set_scan(self, scan: ScanReport | None) -> None:
        """Another folder: nothing is known about it."""
        self._scan, self._data = scan, None
        self._known.clear()
        self._problem = ""

    def set_data(self, data: DataSpec) -> None:
        """How the images of the folder are read; asks for what is not known about that."""
        key = _key(data)
        if key == self._data:
            return
        self._data = key
        self._problem = ""
        self._ask()

    @property
    def _wanted(self) -> bool:
        return self.mode.value() == "normalized"

    def _reply(self) -> PixelStatisticsReply | None:
        return self._known.get(self._data) if self._wanted and self._data is not None else None

    def _on_chosen(self, _value: str) -> None:
        self._problem = ""
        self._ask()
        self.changed.emit()

    def _ask(self) -> None:
        data, scan = self._data, self._scan
        if not self._wanted or data is None or data in self._known or scan is None or not scan.count:
            return
        rows = edits.shown_rows(scan, data, _MEASURED, 0)
        self._engine.ask(
            PixelStatistics(data=data, paths=tuple(scan.paths[row] for row in rows)),
            done=lambda reply, arrays: self._on_measured(scan, data, reply, arrays),
            failed=self._on_failed,
            topic="pixel statistics",
        )

    def _on_measured(self, scan: ScanReport, data: DataSpec, reply: PixelStatisticsReply, arrays: Arrays) -> None:
        del arrays
        if scan is self._scan:
            self._known[data] = reply
            self.changed.emit()

    def _on_failed(self, failure: Failed) -> None:
        if failure.reason == "error":
            self._problem = f"mean and deviation could not be measured: {failure.message}"
            self.changed.emit()


def _written(numbers: Sequence[float]) -> str:
    """Two digits, more where all are small; the first few of many channels."""
    digits = 2 if max(numbers, default=1.0) >= 0.05 else 4
    shown = " ".join(f"{value:.{digits}f}" for value in numbers[:_MOST_WRITTEN])
    return f"{shown} …" if len(numbers) > _MOST_WRITTEN else shown


def _key(data: DataSpec) -> DataSpec:
    """What the numbers depend on; labels and splits are edited without another measurement."""
    plain = DataSpec(folder=data.folder)
    return replace(
        data, labels=plain.labels, csv=plain.csv, column=plain.column, group=plain.group, split=plain.split,
        test_fraction=plain.test_fraction, limit=plain.limit,
    )  # fmt: skip
