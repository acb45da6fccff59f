"""The bench itself: measures, orders, trains, probes, and writes the table after every run.

The run folders are the truth. A run that is finished is not trained again, one that was interrupted is gone on with,
and one that failed is tried again; so a bench that was killed is simply started again.
"""

import json
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import asdict

from workbench import __version__
from workbench.bench.methods.apart import train_apart
from workbench.bench.methods.asked import Asked, claim
from workbench.bench.methods.plan import START, Plan, in_order, make_plan
from workbench.bench.methods.results import Outcome, baseline_rows, last_evaluation, method_rows, outcome_of, runs_of
from workbench.bench.methods.table import Circumstances, Table, Trained, markdown
from workbench.catalog.registry import Registry
from workbench.data.scan import scan_folder
from workbench.evaluate.probe import evaluate_run
from workbench.gui.words import duration
from workbench.runs.events import read_events
from workbench.runs.folder import RunFolder, write_whole
from workbench.runs.split import read_split, write_split
from workbench.runs.state import fold
from workbench.spec.errors import Cancelled, CheckError, TrainingError, UsageError, WorkbenchError
from workbench.spec.experiment import Experiment
from workbench.spec.params import convert
from workbench.spec.progress import Report, ignore
from workbench.training.check import check
from workbench.training.devices import resolve_device
from workbench.training.measure import measure

Train = Callable[[RunFolder, Report], None]
Tell = Callable[[str], None]
MARKDOWN, JSON = "methods.md", "methods.json"
_OVERHEAD = 12.0
"""Seconds that a run takes beside its steps, until some have been timed: starting, looking, probing."""


