"""A run in words: the sentence under the title, the rows of the tables, the lines of the list. No Qt."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.gui import words
from workbench.gui.widgets.ticks import value_text
from workbench.runs.events import (
    AnyEvent,
    CheckpointSaved,
    Clusters,
    Exam,
    Failure,
    Health,
    Phase,
    SnapshotTaken,
    Started,
    Verdict,
    Warned,
)
from workbench.runs.state import RunState, StatusName
from workbench.spec.catalog import Catalog
from workbench.spec.errors import NotFoundError
from workbench.spec.experiment import Experiment
from workbench.spec.tasks import card_of

Row = tuple[str, str, str]

_STATUS: dict[StatusName, str] = {
    "created": "starting",
    "preparing": "reading images",
    "training": "training",
    "paused": "paused",
    "finished": "finished",
    "stopped": "stopped, and can be resumed",
    "failed": "failed",
    "interrupted": "interrupted",
}


@dataclass(frozen=True)
class HealthRow:
    """How one figure is shown."""

    key: str
    title: str
    form: str
    tip: str


HEALTH_ROWS = (
    HealthRow(
        "embedding_std", "embedding std", ".4f",
        "How much each coordinate of the unit-length embeddings varies over the images. Near 1/√d the directions "
        "are spread evenly; near 0 all images look alike to the encoder (collapse).",
    ),
    HealthRow(
        "rankme", "RankMe", ".0f",
        "About how many directions the embeddings use. Higher usually means more is told apart.",
    ),
    HealthRow(
        "alpha_req", "alpha-ReQ", ".2f",
        "How fast the spectrum falls. Near 1 is best: far above, few directions carry everything; far below, noise.",
    ),
    HealthRow("alignment", "alignment", ".2f", "How far apart two views of one image land. Lower is better."),
    HealthRow("uniformity", "uniformity", ".2f", "How evenly images fill the sphere. Lower is more even."),
    HealthRow(
        "mean_cosine", "mean cosine", ".2f",
        "How similar different images look on average. 1 means all the same (collapse).",
    ),
)  # fmt: skip


def what(experiment: Experiment, catalog: Catalog) -> str:
    """'BYOL, ResNet-18 on photos'."""
    folder = experiment.data.folder.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]
    return f"{method_title(experiment, catalog)}, {_backbone_title(experiment, catalog)} on {folder}"


def sentence(experiment: Experiment, catalog: Catalog, state: RunState, name: StatusName, left: float | None) -> str:
    """What is trained and where it stands."""
    parts = [what(experiment, catalog)]
    if name in ("training", "paused", "stopped", "interrupted", "failed") and state.total_epochs:
        epoch, limit = min(int(state.epoch) + 1, state.total_epochs), experiment.train.max_minutes
        parts.append(f"epoch {epoch}, within {limit:g} min" if limit else f"epoch {epoch} of {state.total_epochs}")
    if name == "training":
        parts.append("time left follows" if left is None else f"{words.duration(left)} left")
    elif name == "finished" and state.total_epochs:
        parts.append(f"{_finished(state)} in {words.duration(state.seconds)}")
    else:
        parts.append(_STATUS[name])
    return " · ".join(parts)


def _finished(state: RunState) -> str:
    """'finished 8 epochs'; of a run that its time has ended, where that was."""
    if state.epoch < state.total_epochs:
        return f"finished within epoch {math.ceil(state.epoch)} of {state.total_epochs}"
    return f"finished {words.counted(round(state.epoch), 'epoch')}"


def verdict_lines(text: str) -> str:
    """A verdict to be read at a glance: what to try stands by itself, one thing a line."""
    found, _, rest = text.partition(" Try: ")
    if not rest:
        return text
    ways, _, rest = rest.partition(". ")
    lines = "\n".join(f"· {way}" for way in ways.rstrip(".").split("; "))
    return "\n\n".join(part for part in (found, f"Try:\n{lines}", rest) if part)


def health_rows(health: Health) -> list[Row]:
    """Name, now, what healthy looks like; only figures that were measured."""
    rows = []
    for row in HEALTH_ROWS:
        if row.key in health.values:
            now = format(health.values[row.key], row.form).replace("-", "\N{MINUS SIGN}")
            rows.append((row.title, now, _healthy(row.key, health)))
    return rows


CLUSTER_TIPS = (
    "Share of the watched images whose cluster stands for their class, when each stands for the one that fits best.",
    "How much a cluster tells of the class (normalized mutual information). 1 when they are the same, 0 by chance.",
    "How many pairs of images are together, or apart, in both (adjusted Rand index). 1 is all, 0 is chance.",
    "Clusters that hold at least one of the watched images.",
)


def cluster_rows(clusters: Clusters) -> list[Row]:
    """How well clusters match the labels: name, now, what is good; a tip for each in `CLUSTER_TIPS`."""
    return [
        ("accuracy", f"{100 * clusters.accuracy:.1f} %", "↑"),
        ("NMI", f"{clusters.nmi:.2f}", "↑ to 1"),
        ("ARI", f"{clusters.ari:.2f}".replace("-", "\N{MINUS SIGN}"), "↑ to 1"),
        ("in use", str(clusters.used), ""),
    ]


def exam_rows(exams: Sequence[Exam]) -> list[Row]:
    """What the method makes of its own questions: the task, its share of right answers, and that of guessing."""
    return [(one.task, f"{100 * one.accuracy:.1f} %", f"{100 * one.chance:.1f} %") for one in exams]


def exam_tip(exam: Exam) -> str:
    """How sure the share is."""
    return (
        "Share of the method's own questions about held-out images that it answers right. With "
        f"{exam.images:,} images the 95 % interval is {100 * exam.low:.1f} to {100 * exam.high:.1f} %; "
        f"guessing gives {100 * exam.chance:.1f} %."
    )


def machine_rows(state: RunState) -> list[Row]:
    """What the trainer's last point says of the machine."""
    values, rows = state.scalars, []
    if "images_per_second" in values:
        rows.append(("throughput", f"{_rate(values['images_per_second'])} images/s", ""))
    if "waiting" in values:
        rows.append(("waiting for data", words.percent(values["waiting"]), ""))
    device = str(state.derived.get("device") or (state.started.device if state.started else ""))
    if device:
        precision = state.derived.get("precision", "")
        rows.append(("device", f"{device}, {precision}" if precision else device, ""))
    if "load" in values:
        rows.append(("device load", words.percent(values["load"]), ""))
    if values.get("memory", 0) > 0:
        rows.append(("memory", words.memory(values["memory"]), ""))
    if "watching" in values:
        rows.append(("watching costs", words.percent(values["watching"]), ""))
    if "learning_rate" in values:
        rows.append(("learning rate", value_text(values["learning_rate"]), ""))
    return rows


