"""The bench itself: measures, orders, trains, probes, and writes the table after every run.

The run folders are the truth. A run that is finished is not trained again, one that was interrupted is gone on with,
and one that failed is tried again; so a bench that was killed is simply started again.
"""

import json
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event

import msgspec
from msgspec.structs import asdict, replace

from workbench import __version__
from workbench.bench.methods.asked import Asked, claim
from workbench.bench.methods.plan import JUDGE, START, Plan, Work, in_order, make_plan
from workbench.bench.methods.results import (
    Accuracy,
    Outcome,
    accuracy_of,
    baseline_rows,
    last_evaluation,
    method_rows,
    outcome_of,
    runs_of,
    tuned_runs,
)
from workbench.bench.methods.standing import Standing
from workbench.bench.methods.table import Circumstances, Table, Trained, markdown
from workbench.catalog.registry import Registry
from workbench.data.scan import scan_folder
from workbench.runs.events import read_events
from workbench.runs.folder import RunFolder, write_whole
from workbench.runs.results import ProbeResult
from workbench.runs.split import read_split, write_split
from workbench.runs.state import fold
from workbench.spec.errors import Cancelled, CheckError, TrainingError, UsageError, WorkbenchError
from workbench.spec.experiment import Experiment
from workbench.spec.params import convert
from workbench.spec.progress import Report, ignore
from workbench.training.check import check
from workbench.training.measure import measure

Train = Callable[[RunFolder, Report], None]
Probe = Callable[[RunFolder, Sequence[ProbeResult]], None]
Tell = Callable[[str], None]
MARKDOWN, JSON = "methods.md", "methods.json"
SCRATCH = "from scratch"
"""The work, beside that of methods, of fine-tuning an encoder that nothing has trained."""
_TUNED = "fine-tuned"