@dataclass(kw_only=True)
class Bench:
    """One bench in its folder. `train` trains one run to its end; tests put one in that stays in this process."""

    out: Path
    plan: Plan
    methods: tuple[str, ...]
    seeds: int
    train: Train = train_apart
    tell: Tell = print
    report: Report = ignore
    _rates: dict[str, float] = field(default_factory=dict)
    _impossible: dict[str, str] = field(default_factory=dict)
    _problems: dict[tuple[str, int], str] = field(default_factory=dict)
    _factor: float = 1.0

    def run(self) -> Table:
        """Everything that is not done yet, cheapest first. Returns the table, which is also in the folder."""
        self._measure()
        cost = {name: 1 / rate for name, rate in self._rates.items()}
        possible = tuple(name for name in self.methods if name not in self._impossible)
        work = in_order(possible, self.seeds, cost, self.plan.registry)
        there = {(one.method, one.seed) for one in self.table().outcomes if one.probes}.intersection(work)
        if there:
            self.tell(f"{len(there)} of {len(work)} runs are finished already.")
        for number, (method, seed) in enumerate(work):
            if (method, seed) in there:
                continue
            said = f"[{number + 1}/{len(work)}] {method}, seed {seed}"
            began = time.monotonic()
            try:
                told = self._one(method, seed, self._telling(said, work[number:]))
            except (Cancelled, KeyboardInterrupt):
                self.write()
                self.tell(f"{said}: interrupted. The same command goes on with it.")
                raise
            except Exception as error:  # noqa: BLE001  # whatever a plugin raises is for the table; the rest goes on
                self._problems[method, seed] = _words(error)
                told = f"failed: {_words(error)}"
            self._learn(method, seed, time.monotonic() - began)
            self.write()
            self.tell(f"{said}: {told}{self._left(work[number + 1 :])}")
        return self.write()

    def write(self) -> Table:
        """The table of what is there now, as Markdown and as JSON."""
        table = self.table()
        write_whole(self.out / JSON, msgspec.json.format(msgspec.json.encode(table)))
        write_whole(self.out / MARKDOWN, markdown(table).encode())
        return table

    def table(self) -> Table:
        """From the run folders, and what went wrong in this process: what was asked for now, and what is there."""
        runs = runs_of(self.out / "runs")
        wanted = [(method, seed) for seed in range(self.seeds) for method in self.methods]
        others = [key for key in sorted(runs) if key not in wanted and key[0] in self.plan.registry.methods]
        outcomes = [self._outcome(method, seed, runs.get((method, seed))) for method, seed in (*wanted, *others)]
        infos = self.plan.registry.methods.items()
        titles = {name: f"{info.title} (with labels)" if info.uses_labels else info.title for name, info in infos}
        rows = method_rows(outcomes, titles)
        return Table(
            asked=self.plan.asked,
            circumstances=self._circumstances(outcomes, list(runs.values())),
            rows=rows,
            baselines=baseline_rows(outcomes),
            outcomes=tuple(outcomes),
            trained={row.name: self._trained(row.name, outcomes) for row in rows if row.finished},
            complete=all(one.probes or one.problem for one in outcomes),
        )

    def _measure(self) -> None:
        """A few steps of every method that has something left to do: for the order, and for a budget of time."""
        runs = runs_of(self.out / "runs")
        for method in self.methods:
            waiting = [seed for seed in range(self.seeds) if not _is_done(runs.get((method, seed)))]
            if not waiting or self.plan.registry.method(method).starts_from_run:
                continue
            self.report(f"measuring · {method}", self.methods.index(method), len(self.methods))
            try:
                experiment = self.plan.experiment(method, waiting[0], rate=1.0)
                self._refuse(experiment)
                measured = measure(experiment, self.plan.scan.count, self.plan.registry)
                self._rates[method] = measured.images_per_second
            except UsageError as error:
                self._impossible[method] = str(error)
                self.tell(f"{method} is left out: {error}")
            except Exception as error:  # noqa: BLE001  # its training says the same, in the table
                self.tell(f"{method} could not be measured: {_words(error)}")

    def _refuse(self, experiment: Experiment) -> None:
        """Raises `CheckError` with what would stop the method on these images, as films that there are not."""
        for finding in check(experiment, self.plan.scan.count, self.plan.registry):
            if finding.level == "error":
                raise CheckError(finding.message)

    def _one(self, method: str, seed: int, report: Report) -> str:
        """Trains and probes one run, as far as that is not done. Returns what came of it in words."""
        run = runs_of(self.out / "runs").get((method, seed)) or self._create(method, seed)
        if not _is_done(run):
            self.train(run, report)
        state = fold(read_events(run.events_file))
        if state.phase != "finished":
            raise TrainingError(f"It is {state.phase}.")
        evaluation = last_evaluation(run, state)
        if evaluation is None:
            device = resolve_device(run.experiment().train.device)
            evaluation = evaluate_run(run, device=device, registry=self.plan.registry)
        result = evaluation.result("linear")
        return f"linear probe {result.accuracy:.1%}" if result else "probed"

    def _create(self, method: str, seed: int) -> RunFolder:
        start: Path | None = None
        if self.plan.registry.method(method).starts_from_run:
            first = runs_of(self.out / "runs").get((START, seed))
            if not _is_done(first):
                raise TrainingError(f"It starts from the run of {START} of seed {seed}, which is not finished.")
            start = first.path if first else None
        known = list(self._rates.values())
        rate = self._rates.get(method) or (sum(known) / len(known) if known else 1.0)
        experiment = self.plan.experiment(method, seed, rate=rate, start=start)
        run = RunFolder.create(self.out / "runs", experiment)
        write_split(run.split_file, self.plan.split(experiment))
        return run

    def _outcome(self, method: str, seed: int, run: RunFolder | None) -> Outcome:
        problem = self._impossible.get(method) or self._problems.get((method, seed), "")
        if run is not None and not problem:
            with suppress(WorkbenchError, OSError):
                state = fold(read_events(run.events_file))
                evaluation = last_evaluation(run, state)
                if state.phase == "finished" and evaluation is not None:
                    return outcome_of(run, evaluation)
        possible = method not in self._impossible
        return Outcome(method=method, seed=seed, run=run.name if run else "", problem=problem, possible=possible)

    def _trained(self, method: str, outcomes: Sequence[Outcome]) -> Trained:
        """Of the first of its seeds that has a result."""
        one = next(one for one in outcomes if one.method == method and one.probes)
        experiment = RunFolder(self.out / "runs" / one.run).experiment()
        info = self.plan.registry.method(method)
        params = convert(experiment.method.params, info.params, where="method.params")
        return Trained(experiment=experiment, epochs=one.epochs, params=asdict(params), paper=info.paper)

    def _circumstances(self, outcomes: Sequence[Outcome], runs: Sequence[RunFolder]) -> Circumstances:
        methods = tuple(sorted({one.method for one in outcomes}))
        train = test = classes = 0
        on_gpu = False
        precision = ""
        machine, versions = platform.processor() or platform.machine(), {"Pretext Workbench": __version__}
        for run in runs:
            with suppress(OSError, ValueError, KeyError, WorkbenchError):
                told = json.loads(run.environment_file.read_text(encoding="utf-8"))
                split = read_split(run.split_file)
                train, test, classes = len(split.rows("train")), len(split.rows("test")), len(split.classes())
                machine, on_gpu = _machine(told), bool(told.get("gpu"))
                precision = str(fold(read_events(run.events_file)).derived.get("precision", ""))
                versions |= {"Python": told["python"], "torch": told["versions"]["torch"]}
                break
        return Circumstances(
            train_images=train,
            test_images=test,
            classes=classes,
            size=self.plan.data.size,
            seeds=max(one.seed for one in outcomes) + 1,
            methods=methods if len(methods) < len(self.plan.registry.methods) else (),
            date=f"{datetime.now():%Y-%m-%d}",
            machine=machine,
            precision=precision,
            on_gpu=on_gpu,
            versions=versions,
        )

    def _telling(self, said: str, left: Sequence[tuple[str, int]]) -> Report:
        total = max(1, round(sum(self._expected(method) for method, _ in left)))
        mine = self._expected(left[0][0])
        words = self._left(left)

        def report(what: str, done: int, of: int) -> None:
            share = done / of if of else 0.0
            self.report(f"methods · {said}: {what} {share:.0%}{words}", round(mine * share), total)

        return report

    def _expected(self, method: str) -> float:
        """Seconds that a run of this method takes, as far as is known."""
        budget = self.plan.asked.budget
        if budget.minutes:
            steps = 60 * budget.minutes
        else:
            rate = self._rates.get(method) or min(self._rates.values(), default=100.0)
            steps = budget.images / rate
        return (steps + _OVERHEAD) * self._factor

    def _learn(self, method: str, seed: int, seconds: float) -> None:
        """How much longer, or shorter, runs take than was expected."""
        if (method, seed) not in self._problems and seconds > 1:
            self._factor *= (seconds / self._expected(method)) ** 0.5

    def _left(self, left: Sequence[tuple[str, int]]) -> str:
        runs = runs_of(self.out / "runs")
        seconds = sum(self._expected(method) for method, seed in left if not _is_done(runs.get((method, seed))))
        return f" · about {duration(seconds)} left" if seconds else ""