def event_line(event: AnyEvent) -> str:
    """'14:31 snapshot, epoch 60'; '' for what other places show."""
    said = _event_words(event)
    return f"{time.strftime('%H:%M', time.localtime(event.time))} {said}" if said else ""


def method_title(experiment: Experiment, catalog: Catalog) -> str:
    """'SimCLR'; the bare name where the catalog has none."""
    try:
        return card_of(experiment.method, catalog).title
    except NotFoundError:
        return experiment.method.words


def shows_task(experiment: Experiment, catalog: Catalog) -> bool:
    """Whether its method has pictures of its task."""
    try:
        return card_of(experiment.method, catalog).exhibits
    except NotFoundError:
        return False


def _backbone_title(experiment: Experiment, catalog: Catalog) -> str:
    try:
        return catalog.backbone(experiment.backbone.name).title
    except NotFoundError:
        return experiment.backbone.name


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _healthy(key: str, health: Health) -> str:
    match key:
        case "embedding_std":
            healthy = health.values.get("embedding_std_healthy", health.dim**-0.5 if health.dim else 0.0)
            return f"≈ {healthy:.4f}" if healthy else ""
        case "rankme":
            return f"↑ of {health.dim}" if health.dim else "↑"
        case "alpha_req":
            return "≈ 1"
        case "mean_cosine":
            return "≈ 0"
        case _:
            return "↓"


def _event_words(event: AnyEvent) -> str:
    match event:
        case Phase():
            return {"training": "training", "created": "created", "preparing": "reading images"}.get(
                event.phase, event.phase
            ) + (f": {event.note}" if event.note else "")
        case Started():
            where = f"on {event.device} of {event.host}" if event.host else f"on {event.device}"
            return f"{'resumed' if event.epoch else 'trainer started'} {where}"
        case SnapshotTaken():
            return f"snapshot, epoch {event.epoch}"
        case CheckpointSaved():
            return f"checkpoint, epoch {event.epoch}"
        case Verdict():
            return f"{event.title}, epoch {event.epoch}"
        case Warned():
            return event.message
        case Failure():
            return event.message
        case _:
            return ""
