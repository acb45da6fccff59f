"""The bench of all methods: what it trains, that it goes on where it was, and that one failure stops nothing."""

import dataclasses
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import psutil
import pytest
from msgspec.structs import replace

from workbench.bench.methods.apart import Probers, probe_here, train_apart
from workbench.bench.methods.asked import Asked, Budget, claim, parse_budget
from workbench.bench.methods.bench import JSON, MARKDOWN, Bench, make_bench
from workbench.bench.methods.plan import Plan, in_order, make_plan
from workbench.bench.methods.results import Accuracy, Outcome, baseline_rows, method_rows
from workbench.bench.methods.table import Table, markdown
from workbench.catalog.registry import Registry, load_registry
from workbench.cli import main
from workbench.data.scan import scan_folder
from workbench.method.contract import Batch, Loss, MethodInfo, Progress, Setting
from workbench.runs.events import Phase, Started, read_events
from workbench.runs.folder import RunFolder
from workbench.runs.launch import launch_trainer
from workbench.runs.results import load_evaluations
from workbench.runs.state import fold
from workbench.spec.errors import Cancelled, CheckError, NotFoundError, TrainingError, UsageError, WorkbenchError
from workbench.spec.places import bundled
from workbench.spec.presets import load_preset
from workbench.spec.progress import Report, ignore
from workbench.training.trainer import train

CHANGES = ("train.batch_size=16", "train.device=cpu", "train.precision=float32", "watch.images=50")
REGISTRY = load_registry()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, places: Path) -> Path:
    """100 painted images with a label table: four or five steps of 16 in an epoch."""
    from workbench.data.sample import paint_sample

    folder = tmp_path_factory.mktemp("bench") / "leaves"
    paint_sample(folder, count=100, size=32)
    return folder


def asked_for(images: Path, **changes: Any) -> Asked:
    asked = Asked(folder=str(images), backbone="tinyconv", budget=Budget(images=128), changes=CHANGES)
    return replace(asked, **changes)


class Here:
    """Trains in this process, and remembers what. `interrupt`: the number of the run that is stopped midway."""

    def __init__(self, registry: Registry = REGISTRY, *, interrupt: int = -1) -> None:
        self.trained: list[str] = []
        self._registry = registry
        self._interrupt = interrupt
        self._lock = threading.Lock()

    def __call__(self, run: RunFolder, report: Report = ignore) -> None:
        with self._lock:
            number = len(self.trained)
            self.trained.append(run.experiment().name)

        def told(what: str, done: int, total: int) -> None:
            if what.startswith("training") and number == self._interrupt:
                raise Cancelled

        state = train(run, report=told, registry=self._registry)
        if state.phase == "stopped":
            raise KeyboardInterrupt


def bench_in(
    out: Path,
    asked: Asked,
    *methods: str,
    seeds: int = 1,
    at_once: int = 1,
    registry: Registry = REGISTRY,
    trainer: Here | None = None,
) -> tuple[Bench, list[str]]:
    told: list[str] = []
    bench = make_bench(
        out,
        asked,
        registry=registry,
        methods=methods,
        seeds=seeds,
        at_once=at_once,
        train=trainer or Here(registry),
        probe=lambda run, known: probe_here(run.path, known),
        tell=told.append,
    )
    return bench, told


def with_methods(**infos: MethodInfo[Any]) -> Registry:
    return dataclasses.replace(REGISTRY, methods=MappingProxyType({**REGISTRY.methods, **infos}))