def make_bench(
    out: Path,
    asked: Asked,
    *,
    registry: Registry,
    methods: Sequence[str] = (),
    seeds: int = 3,
    tell: Tell = print,
    report: Report = ignore,
) -> Bench:
    """A bench in a folder, new or gone on with. Without `methods` it is of all that train alone.

    Raises `NotFoundError` for an unknown method or backbone, `UsageError` where the folder holds another bench, and
    `CheckError` for images without labels.
    """
    for name in methods:
        registry.method(name)
    registry.backbone(asked.backbone)
    chosen = list(methods or (name for name, info in registry.methods.items() if not info.beside_only))
    if START not in chosen and any(registry.method(name).starts_from_run for name in chosen):
        chosen.append(START)
    plan = make_plan(scan_folder(Path(asked.folder), report), asked, registry)
    claim(out, asked)
    return Bench(out=out, plan=plan, methods=tuple(chosen), seeds=seeds, tell=tell, report=report)


def _is_done(run: RunFolder | None) -> bool:
    return run is not None and fold(read_events(run.events_file)).phase == "finished"


def _machine(told: dict[str, object]) -> str:
    if told.get("gpu"):
        return f"GPU: {told['gpu']}"
    return f"CPU ({told['processor']}, {told['cores']} cores), threads of computation: {told['threads']}"


def _words(error: BaseException) -> str:
    text = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())
