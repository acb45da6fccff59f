"""What the runs of a bench have shown: one outcome per run, one row per method."""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from workbench.runs.events import AnyEvent, Scalars, read_events
from workbench.runs.folder import RunFolder
from workbench.runs.index import list_runs
from workbench.runs.results import Evaluation, load_evaluations
from workbench.runs.state import RunState, fold

Kind = Literal["linear", "knn"]
Subject = Literal["encoder", "untrained", "pixels"]


_TUNED_NAME = re.compile(r"(.+) seed (\d+), fine-tuned")


class Accuracy(Struct, frozen=True, kw_only=True):
    """Of one probe of one run, with its 95 % Wilson interval."""

    value: float
    low: float
    high: float


NONE: Mapping[int, Accuracy] = MappingProxyType({})


class Outcome(Struct, frozen=True, kw_only=True):
    """One run. `problem` says why it is not finished; then the figures are missing. `possible`: not where the method
    and the images or the backbone do not go together.

    images_per_second: the median of the curve's points, without looks at the representation. minutes: of training in
    all, with them. memory: the most bytes held, of the process on a CPU, on the device with a GPU. from_run: its
    encoder came from another run, so that its own "untrained" is not. fine_tuned: what a linear probe reads from the
    encoder after fine-tuning.
    """

    method: str
    seed: int
    run: str = ""
    from_run: bool = False
    problem: str = ""
    possible: bool = True
    images: int = 0
    epochs: float = 0.0
    images_per_second: float = 0.0
    minutes: float = 0.0
    memory: int = 0
    health: str = ""
    advice: str = ""
    probes: dict[str, Accuracy] = {}
    fine_tuned: Accuracy | None = None

    def probe(self, kind: Kind, subject: Subject = "encoder") -> Accuracy | None:
        """One of the probes."""
        return self.probes.get(f"{kind} {subject}")


class Figure(Struct, frozen=True, kw_only=True):
    """A probe over seeds: means of the accuracy and of the ends of its interval, and the deviation over seeds."""

    mean: float
    low: float
    high: float
    spread: float | None


class Row(Struct, frozen=True, kw_only=True):
    """One method (or baseline) over its seeds; means, but for `memory`, which is the most.

    gain: of the linear probe over the untrained encoder's. better: in how many seeds it is beyond both intervals, that
    is, the lower end of the one is above the upper end of the other. tuned, tuned_gain, tuned_better: the same of
    fine-tuning, over that of an encoder that nothing has trained.
    """

    name: str
    title: str
    finished: int
    linear: Figure | None = None
    knn: Figure | None = None
    gain: float = 0.0
    better: int = 0
    tuned: Figure | None = None
    tuned_gain: float = 0.0
    tuned_better: int = 0
    images_per_second: float = 0.0
    minutes: float = 0.0
    memory: int = 0
    health: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def runs_of(folder: Path) -> dict[tuple[str, int], RunFolder]:
    """The runs of a bench by method and seed."""
    found: dict[tuple[str, int], RunFolder] = {}
    for entry in reversed(list_runs(folder)):  # The newest counts.
        if entry.experiment is not None:
            found[entry.experiment.method.name, entry.experiment.seed] = RunFolder(entry.path)
    return found


def tuned_runs(folder: Path) -> dict[tuple[str, int], RunFolder]:
    """The runs that fine-tune, by what they fine-tune, as `Plan.fine_tuning` names it, and seed."""
    found: dict[tuple[str, int], RunFolder] = {}
    for entry in reversed(list_runs(folder)):
        match = _TUNED_NAME.fullmatch(entry.experiment.name) if entry.experiment else None
        if match:
            found[match.group(1), int(match.group(2))] = RunFolder(entry.path)
    return found


def last_evaluation(run: RunFolder, state: RunState) -> Evaluation | None:
    """Both probes of the last weights, where they were taken."""
    saved = state.checkpoint
    for evaluation in load_evaluations(run):
        is_last = saved is not None and evaluation.epoch == saved.epoch and evaluation.time >= saved.time
        if is_last and evaluation.result("linear") and evaluation.result("knn"):
            return evaluation
    return None


def accuracy_of(evaluation: Evaluation, kind: Kind) -> Accuracy | None:
    """One of the encoder's probes."""
    result = evaluation.result(kind)
    return Accuracy(value=result.accuracy, low=result.low, high=result.high) if result else None