def test_two_methods_end_in_a_table_and_are_not_trained_again(images: Path, tmp_path: Path) -> None:
    bench, told = bench_in(tmp_path, asked_for(images), "simclr", "rotation", seeds=2)
    trainer = bench.train
    table = bench.run()
    assert isinstance(trainer, Here)
    assert sorted(trainer.trained) == ["rotation seed 0", "rotation seed 1", "simclr seed 0", "simclr seed 1"]
    assert [name[-1] for name in trainer.trained] == ["0", "0", "1", "1"]
    assert table.complete
    assert {row.name: row.finished for row in table.rows} == {"simclr": 2, "rotation": 2}
    for row in (*table.rows, *table.baselines):
        assert row.linear
        assert row.knn
        assert 0 <= row.linear.low < row.linear.mean < row.linear.high <= 1
        assert row.linear.spread is not None
    for row in table.rows:
        assert row.images_per_second > 0
        assert row.minutes > 0
        assert row.memory > 50 * 2**20
        assert len(row.health) == 2
    assert {outcome.images for outcome in table.outcomes} == {128}
    assert len(told) == 4
    assert "left" in told[0]
    text = (tmp_path / MARKDOWN).read_text(encoding="utf-8")
    for words in (
        "| SimCLR |",
        "| untrained encoder |",
        "| raw pixels |",
        "classes (chance: ",
        "--seeds 2",
        "temperature 0.5",
    ):
        assert words in text
    kept = msgspec.json.decode((tmp_path / JSON).read_bytes(), type=Table)
    assert kept == table
    again, said = bench_in(tmp_path, asked_for(images), "simclr", seeds=2)
    assert again.run().rows == table.rows  # What is there stays in the table.
    assert isinstance(again.train, Here)
    assert again.train.trained == []
    assert said == ["2 of 2 runs are finished already."]


def test_a_budget_of_time_ends_within_an_epoch_and_is_probed_all_the_same(images: Path, tmp_path: Path) -> None:
    asked = asked_for(images, budget=Budget(minutes=0.01))
    bench, _ = bench_in(tmp_path, asked, "rotation")
    table = bench.run()
    assert table.complete
    assert table.rows[0].linear
    text = markdown(table)
    assert "0.01 min of training; 1 seed." in text
    assert "in whole epochs" not in text
    assert "--budget 0.01min" in text
    outcome = table.outcomes[0]
    assert outcome.epochs == table.trained["rotation"].epochs


def test_an_interrupted_run_is_gone_on_with(images: Path, tmp_path: Path) -> None:
    asked = asked_for(images, budget=Budget(images=256))
    bench, told = bench_in(tmp_path, asked, "simclr", "rotation", trainer=Here(interrupt=1))
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    assert told[-1].startswith("Interrupted.")
    kept = msgspec.json.decode((tmp_path / JSON).read_bytes(), type=Table)
    assert not kept.complete
    assert "| not yet |" in markdown(kept)
    assert "Not complete yet" in markdown(kept)
    bench, _ = bench_in(tmp_path, asked, "simclr", "rotation")
    table = bench.run()
    assert table.complete
    assert isinstance(bench.train, Here)
    assert len(bench.train.trained) == 1
    folders = [RunFolder(path) for path in (tmp_path / "runs").iterdir()]
    assert len(folders) == 2
    (resumed,) = [run for run in folders if run.experiment().name == bench.train.trained[0]]
    starts = [event.step for event in read_events(resumed.events_file) if isinstance(event, Started)]
    assert starts[0] == 0
    assert starts[1] > 0
    assert {outcome.images for outcome in table.outcomes} == {256}


class _Breaks:
    """A method that fails in its first step, and one that cannot be built with these images."""

    @staticmethod
    def in_a_step(encoder: Any, params: Any, setting: Setting) -> Any:
        method = REGISTRY.method("simclr").build(encoder, params, setting)

        def loss(batch: Batch, progress: Progress) -> Loss:
            raise ValueError("no luck with\nthis batch")

        object.__setattr__(method, "loss", loss)
        return method

    @staticmethod
    def at_once(encoder: Any, params: Any, setting: Setting) -> Any:
        raise CheckError("It needs 1,000 images.", hint="Take more.")


def test_a_plugin_that_fails_is_in_the_table_and_the_rest_goes_on(images: Path, tmp_path: Path) -> None:
    simclr = REGISTRY.method("simclr")
    registry = with_methods(
        breaks=dataclasses.replace(simclr, name="breaks", title="Breaks", build=_Breaks.in_a_step),
        unfit=dataclasses.replace(simclr, name="unfit", title="Unfit", build=_Breaks.at_once),
    )
    bench, told = bench_in(tmp_path, asked_for(images), "breaks", "unfit", "rotation", registry=registry)
    table = bench.run()
    rows = {row.name: row for row in table.rows}
    assert rows["rotation"].linear
    assert table.rows[0].name == "rotation"
    assert "ValueError: no luck with this batch" in rows["breaks"].problems[0]
    assert rows["unfit"].problems == ("It needs 1,000 images. Take more.",)
    assert {outcome.method: outcome.possible for outcome in table.outcomes} == {
        "breaks": True,
        "unfit": False,
        "rotation": True,
    }
    assert isinstance(bench.train, Here)
    assert not any("unfit" in name for name in bench.train.trained)
    text = (tmp_path / MARKDOWN).read_text(encoding="utf-8")
    assert "- Breaks: Training ended with a fault: ValueError: no luck with this batch" in text
    assert "| Unfit | – |" in text
    assert any("could not be measured" in line for line in told)