@dataclass(kw_only=True)
class Bench:
    """One bench in its folder; `at_once` runs are trained at a time.

    train, probe: what trains one run to its end, and what probes it; tests put in ones that stay in this process.
    """

    out: Path
    plan: Plan
    methods: tuple[str, ...]
    seeds: int
    train: Train
    probe: Probe
    at_once: int = 1
    tell: Tell = print
    report: Report = ignore
    _runs: dict[Work, RunFolder] = field(init=False)
    _tuned: dict[Work, RunFolder] = field(init=False)
    _outcomes: dict[Work, Outcome] = field(default_factory=dict)
    _rates: dict[str, float] = field(default_factory=dict)
    _impossible: dict[str, str] = field(default_factory=dict)
    _problems: dict[Work, str] = field(default_factory=dict)
    _waiting: dict[Work, "Future[str]"] = field(default_factory=dict)
    _stop: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._runs = runs_of(self.out / "runs")
        self._tuned = tuned_runs(self.out / _TUNED)

    def run(self) -> Table:
        """Everything that is not done yet, cheapest first. Returns the table, which is also in the folder."""
        self._measure()
        cost = {name: 1 / rate for name, rate in self._rates.items()}
        possible = [name for name in self.methods if name not in self._impossible]
        wanted = (SCRATCH, *possible) if self.plan.asked.fine_tuning else tuple(possible)
        work = in_order(wanted, self.seeds, {**cost, SCRATCH: 0.0}, self.plan.registry)
        there = {one for one in work if self._is_there(*one)}
        if there:
            self.tell(f"{len(there)} of {len(work)} runs are finished already.")
        left = [one for one in work if one not in there]
        standing = Standing(work, left, self.at_once, self._rates, self.plan.asked, self.report)
        with ThreadPoolExecutor(self.at_once, "bench") as pool:
            try:
                self._waiting = {one: pool.submit(self._one, *one, standing) for one in left}
                work_of = {future: one for one, future in self._waiting.items()}
                for future in as_completed(work_of):
                    self._tell_end(work_of[future], future, standing)
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                self.write()
                self.tell("Interrupted. The same command goes on with it.")
                raise
        return self.write()

    def _tell_end(self, one: Work, future: "Future[str]", standing: Standing) -> None:
        """What came of a run, in the table and in words."""
        try:
            told = future.result()
        except (Cancelled, KeyboardInterrupt):
            raise
        except Exception as error:  # noqa: BLE001  # whatever a plugin raises is for the table; the rest goes on
            self._problems[one] = _words(error)
            told = f"failed: {_words(error)}"
        standing.end(one, learned=one not in self._problems)
        self.write()
        self.tell(f"{standing.name(one)}: {told}{standing.words()}")

    def write(self) -> Table:
        """The table of what is there now, as Markdown and as JSON."""
        table = self.table()
        write_whole(self.out / JSON, msgspec.json.format(msgspec.json.encode(table)))
        write_whole(self.out / MARKDOWN, markdown(table).encode())
        return table

    def table(self) -> Table:
        """From the run folders, and what went wrong in this process: what was asked for now, and what is there."""
        wanted = [(method, seed) for seed in range(self.seeds) for method in self.methods]
        others = [key for key in sorted(self._runs) if key not in wanted and key[0] in self.plan.registry.methods]
        outcomes = [self._outcome(*one) for one in (*wanted, *others)]
        infos = self.plan.registry.methods.items()
        titles = {name: f"{info.title} (with labels)" if info.uses_labels else info.title for name, info in infos}
        scratch = {seed: found for seed in range(self.seeds) if (found := self._tuned_accuracy(SCRATCH, seed))}
        failed = {seed: why for (work, seed), why in self._problems.items() if work == SCRATCH}
        rows = method_rows(outcomes, titles, scratch)
        return Table(
            asked=self.plan.asked,
            circumstances=self._circumstances(outcomes, list(self._runs.values())),
            rows=rows,
            baselines=baseline_rows(outcomes, scratch),
            outcomes=tuple(outcomes),
            trained={row.name: self._trained(row.name, outcomes) for row in rows if row.finished},
            problems=tuple(f"Fine-tuned {SCRATCH}, seed {seed}: {why}" for seed, why in sorted(failed.items())),
            complete=all(one.problem or self._is_there(one.method, one.seed) for one in outcomes)
            and not (self.plan.asked.fine_tuning and set(range(self.seeds)) - {*scratch, *failed}),
        )

    def _measure(self) -> None:
        """A few steps of every method that has something left to do: for the order, and for a budget of time."""
        for method in self.methods:
            waiting = [seed for seed in range(self.seeds) if not _is_done(self._runs.get((method, seed)))]
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

    def _one(self, method: str, seed: int, standing: Standing) -> str:
        """Trains and probes one run, as far as that is not done. Returns what came of it in words."""
        report = standing.report_of((method, seed), self._stop)
        if method == SCRATCH:
            return f"linear probe {self._fine_tuned(method, seed, None, report).accuracy:.1%}"
        run = self._runs.get((method, seed)) or self._create(method, seed)
        result = self._finished(run, seed, report)
        if not self._is_judged(method):
            return f"linear probe {result.accuracy:.1%}"
        tuned = self._fine_tuned(method, seed, run.path, report)
        return f"linear probe {result.accuracy:.1%}, fine-tuned {tuned.accuracy:.1%}"

    def _fine_tuned(self, of: str, seed: int, start: Path | None, report: Report) -> ProbeResult:
        """What a linear probe reads from an encoder that was trained on with labels."""
        run = self._tuned.get((of, seed))
        if run is None:
            run = self._begin(self.out / _TUNED, self.plan.fine_tuning(seed, of=of, start=start))
            self._tuned[of, seed] = run
        return self._finished(run, seed, report, told="fine-tuning")

    def _finished(self, run: RunFolder, seed: int, report: Report, told: str = "training") -> ProbeResult:
        """Trains and probes a run, as far as that is not done."""
        if not _is_done(run):
            self.train(run, lambda _, done, of: report(told, done, of))
        state = fold(read_events(run.events_file))
        if state.phase != "finished":
            raise TrainingError(f"It is {state.phase}.")
        evaluation = last_evaluation(run, state)
        if evaluation is None:
            report("probing", 0, 0)
            self.probe(run, self._known(run, seed))
            evaluation = last_evaluation(run, state)
        result = evaluation.result("linear") if evaluation else None
        if result is None:
            raise TrainingError("Its probes are not in its folder.")
        return result

    def _known(self, run: RunFolder, seed: int) -> tuple[ProbeResult, ...]:
        """Of raw pixels, and of the encoder that all began from: what another run of the seed was probed beside."""
        fresh = run.experiment().backbone.weights == "none"
        for (_, own), other in list(self._runs.items()):
            if own == seed and other.experiment().backbone.weights == "none" and _is_done(other):
                evaluation = last_evaluation(other, fold(read_events(other.events_file)))
                if evaluation is not None:
                    wanted = ("untrained", "pixels") if fresh else ("pixels",)
                    return tuple(result for result in evaluation.results if result.subject in wanted)
        return ()

    def _is_judged(self, method: str) -> bool:
        return bool(self.plan.asked.fine_tuning) and method != JUDGE

    def _is_there(self, method: str, seed: int) -> bool:
        if method == SCRATCH:
            return self._tuned_accuracy(method, seed) is not None
        outcome = self._outcome(method, seed)
        return bool(outcome.probes) and (outcome.fine_tuned is not None or not self._is_judged(method))

    def _tuned_accuracy(self, of: str, seed: int) -> Accuracy | None:
        run = self._tuned.get((of, seed))
        if run is None or not self.plan.asked.fine_tuning:
            return None
        with suppress(WorkbenchError, OSError):
            state = fold(read_events(run.events_file))
            evaluation = last_evaluation(run, state)
            if state.phase == "finished" and evaluation is not None:
                return accuracy_of(evaluation, "linear")
        return None

    def _create(self, method: str, seed: int) -> RunFolder:
        start: Path | None = None
        if self.plan.registry.method(method).starts_from_run:
            before = self._waiting.get((START, seed))
            if before is not None:
                wait([before])  # It was begun before this one.
            first = self._runs.get((START, seed))
            if not _is_done(first):
                raise TrainingError(f"It starts from the run of {START} of seed {seed}, which is not finished.")
            start = first.path if first else None
        known = list(self._rates.values())
        rate = self._rates.get(method) or (sum(known) / len(known) if known else 1.0)
        run = self._begin(self.out / "runs", self.plan.experiment(method, seed, rate=rate, start=start))
        self._runs[method, seed] = run
        return run

    def _begin(self, folder: Path, experiment: Experiment) -> RunFolder:
        run = RunFolder.create(folder, experiment)
        write_split(run.split_file, self.plan.split(experiment))
        return run

    def _outcome(self, method: str, seed: int) -> Outcome:
        """As far as it has come; what is finished is read once."""
        known = self._outcomes.get((method, seed))
        if known is None or (known.fine_tuned is None and self._is_judged(method)):
            known = self._read(method, seed)
            if known.probes:
                self._outcomes[method, seed] = known
        return known

    def _read(self, method: str, seed: int) -> Outcome:
        run = self._runs.get((method, seed))
        problem = self._impossible.get(method) or self._problems.get((method, seed), "")
        if run is not None:
            with suppress(WorkbenchError, OSError):
                state = fold(read_events(run.events_file))
                evaluation = last_evaluation(run, state)
                if state.phase == "finished" and evaluation is not None:
                    outcome = outcome_of(run, evaluation, fine_tuned=self._tuned_accuracy(method, seed))
                    return replace(outcome, problem=problem)  # As that of fine-tuning it.
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


def make_bench(
    out: Path,
    asked: Asked,
    *,
    registry: Registry,
    methods: Sequence[str] = (),
    seeds: int = 3,
    at_once: int = 1,
    train: Train,
    probe: Probe,
    tell: Tell = print,
    report: Report = ignore,
) -> Bench:
    """A bench in a folder, new or gone on with. Without `methods` it is of all that train alone. The rest: see `Bench`.

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
    return Bench(
        out=out,
        plan=plan,
        methods=tuple(chosen),
        seeds=seeds,
        at_once=at_once,
        train=train,
        probe=probe,
        tell=tell,
        report=report,
    )


def _is_done(run: RunFolder | None) -> bool:
    return run is not None and fold(read_events(run.events_file)).phase == "finished"


def _machine(told: dict[str, object]) -> str:
    if told.get("gpu"):
        return f"GPU: {told['gpu']}"
    return f"CPU ({told['processor']}, {told['cores']} cores), threads of computation: {told['threads']}"


def _words(error: BaseException) -> str:
    text = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())
