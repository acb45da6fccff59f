"""A run's state: a pure fold over its events."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from workbench.runs import control
from workbench.runs.events import (
    AnyEvent,
    CheckpointSaved,
    Clusters,
    Derived,
    Exam,
    ExhibitTaken,
    Failure,
    Health,
    Phase,
    PhaseName,
    Probe,
    Progressed,
    Scalars,
    SnapshotTaken,
    Started,
    Verdict,
    Warned,
    read_events,
)
from workbench.runs.folder import RunFolder

StatusName = Literal["created", "preparing", "training", "paused", "finished", "stopped", "failed", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class RunState:
    """Where a run stands. Times are seconds since 1970; `seconds` is time spent training."""

    phase: PhaseName = "created"
    created: float = 0.0
    updated: float = 0.0
    started: Started | None = None
    derived: dict[str, str | int | float | bool] = field(default_factory=dict)
    progressed: Progressed | None = None
    step: int = 0
    epoch: float = 0.0
    scalars: dict[str, float] = field(default_factory=dict)
    health: Health | None = None
    verdict: Verdict | None = None
    probes: tuple[Probe, ...] = ()
    clusters: Clusters | None = None
    exams: tuple[Exam, ...] = ()
    snapshots: tuple[SnapshotTaken, ...] = ()
    exhibits: tuple[ExhibitTaken, ...] = ()
    checkpoint: CheckpointSaved | None = None
    warnings: tuple[Warned, ...] = ()
    failure: Failure | None = None
    seconds: float = 0.0
    training_since: float | None = None

    @property
    def total_epochs(self) -> int:
        """Epochs that the run will have, 0 before a trainer has taken it up."""
        return self.started.total_epochs if self.started else 0

    def best(self, kind: str, subject: str = "encoder") -> Probe | None:
        """The most accurate probe of a kind, the newest among equals."""
        matching = [probe for probe in self.probes if probe.kind == kind and probe.subject == subject]
        return max(matching, key=lambda probe: (probe.accuracy, probe.epoch), default=None)

    def last(self, kind: str, subject: str = "encoder") -> Probe | None:
        """The newest probe of a kind."""
        matching = [probe for probe in self.probes if probe.kind == kind and probe.subject == subject]
        return matching[-1] if matching else None

    def last_exams(self) -> tuple[Exam, ...]:
        """The newest of every task, in the order in which tasks were first seen."""
        return tuple({exam.task: exam for exam in self.exams}.values())

    def trained_seconds(self) -> float:
        """Seconds spent training until the last event, those of the phase that goes on included."""
        if self.training_since is None:
            return self.seconds
        return self.seconds + max(0.0, self.updated - self.training_since)

    def fraction(self) -> float:
        """How much of the training is done, from 0 to 1. A run with a time limit says so itself."""
        if self.phase == "finished":
            return 1.0
        said = self.scalars.get("progress")
        if said is not None:
            return min(1.0, said)
        return min(1.0, self.epoch / self.total_epochs) if self.total_epochs else 0.0


def fold(events: Iterable[AnyEvent], state: RunState | None = None) -> RunState:
    """The state after `events`, beginning from `state`."""
    state = state or RunState()
    for event in events:
        state = _after(state, event)
    return state


def status(run: RunFolder, state: RunState | None = None) -> tuple[StatusName, RunState]:
    """The state and its name for a person: a run that claims to be at work while nobody is, is interrupted."""
    state = state or fold(read_events(run.events_file))
    if state.phase in ("preparing", "training", "paused") and not control.is_alive(run):
        return "interrupted", state
    return state.phase, state


def _after(state: RunState, event: AnyEvent) -> RunState:
    before = state.updated
    state = replace(state, updated=event.time, created=state.created or event.time)
    match event:
        case Phase():
            return _enter(state, event, before)
        case Started():
            return _go_back(replace(state, started=event, failure=None), event)
        case Derived():
            return replace(state, derived={**state.derived, **event.values})
        case Progressed():
            return replace(state, progressed=event)
        case Scalars():
            return replace(state, step=event.step, epoch=event.epoch, scalars={**state.scalars, **event.values})
        case Health() | Verdict() | Probe() | Clusters() | Exam():
            return _looked(state, event)
        case SnapshotTaken() | ExhibitTaken():
            return _with_file(state, event)
        case CheckpointSaved():
            return replace(state, checkpoint=event)
        case Warned():
            return replace(state, warnings=(*state.warnings, event))
        case Failure():
            return replace(state, failure=event)


def _looked(state: RunState, event: Health | Verdict | Probe | Clusters | Exam) -> RunState:
    """What a look at the representation has found."""
    match event:
        case Health():
            return replace(state, health=event)
        case Verdict():
            return replace(state, verdict=event)
        case Probe():
            kept = tuple(probe for probe in state.probes if _subject(probe) != _subject(event))
            return replace(state, probes=(*kept, event))
        case Clusters():
            return replace(state, clusters=event)
        case Exam():
            same = (event.task, event.epoch)
            return replace(state, exams=(*(one for one in state.exams if (one.task, one.epoch) != same), event))


def _with_file(state: RunState, event: SnapshotTaken | ExhibitTaken) -> RunState:
    """The newest of an epoch is the one that counts."""
    if isinstance(event, SnapshotTaken):
        return replace(state, snapshots=(*(one for one in state.snapshots if one.epoch != event.epoch), event))
    return replace(state, exhibits=(*(one for one in state.exhibits if one.epoch != event.epoch), event))


def _subject(probe: Probe) -> tuple[str, str, int]:
    return probe.kind, probe.subject, probe.epoch


def _go_back(state: RunState, started: Started) -> RunState:
    """Forgets what an interrupted trainer did beyond the step where the next one begins: it is done anew."""
    health, verdict, clusters = state.health, state.verdict, state.clusters
    if state.step > started.step:
        epoch = started.step / started.steps_per_epoch if started.steps_per_epoch else float(started.epoch)
        state = replace(state, step=started.step, epoch=epoch, scalars={})
    return replace(
        state,
        probes=tuple(probe for probe in state.probes if probe.epoch <= started.epoch),
        exams=tuple(exam for exam in state.exams if exam.epoch <= started.epoch),
        snapshots=tuple(snapshot for snapshot in state.snapshots if snapshot.epoch <= started.epoch),
        exhibits=tuple(exhibit for exhibit in state.exhibits if exhibit.epoch <= started.epoch),
        health=health if health and health.epoch <= started.epoch else None,
        verdict=verdict if verdict and verdict.epoch <= started.epoch else None,
        clusters=clusters if clusters and clusters.epoch <= started.epoch else None,
    )


def _enter(state: RunState, event: Phase, before: float) -> RunState:
    seconds = state.seconds
    if state.training_since is not None:
        # A trainer that begins anew follows one that was killed: its last event is when it last trained.
        until = before if event.phase == "preparing" else event.time
        seconds += max(0.0, until - state.training_since)
    since = event.time if event.phase == "training" else None
    return replace(state, phase=event.phase, seconds=seconds, training_since=since)