def test_a_method_that_these_images_cannot_teach_is_left_out_with_the_reason(images: Path, tmp_path: Path) -> None:
    bench, told = bench_in(tmp_path, asked_for(images), "shuffle_and_learn")
    table = bench.run()
    assert [outcome.possible for outcome in table.outcomes] == [False]
    assert "learns from films" in table.outcomes[0].problem
    assert any("is left out" in line for line in told)


def test_a_method_that_starts_from_a_run_takes_simclr_of_its_seed(images: Path, tmp_path: Path) -> None:
    later = dataclasses.replace(REGISTRY.method("rotation"), name="later", title="Later", starts_from_run=True)
    registry = with_methods(later=later)
    bench, _ = bench_in(tmp_path, asked_for(images), "later", seeds=2, registry=registry)
    assert set(bench.methods) == {"later", "simclr"}
    table = bench.run()
    assert isinstance(bench.train, Here)
    assert bench.train.trained == ["simclr seed 0", "later seed 0", "simclr seed 1", "later seed 1"]
    starts = {outcome.run for outcome in table.outcomes if outcome.method == "simclr"}
    weights = set()
    for outcome in table.outcomes:
        if outcome.method == "later":
            weights.add(Path(RunFolder(tmp_path / "runs" / outcome.run).experiment().backbone.weights).name)
            assert outcome.from_run
    assert weights == starts
    simclr = [outcome for outcome in table.outcomes if outcome.method == "simclr"]
    assert table.baselines == baseline_rows(simclr)


def outcome(method: str, seed: int, encoder: float, untrained: float = 0.3, *, from_run: bool = False) -> Outcome:
    def accuracy(value: float) -> Accuracy:
        return Accuracy(value=value, low=value - 0.05, high=value + 0.05)

    probes = {
        f"{kind} {subject}": accuracy(value)
        for kind in ("linear", "knn")
        for subject, value in (("encoder", encoder), ("untrained", untrained), ("pixels", 0.35))
    }
    return Outcome(method=method, seed=seed, probes=probes, health="Learning, healthy", from_run=from_run)


def test_a_row_says_in_how_many_seeds_the_intervals_are_apart() -> None:
    outcomes = [
        outcome("a", 0, 0.5),
        outcome("a", 1, 0.39),  # 0.34 to 0.44 beside 0.25 to 0.35
        outcome("b", 0, 0.45),
        outcome("b", 1, 0.55),
        outcome("c", 0, 0.25),
        Outcome(method="c", seed=1, problem="It broke."),
        Outcome(method="d", seed=0, problem="No."),
    ]
    rows = {row.name: row for row in method_rows(outcomes, {"a": "A"})}
    assert list(rows) == ["b", "a", "c", "d"]
    assert (rows["a"].title, rows["a"].better, rows["a"].finished) == ("A", 1, 2)
    assert rows["a"].linear
    assert rows["a"].linear.mean == pytest.approx(0.445)
    assert rows["a"].linear.spread == pytest.approx(0.0778, abs=1e-4)
    assert rows["a"].gain == pytest.approx(0.145)
    assert rows["b"].better == 2
    assert (rows["c"].better, rows["c"].finished, rows["c"].problems) == (0, 1, ("It broke.",))
    assert rows["d"].linear is None


def test_what_starts_from_a_run_is_laid_beside_the_encoder_that_all_began_from() -> None:
    outcomes = [outcome("later", 0, 0.5, untrained=0.48, from_run=True), outcome("simclr", 0, 0.48, untrained=0.3)]
    rows = {row.name: row for row in method_rows(outcomes, {})}
    assert rows["later"].gain == pytest.approx(0.2)
    assert baseline_rows(outcomes)[0].linear
    alone = method_rows(outcomes[:1], {})
    assert alone[0].linear is None