def outcome_of(run: RunFolder, evaluation: Evaluation, fine_tuned: Accuracy | None = None) -> Outcome:
    """What a finished run has shown."""
    experiment, events = run.experiment(), read_events(run.events_file)
    state = fold(events)
    return Outcome(
        method=experiment.method.name,
        seed=experiment.seed,
        run=run.name,
        from_run=experiment.backbone.weights not in ("none", "pretrained"),
        images=state.step * experiment.train.batch_size,
        epochs=state.epoch,
        images_per_second=_median_rate(events),
        minutes=state.seconds / 60,
        memory=int(state.derived.get("peak_memory_mb", 0)) * 2**20,
        health=state.verdict.title if state.verdict else "",
        advice=state.verdict.text if state.verdict else "",
        probes={
            f"{result.kind} {result.subject}": Accuracy(value=result.accuracy, low=result.low, high=result.high)
            for result in evaluation.results
        },
        fine_tuned=fine_tuned,
    )


def method_rows(
    outcomes: Sequence[Outcome], titles: dict[str, str], scratch: Mapping[int, Accuracy] = NONE
) -> tuple[Row, ...]:
    """A row per method, the most accurate linear probe first, those without a result last.

    scratch: by seed, the accuracy of an encoder that was fine-tuned from its first weights.
    """
    untrained = baselines(outcomes)
    rows = [
        _row(name, titles.get(name, name), [one for one in outcomes if one.method == name], untrained, scratch)
        for name in dict.fromkeys(one.method for one in outcomes)
    ]
    return tuple(sorted(rows, key=lambda row: (row.linear is None, -(row.linear.mean if row.linear else 0), row.name)))


def baseline_rows(outcomes: Sequence[Outcome], scratch: Mapping[int, Accuracy] = NONE) -> tuple[Row, ...]:
    """The untrained encoder and raw pixels, over the seeds that there are; the former fine-tuned: see `method_rows`."""
    by_seed = list(baselines(outcomes).values())
    subjects: tuple[tuple[Subject, str], ...] = (("untrained", "untrained encoder"), ("pixels", "raw pixels"))
    return tuple(
        Row(
            name=subject,
            title=title,
            finished=len(by_seed),
            linear=figure(one.probe("linear", subject) for one in by_seed),
            knn=figure(one.probe("knn", subject) for one in by_seed),
            tuned=figure(scratch.values()) if subject == "untrained" else None,
        )
        for subject, title in subjects
        if by_seed
    )


def baselines(outcomes: Iterable[Outcome]) -> dict[int, Outcome]:
    """By seed, a run whose untrained encoder is the one that all methods of that seed began from."""
    return {one.seed: one for one in outcomes if one.probes and not one.from_run}


def figure(accuracies: Iterable[Accuracy | None]) -> Figure | None:
    """Over seeds; None where there are none."""
    known = [one for one in accuracies if one is not None]
    if not known:
        return None
    return Figure(
        mean=statistics.fmean(one.value for one in known),
        low=statistics.fmean(one.low for one in known),
        high=statistics.fmean(one.high for one in known),
        spread=statistics.stdev(one.value for one in known) if len(known) > 1 else None,
    )


def _row(
    name: str,
    title: str,
    outcomes: Sequence[Outcome],
    untrained: Mapping[int, Outcome],
    scratch: Mapping[int, Accuracy],
) -> Row:
    done = [one for one in outcomes if one.probes]
    pairs = [
        (mine, theirs)
        for one in done
        if one.seed in untrained
        and (mine := one.probe("linear"))
        and (theirs := untrained[one.seed].probe("linear", "untrained"))
    ]
    tuned = [(one.fine_tuned, scratch[one.seed]) for one in done if one.fine_tuned and one.seed in scratch]
    problems = tuple(dict.fromkeys(one.problem for one in outcomes if one.problem))
    if not pairs:
        return Row(name=name, title=title, finished=0, problems=problems)
    return Row(
        name=name,
        title=title,
        finished=len(done),
        linear=figure(mine for mine, _ in pairs),
        knn=figure(one.probe("knn") for one in done),
        gain=statistics.fmean(mine.value - theirs.value for mine, theirs in pairs),
        better=sum(mine.low > theirs.high for mine, theirs in pairs),
        tuned=figure(mine for mine, _ in tuned),
        tuned_gain=statistics.fmean(mine.value - theirs.value for mine, theirs in tuned) if tuned else 0.0,
        tuned_better=sum(mine.low > theirs.high for mine, theirs in tuned),
        images_per_second=statistics.fmean(one.images_per_second for one in done),
        minutes=statistics.fmean(one.minutes for one in done),
        memory=max(one.memory for one in done),
        health=tuple(one.health for one in done),
        problems=problems,
    )


def _median_rate(events: Iterable[AnyEvent]) -> float:
    rates = [
        event.values["images_per_second"]
        for event in events
        if isinstance(event, Scalars) and event.values.get("images_per_second", 0) > 0
    ]
    return statistics.median(rates) if rates else 0.0
