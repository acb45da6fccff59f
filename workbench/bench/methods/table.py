"""The table of a bench, as Markdown for people and as a record for programs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from workbench.bench.methods.asked import Asked
from workbench.bench.methods.results import Figure, Outcome, Row
from workbench.spec.experiment import Experiment, ViewSpec

_HEAD = ("method", "linear probe, %", "beats untrained", "kNN, %", "images/s", "minutes", "memory, MB", "health")
_TUNED_HEAD = ("fine-tuned, %", "beats scratch")
_RECIPE_HEAD = ("method", "optimizer", "learning rate", "weight decay", "warm-up", "batch", "epochs", "views")


class Trained(Struct, frozen=True, kw_only=True):
    """How a method was trained: the experiment of one of its runs, the epochs that it came to, and every parameter."""

    experiment: Experiment
    epochs: float
    params: dict[str, Any]
    paper: str = ""


class Circumstances(Struct, frozen=True, kw_only=True):
    """On what, and where. Counts are of one split. methods: those that were chosen, none for the whole catalog."""

    train_images: int
    test_images: int
    classes: int
    size: int
    seeds: int
    methods: tuple[str, ...]
    date: str
    machine: str
    precision: str
    on_gpu: bool
    versions: dict[str, str]


class Table(Struct, frozen=True, kw_only=True):
    """Everything that a bench has found.

    trained: by method, of those that have a result. problems: of what belongs to no method, that is, of fine-tuning
    an encoder that nothing has trained.
    """

    asked: Asked
    circumstances: Circumstances
    rows: tuple[Row, ...]
    baselines: tuple[Row, ...]
    outcomes: tuple[Outcome, ...]
    trained: dict[str, Trained]
    problems: tuple[str, ...]
    complete: bool


def markdown(table: Table) -> str:
    """The table with what a reader needs to understand and to repeat it."""
    parts = [f"# Methods on {_folder(table)}", _about(table)]
    if not table.complete:
        parts.append("**Not complete yet**: runs are missing. The command below goes on with it.")
    tuned = bool(table.asked.fine_tuning)
    head = (*_HEAD[:4], *_TUNED_HEAD, *_HEAD[4:]) if tuned else _HEAD
    cells = [_cells(row, table.circumstances.seeds, tuned=tuned) for row in (*table.rows, *table.baselines)]
    parts.append(_grid(head, cells))
    parts.append(_legend(table))
    problems = [f"{row.title}: {problem}" for row in table.rows for problem in row.problems] + [*table.problems]
    if problems:
        parts += ["## What did not work", "\n".join(f"- {problem}" for problem in problems)]
    if table.trained:
        titles = {row.name: row.title for row in table.rows}
        recipes = [_recipe(titles[name], one) for name, one in table.trained.items()]
        parts += ["## How each was trained", _grid(_RECIPE_HEAD, recipes)]
        parts.append("Learning rates are per 256 images and scaled with the batch. Parameters of the methods:")
        parts.append("\n".join(_parameters(titles[name], one) for name, one in table.trained.items()))
    parts += ["## Again", f"```\n{command(table.asked, table.circumstances)}\n```"]
    return "\n\n".join(parts) + "\n"


def command(asked: Asked, here: Circumstances) -> str:
    """What to type to repeat it, with the folder's name alone."""
    budget = asked.budget
    folder = asked.folder.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    words = ["workbench bench methods", f"--data {folder}"]
    words.append(f"--budget {f'{budget.minutes:g}min' if budget.minutes else budget.images}")
    words += [f"--seeds {here.seeds}", f"--backbone {asked.backbone}"]
    if asked.limit:
        words.append(f"--limit {asked.limit}")
    if asked.fine_tuning:
        words.append(f"--fine-tune {asked.fine_tuning}")
    if here.methods:
        words.append(f"--methods {','.join(here.methods)}")
    return " ".join([*words, *(f"--set {change}" for change in asked.changes)])


def _about(table: Table) -> str:
    here, budget = table.circumstances, table.asked.budget
    share = f"The same budget for every method: {budget}{'' if budget.minutes else ', in whole epochs'}"
    versions = ", ".join(f"{name} {version}" for name, version in here.versions.items())
    return (
        f"{here.train_images:,} training and {here.test_images:,} test images of {here.size} px in {here.classes} "
        f"classes (chance: {100 / max(1, here.classes):.1f} %); {table.asked.backbone}. {share}; "
        f"{here.seeds} seed{'' if here.seeds == 1 else 's'}. "
        f"{here.date}; {here.machine}; {here.precision}; {versions}."
    )