def plan_for(images: Path, registry: Registry = REGISTRY, **changes: Any) -> Plan:
    return make_plan(scan_folder(images), asked_for(images, **changes), registry)


def test_every_method_gets_the_same_budget_its_own_recipe_and_views_it_can_use(images: Path) -> None:
    multi = dataclasses.replace(REGISTRY.method("simclr"), name="multi", preset="swav")
    local = dataclasses.replace(multi, name="local", local_views=True)
    plan = plan_for(images, with_methods(multi=multi, local=local))
    assert any(view.role == "local" for view in load_preset(bundled("resources") / "presets" / "swav.toml").views)
    for name, info in plan.registry.methods.items():
        if info.starts_from_run or info.beside_only:
            continue
        experiment = plan.experiment(name, 3)
        assert (experiment.train.epochs, experiment.train.batch_size, experiment.seed) == (2, 16, 3)
        recipe = info.recipe
        short = recipe.short_rate * (256 / 16) ** 0.5
        own = (short, "adamw") if recipe.short_rate else (recipe.learning_rate, recipe.optimizer)
        assert (experiment.train.learning_rate, experiment.train.optimizer) == own, name
        assert experiment.train.warmup <= 0.2
        assert (experiment.train.max_minutes, experiment.backbone.name) == (0, "tinyconv")
    assert {view.role for view in plan.experiment("multi", 0).views} == {"global"}
    assert {view.role for view in plan.experiment("local", 0).views} == {"global", "local"}
    assert all(view.size == 32 for view in plan.experiment("multi", 0).views)


def test_a_budget_of_time_limits_the_clock_and_leaves_room(images: Path) -> None:
    plan = plan_for(images, budget=Budget(minutes=2))
    train = plan.experiment("simclr", 0, rate=100.0).train
    assert train.max_minutes == 2
    assert train.epochs * 64 >= 2 * 60 * 100


def test_the_split_is_drawn_by_the_seed_and_the_limit_holds(images: Path) -> None:
    plan = plan_for(images, limit=50)
    first, second = (plan.split(plan.experiment("simclr", seed)) for seed in (0, 1))
    assert len(first.paths) == 50
    assert first != second
    with pytest.raises(CheckError, match=r"more than the \d+ training images"):
        plan_for(images, limit=50, changes=("train.batch_size=64",)).experiment("simclr", 0)


def test_without_labels_there_is_nothing_to_probe(images: Path) -> None:
    with pytest.raises(CheckError, match="no labels"):
        plan_for(images, changes=("data.labels=none",))


def test_the_cheapest_comes_first_in_every_seed_and_what_starts_from_a_run_last() -> None:
    registry = with_methods(later=dataclasses.replace(REGISTRY.method("rotation"), name="later", starts_from_run=True))
    order = in_order(("later", "byol", "simclr", "rotation"), 2, {"simclr": 2.0, "byol": 3.0, "later": 0.1}, registry)
    names = ["simclr", "byol", "rotation", "later"]
    assert order == [(name, seed) for seed in (0, 1) for name in names]


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("200000", Budget(images=200_000)),
        ("200k", Budget(images=200_000)),
        ("1.5M", Budget(images=1_500_000)),
        ("50,000 images", Budget(images=50_000)),
        ("10min", Budget(minutes=10)),
        ("0.5 minutes", Budget(minutes=0.5)),
    ],
)
def test_a_budget_is_images_or_minutes(text: str, budget: Budget) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize("text", ["", "0", "-5", "ten", "0min", "10m", "5 epochs"])
def test_anything_else_is_no_budget(text: str) -> None:
    with pytest.raises(UsageError, match="is not a budget"):
        parse_budget(text)


def test_a_folder_holds_one_bench(images: Path, tmp_path: Path) -> None:
    asked = asked_for(images)
    claim(tmp_path / "out", asked)
    claim(tmp_path / "out", asked)
    with pytest.raises(UsageError, match=r"another budget: 128 images, and now 3 min"):
        claim(tmp_path / "out", replace(asked, budget=Budget(minutes=3)))
    with pytest.raises(NotFoundError, match="simlcr"):
        bench_in(tmp_path / "new", asked, "simlcr")
    assert not (tmp_path / "new").exists()


