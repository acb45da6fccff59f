"""What is known of a run, read once for all parts of the report."""

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.catalog.registry import Registry
from workbench.runs.audit import Audit, load_audits
from workbench.runs.events import AnyEvent, Clusters, Exam, Health, Probe, Scalars, Started, read_events
from workbench.runs.folder import RunFolder
from workbench.runs.results import Evaluation, ExportRecord, load_evaluations, load_exports
from workbench.runs.split import SplitTable, read_split
from workbench.runs.state import RunState, StatusName, fold, status
from workbench.spec.errors import WorkbenchError
from workbench.spec.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class History:
    """The curves of a run, oldest first. What a resumed trainer did again is in it once."""

    scalars: tuple[Scalars, ...]
    probes: tuple[Probe, ...]
    health: tuple[Health, ...]
    clusters: tuple[Clusters, ...]
    exams: tuple[Exam, ...]

    def curve(self, name: str) -> list[tuple[float, float]]:
        """(epoch, value) of a scalar."""
        return [(event.epoch, event.values[name]) for event in self.scalars if name in event.values]

    def accuracies(self, kind: str, subject: str) -> list[tuple[float, float]]:
        """(epoch, accuracy) of a probe while training."""
        return [
            (float(probe.epoch), probe.accuracy)
            for probe in self.probes
            if (probe.kind, probe.subject) == (kind, subject)
        ]


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """A run, as the report shows it. table: None before its images were read."""

    run: RunFolder
    experiment: Experiment
    state: RunState
    status: StatusName
    history: History
    table: SplitTable | None
    evaluations: tuple[Evaluation, ...]
    audits: tuple[Audit, ...]
    exports: tuple[ExportRecord, ...]
    method: str
    method_summary: str
    backbone: str


def read_facts(run: RunFolder, registry: Registry) -> RunFacts:
    """Everything but the pictures. Raises `RunError` where the run is damaged."""
    experiment = run.experiment()
    events = read_events(run.events_file)
    name, state = status(run, fold(events))
    titles = [registry.methods[task.name].title for task in experiment.method.tasks if task.name in registry.methods]
    first = registry.methods.get(experiment.method.name)
    backbone = registry.backbones.get(experiment.backbone.name)
    return RunFacts(
        run=run,
        experiment=experiment,
        state=state,
        status=name,
        history=_history(events),
        table=_table(run),
        evaluations=load_evaluations(run),
        audits=load_audits(run),
        exports=load_exports(run),
        method=" + ".join(titles) or experiment.method.words,
        method_summary=first.summary if first else "",
        backbone=backbone.title if backbone else experiment.backbone.name,
    )


def _history(events: Iterable[AnyEvent]) -> History:
    scalars: list[Scalars] = []
    probes: list[Probe] = []
    health: list[Health] = []
    clusters: list[Clusters] = []
    exams: list[Exam] = []
    for event in events:
        match event:
            case Started():
                scalars = [one for one in scalars if one.step <= event.step]
                probes = [one for one in probes if one.epoch <= event.epoch]
                health = [one for one in health if one.epoch <= event.epoch]
                clusters = [one for one in clusters if one.epoch <= event.epoch]
                exams = [one for one in exams if one.epoch <= event.epoch]
            case Scalars():
                scalars.append(event)
            case Probe():
                same = (event.kind, event.subject, event.epoch)
                probes = [one for one in probes if (one.kind, one.subject, one.epoch) != same]
                probes.append(event)
            case Health():
                health = [one for one in health if one.epoch != event.epoch]
                health.append(event)
            case Clusters():
                clusters = [one for one in clusters if one.epoch != event.epoch]
                clusters.append(event)
            case Exam():
                exams = [one for one in exams if (one.task, one.epoch) != (event.task, event.epoch)]
                exams.append(event)
    return History(
        scalars=tuple(scalars),
        probes=tuple(probes),
        health=tuple(health),
        clusters=tuple(clusters),
        exams=tuple(exams),
    )


def _table(run: RunFolder) -> SplitTable | None:
    try:
        return read_split(run.split_file)
    except WorkbenchError:
        return None  # The run has not read its images; the report says so where they would be.