def _legend(table: Table) -> str:
    several = table.circumstances.seeds > 1
    over = ", means over seeds; after ± the standard deviation over seeds" if several else ""
    memory = (
        "the device at its fullest"
        if table.circumstances.on_gpu
        else "the process at its largest, the program itself included"
    )
    return (
        "Probes of the frozen encoder: logistic regression and kNN with 20 neighbors, fitted to the training images. "
        f"Accuracy on the test images with 95 % Wilson intervals{over}. *beats untrained*: points between the linear "
        "probe and that of the same encoder before training, and in how many seeds the two intervals are apart. "
        "A seed draws the first weights, the views, and the images of either side where folders do not say. "
        "*images/s*: median while training; each image gives all its views. *minutes*: of training, looks at the "
        f"representation included. *memory*: {memory}. *health*: the verdict at the end, from the spread of the "
        "features, the loss and kNN." + _about_tuning(table)
    )


def _about_tuning(table: Table) -> str:
    images = table.asked.fine_tuning
    if not images:
        return ""
    return (
        " *fine-tuned*: the linear probe after the supervised baseline, with its own recipe, went on with the encoder "
        f"for {images:,} images with their labels; *beats scratch*: beside an encoder that nothing had trained before, "
        "whose figure stands in the row of the untrained one."
    )


def _cells(row: Row, seeds: int, *, tuned: bool) -> tuple[str, ...]:
    part = f" ({row.finished} of {seeds} seeds)" if 0 < row.finished < seeds else ""
    if row.linear is None:
        return (row.title, *["–"] * (8 if tuned else 6), "did not finish: see below" if row.problems else "not yet")
    trained = bool(row.health)
    return (
        row.title + part,
        _figure(row.linear),
        _beats(row.gain, row.better, row.finished) if trained else "",
        _figure(row.knn),
        *(_tuned_cells(row, trained=trained) if tuned else ()),
        f"{row.images_per_second:,.0f}" if trained else "",
        f"{row.minutes:.1f}" if trained else "",
        f"{row.memory / 2**20:,.0f}" if trained and row.memory else "",
        _verdicts(row.health) + ("; see below" if row.problems else ""),
    )


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    spread = "" if figure.spread is None else f" ± {100 * figure.spread:.1f}"
    return f"{100 * figure.mean:.1f}{spread} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def _tuned_cells(row: Row, *, trained: bool) -> tuple[str, str]:
    if row.tuned is None:
        return ("", "")
    return (_figure(row.tuned), _beats(row.tuned_gain, row.tuned_better, row.finished) if trained else "")


def _beats(gain: float, better: int, finished: int) -> str:
    """The points, and in how many seeds the intervals are apart."""
    sign = "+" if gain >= 0 else "−"
    points = f"{sign}{abs(100 * gain):.1f}"
    if better == finished:
        return f"{points}, **yes**" + (f" ({better} of {finished})" if finished > 1 else "")
    return f"{points}, {better} of {finished}" if better else f"{points}, no"


def _verdicts(verdicts: Sequence[str]) -> str:
    counts = Counter(verdict or "not judged" for verdict in verdicts)
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{verdict} ({count})" for verdict, count in counts.most_common())


def _recipe(title: str, trained: Trained) -> tuple[str, ...]:
    train = trained.experiment.train
    return (
        title,
        train.optimizer,
        f"{train.learning_rate:g}",
        f"{train.weight_decay:g}",
        f"{train.warmup:g}",
        f"{train.batch_size:,}",
        f"{trained.epochs:.3g}",
        _views(trained.experiment.views),
    )


def _parameters(title: str, trained: Trained) -> str:
    values = ", ".join(f"{name} {_value(value)}" for name, value in trained.params.items())
    paper = f" ({trained.paper})" if trained.paper else ""
    return f"- {title}{paper}: {values or 'none'}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _views(views: Sequence[ViewSpec]) -> str:
    """'2 global of 32 px, 6 local of 16 px': kinds that differ in their chains only are counted together."""
    counts: Counter[tuple[str, int]] = Counter()
    for view in views:
        counts[view.role, view.size] += view.count
    return ", ".join(f"{count} {role} of {size} px" for (role, size), count in counts.items())


def _folder(table: Table) -> str:
    return table.asked.folder.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or "images"


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