def test_encoders_are_fine_tuned_beside_one_that_nothing_trained(images: Path, tmp_path: Path) -> None:
    asked = asked_for(images, fine_tuning=64)
    bench, told = bench_in(tmp_path, asked, "rotation", "supervised")
    table = bench.run()
    assert table.complete
    assert isinstance(bench.train, Here)
    tuned = ["from scratch seed 0, fine-tuned", "rotation seed 0, fine-tuned"]
    assert sorted(name for name in bench.train.trained if name.endswith("tuned")) == tuned
    runs = {run.experiment().name: run for run in map(RunFolder, (tmp_path / "fine-tuned").iterdir())}
    weights = [runs[name].experiment().backbone.weights for name in tuned]
    assert weights[0] == "none"
    assert RunFolder(Path(weights[1])).experiment().name == "rotation seed 0"
    assert {run.experiment().method.name for run in runs.values()} == {"supervised"}
    rows = {row.name: row for row in (*table.rows, *table.baselines)}
    assert rows["supervised"].tuned is None
    assert rows["pixels"].tuned is None
    mine, scratch = rows["rotation"].tuned, rows["untrained"].tuned
    assert mine
    assert scratch
    assert rows["rotation"].tuned_gain == pytest.approx(mine.mean - scratch.mean)
    assert any("fine-tuned" in line for line in told)
    text = markdown(table)
    assert "| fine-tuned, % | beats scratch |" in text
    assert "--fine-tune 64" in text
    again, said = bench_in(tmp_path, asked, "rotation", "supervised")
    assert again.run().rows == table.rows
    assert said == ["3 of 3 runs are finished already."]


def test_a_batch_that_is_asked_for_decides_the_recipe(images: Path) -> None:
    for batch, rate in ((16, 0.008), (64, 0.004)):
        plan = plan_for(images, changes=(f"train.batch_size={batch}",))
        assert plan.experiment("barlow_twins", 0).train.learning_rate == pytest.approx(rate)


def fail_at(bench: Bench, name: str) -> None:
    """Has the training of one run fail."""
    train_here = bench.train

    def train_others(run: RunFolder, report: Report) -> None:
        if run.experiment().name == name:
            raise TrainingError("The disk is full.")
        train_here(run, report)

    bench.train = train_others


def test_a_run_whose_fine_tuning_fails_keeps_what_it_has_shown(images: Path, tmp_path: Path) -> None:
    bench, _ = bench_in(tmp_path, asked_for(images, fine_tuning=64), "rotation")
    fail_at(bench, "rotation seed 0, fine-tuned")
    table = bench.run()
    (row,) = table.rows
    assert row.linear
    assert row.tuned is None
    assert row.problems == ("The disk is full.",)
    assert "see below" in markdown(table)
    again, _ = bench_in(tmp_path, asked_for(images, fine_tuning=64), "rotation")
    assert again.run().rows[0].tuned
    assert isinstance(again.train, Here)
    assert again.train.trained == ["rotation seed 0, fine-tuned"]


def test_the_table_says_where_the_encoder_beside_could_not_be_fine_tuned(images: Path, tmp_path: Path) -> None:
    bench, _ = bench_in(tmp_path, asked_for(images, fine_tuning=64), "rotation")
    fail_at(bench, "from scratch seed 0, fine-tuned")
    table = bench.run()
    assert table.problems == ("Fine-tuned from scratch, seed 0: The disk is full.",)
    assert table.complete, "as it is with a method that failed"
    assert "- Fine-tuned from scratch, seed 0: The disk is full." in markdown(table)
    again, _ = bench_in(tmp_path, asked_for(images, fine_tuning=64), "rotation")
    assert not again.table().complete
    assert not again.run().problems


