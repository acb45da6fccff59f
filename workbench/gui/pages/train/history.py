"""A run's events as arrays to plot, and how long the rest will take. No Qt."""

from collections import deque
from collections.abc import Iterable

import numpy as np

from workbench.gui.widgets.series import Values
from workbench.runs.events import AnyEvent, Clusters, Exam, Health, Phase, Probe, Scalars, Started

_WINDOW_SECONDS = 120.0


class Series:
    """A curve that grows at its end. `x` and `y` are views: what they hold never changes."""

    def __init__(self) -> None:
        self._count = 0
        self._rows = np.empty((3, 256))

    def append(self, step: int, x: float, y: float) -> None:
        """One point; points at this step and later ones were taken back by a resumed run, and go."""
        if self._count and self._rows[0, self._count - 1] >= step:
            self._count = int(np.searchsorted(self._rows[0, : self._count], step))
            self._rows = self._rows.copy()
        if self._count == self._rows.shape[1]:
            self._rows = np.concatenate((self._rows, np.empty_like(self._rows)), axis=1)
        self._rows[:, self._count] = step, x, y
        self._count += 1

    @property
    def x(self) -> Values:
        """(n,) epochs."""
        return self._rows[1, : self._count]

    @property
    def y(self) -> Values:
        """(n,) values."""
        return self._rows[2, : self._count]


class History:
    """Everything that curves and tables show of a run; `add` takes its events in order."""

    def __init__(self) -> None:
        self.scalars: dict[str, Series] = {}
        self.health: list[Health] = []
        self.probes: list[Probe] = []
        self.clusters: list[Clusters] = []
        self.exams: dict[str, list[Exam]] = {}
        self.events: list[AnyEvent] = []
        self._pace: deque[tuple[float, float]] = deque()
        self._total = 0

    def add(self, events: Iterable[AnyEvent]) -> None:
        """More events."""
        for event in events:
            match event:
                case Scalars():
                    for name, value in event.values.items():
                        self.scalars.setdefault(name, Series()).append(event.step, event.epoch, value)
                    self._keep_pace(event)
                    continue
                case Health():
                    self.health = [*(old for old in self.health if old.epoch < event.epoch), event]
                    continue
                case Probe():
                    self._add_probe(event)
                    continue
                case Clusters():
                    self.clusters = [*(old for old in self.clusters if old.epoch < event.epoch), event]
                    continue
                case Exam():
                    earlier = self.exams.get(event.task, [])
                    self.exams[event.task] = [*(old for old in earlier if old.epoch < event.epoch), event]
                    continue
                case Started():
                    self._total = event.total_epochs
                    self._pace.clear()
                case Phase():
                    self._pace.clear()
            self.events.append(event)

    def probe_curve(self, kind: str) -> tuple[Values, Values]:
        """Epochs and accuracies of the encoder's probes of a kind, the untrained encoder as epoch 0."""
        points = {
            0 if probe.subject == "untrained" else probe.epoch: probe.accuracy
            for probe in self.probes
            if probe.kind == kind and probe.subject != "pixels"
        }
        epochs = sorted(points)
        return np.array(epochs, np.float64), np.array([points[epoch] for epoch in epochs], np.float64)

    def probe(self, kind: str, subject: str) -> Probe | None:
        """The newest of its kind."""
        found = [probe for probe in self.probes if (probe.kind, probe.subject) == (kind, subject)]
        return found[-1] if found else None

    @property
    def share(self) -> float:
        """How much of the run is done, from 0 to 1, as its trainer said last."""
        return self._pace[-1][1] if self._pace else 0.0

    def seconds_left(self) -> float | None:
        """From the pace of the last two minutes, probes and snapshots included; None while that is unknown."""
        if len(self._pace) < 3:
            return None
        (first_time, first_share), (last_time, last_share) = self._pace[0], self._pace[-1]
        if last_share <= first_share or last_time <= first_time:
            return None
        return max(0.0, (1.0 - last_share) * (last_time - first_time) / (last_share - first_share))

    def _keep_pace(self, event: Scalars) -> None:
        share = event.values.get("progress")
        if share is None:
            share = event.epoch / self._total if self._total else 0.0
        self._pace.append((event.time, share))
        while event.time - self._pace[0][0] > _WINDOW_SECONDS and len(self._pace) > 3:
            self._pace.popleft()

    def _add_probe(self, probe: Probe) -> None:
        same = (probe.kind, probe.subject)
        kept = [old for old in self.probes if (old.kind, old.subject) != same or old.epoch < probe.epoch]
        self.probes = [*kept, probe]