def test_several_runs_at_once_come_to_the_same(images: Path, tmp_path: Path) -> None:
    methods = ("simclr", "rotation", "byol")
    alone, _ = bench_in(tmp_path / "alone", asked_for(images), *methods)
    together, told = bench_in(tmp_path / "together", asked_for(images), *methods, at_once=3)
    begun, one_by_one = threading.Barrier(3), threading.Lock()  # Torch's generator is one for all threads.
    train_here = together.train

    def train_together(run: RunFolder, report: Report) -> None:
        begun.wait(60)
        with one_by_one:
            train_here(run, report)

    def probe_together(run: RunFolder, known: Any) -> None:
        with one_by_one:
            probe_here(run.path, known)

    together.train, together.probe = train_together, probe_together
    first, second = alone.run(), together.run()
    assert len(told) == 3
    for one, other in zip(first.outcomes, second.outcomes, strict=True):
        assert (one.method, one.probes) == (other.method, other.probes)


def test_what_all_runs_of_a_seed_share_is_probed_once(images: Path, tmp_path: Path) -> None:
    known: list[set[str]] = []

    def probe(run: RunFolder, results: Any) -> None:
        known.append({result.subject for result in results})
        probe_here(run.path, results)

    bench, _ = bench_in(tmp_path, asked_for(images), "simclr", "rotation", seeds=2)
    bench.probe = probe
    table = bench.run()
    assert known == [set(), {"untrained", "pixels"}] * 2
    for seed in (0, 1):
        one, other = (outcome for outcome in table.outcomes if outcome.seed == seed)
        assert one.probes["linear untrained"] == other.probes["linear untrained"]
        assert one.probes != other.probes


@pytest.mark.slow
def test_a_process_of_its_own_probes_and_says_what_is_wrong(images: Path, tmp_path: Path) -> None:
    experiment = plan_for(images).experiment("rotation", 0)
    run = RunFolder.create(tmp_path, experiment)
    train(run, registry=REGISTRY)
    with Probers(1, threads=1) as probe:
        probe(run, ())
        (evaluation,) = load_evaluations(run)
        assert {result.subject for result in evaluation.results} == {"encoder", "untrained", "pixels"}
        with pytest.raises(WorkbenchError, match="no checkpoint"):
            probe(RunFolder.create(tmp_path, experiment), ())


@pytest.fixture
def held() -> Iterator[int]:
    """MiB of this process, much of which a trainer of its own must not be charged for."""
    block = bytearray(600 * 2**20)
    block[::4096] = b"x" * len(block[::4096])
    yield int(psutil.Process().memory_info().rss) // 2**20
    block.clear()


@pytest.mark.slow
def test_a_trainer_that_is_at_work_is_waited_for_and_its_memory_is_its_own(
    images: Path, tmp_path: Path, held: int
) -> None:
    plan = plan_for(images)
    run = RunFolder.create(tmp_path, plan.experiment("simclr", 0))
    launch_trainer(run)  # as a bench did that was killed since
    train_apart(run)
    events = read_events(run.events_file)
    state = fold(events)
    assert state.phase == "finished"
    assert sum(isinstance(event, Started) for event in events) == 1
    assert 50 < int(state.derived["peak_memory_mb"]) < held


@pytest.mark.slow
def test_a_trainer_that_fails_says_why(images: Path, tmp_path: Path) -> None:
    experiment = plan_for(images).experiment("simclr", 0)
    run = RunFolder.create(tmp_path, replace(experiment, train=replace(experiment.train, batch_size=4096)))
    with pytest.raises(TrainingError, match="batch of 4096 is larger than the training set"):
        train_apart(run)
    assert any(isinstance(event, Phase) and event.phase == "failed" for event in read_events(run.events_file))


@pytest.mark.slow
def test_the_command_prints_the_table_and_its_file(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(images), "--budget", "80", "--seeds", "1", "--methods", "rotation", "--out", str(tmp_path)]
    changes = [word for change in CHANGES for word in ("--set", change)]
    assert main(["bench", "methods", *words, *changes]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == str(tmp_path / MARKDOWN)
    assert "| Rotation prediction |" in captured.out
    assert "[1/1] rotation, seed 0: linear probe" in captured.err
    assert main(["bench", "methods", *words, *changes, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["name"] == "rotation"
    assert main(["bench", "methods", *words, *changes, "--limit", "60"]) == 2
    assert "another limit" in capsys.readouterr().err
    assert main(["bench", "method", "--quick"]) == 2
