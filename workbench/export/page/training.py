"""The report's first cards: how it went, the curves, and the health of the representation."""

from datetime import datetime
from typing import Literal

from workbench.export.page.charts import Axis, Series, line_chart, smoothed, thinned
from workbench.export.page.facts import RunFacts
from workbench.export.page.markup import (
    card,
    duration,
    escape,
    facts,
    figure,
    number,
    paragraph,
    percent,
    table,
)
from workbench.runs.events import Health
from workbench.runs.results import ProbeResult
from workbench.spec.pixels import channels_in_words, keeps_scale, scale_in_words

_HEALTH = (
    ("embedding_std", "embedding std", "about {embedding_std_healthy}"),
    ("rankme", "RankMe", "high, of {dim}"),
    ("effective_rank", "effective rank", "high, of {dim}"),
    ("alpha_req", "alpha-ReQ", "about 1"),
    ("alignment", "alignment", "low"),
    ("uniformity", "uniformity", "low"),
    ("mean_cosine", "mean cosine", "about 0"),
)


def heading(facts_: RunFacts) -> str:
    """The title and what was trained on what."""
    experiment = facts_.experiment
    when = f"{datetime.fromtimestamp(facts_.state.created):%d %B %Y}" if facts_.state.created else ""
    words = [f"{facts_.method}, {facts_.backbone}", f"images in {experiment.data.folder}", facts_.status, when]
    line = " · ".join(word for word in words if word)
    return f'<header><h1>{escape(experiment.name)}</h1><p class="secondary">{escape(line)}</p></header>'


def summary(facts_: RunFacts) -> str:
    """The verdict in words, and the figures that matter most."""
    verdict = facts_.state.verdict
    if verdict is not None:
        note = f"epoch {verdict.epoch}"
        told = card(verdict.title, paragraph(verdict.text), note=note, width="third", kind=f"verdict {verdict.level}")
    else:
        text = "No look at the representation has been taken: the run has not come that far."
        told = card("No verdict yet", paragraph(text), width="third", kind="verdict")
    return told + card("At a glance", f'<div class="figures">{_figures(facts_)}</div>', width="wide")


def troubles(facts_: RunFacts) -> str:
    """The failure and the warnings of the run, where there are any."""
    parts = []
    failure = facts_.state.failure
    if failure is not None:
        body = paragraph(failure.message) + (paragraph(failure.hint, kind="secondary") if failure.hint else "")
        parts.append(card("The run failed", body, kind="verdict bad"))
    warnings = list(dict.fromkeys(warning.message for warning in facts_.state.warnings))
    if warnings:
        body = "".join(paragraph(message) for message in warnings)
        parts.append(card("Warnings" if len(warnings) > 1 else "Warning", body, kind="verdict watch"))
    return "".join(parts)


def curves(facts_: RunFacts) -> str:
    """Loss and kNN accuracy over the epochs."""
    return _loss(facts_) + _accuracy(facts_)


def health(facts_: RunFacts) -> str:
    """The last health figures, and the singular spectrum from the first look to the last."""
    looks = facts_.history.health
    if not looks:
        return ""
    last = looks[-1]
    rows = []
    for key, name, healthy in _HEALTH:
        if key in last.values:
            sound = healthy.format(dim=last.dim, embedding_std_healthy=number(last.values["embedding_std_healthy"]))
            first = number(looks[0].values[key]) if key in looks[0].values else ""
            rows.append((escape(name), escape(first), escape(number(last.values[key])), escape(sound)))
    body = table(("metric", f"epoch {looks[0].epoch}", f"epoch {last.epoch}", "healthy"), rows, numbers=(1, 2, 3))
    note = f"{last.images:,} images, {last.dim} dimensions" if last.images else f"{last.dim} dimensions"
    return card("Health", body, note=note, width="half") + _spectrum(looks)


def exams(facts_: RunFacts) -> str:
    """How the method does at its own tasks on held-out images, at the first look and at the last."""
    looks = facts_.history.exams
    if not looks:
        return ""
    first = {one.task: one for one in reversed(looks)}
    last = {one.task: one for one in looks}
    rows = [
        (
            escape(task),
            percent(first[task].accuracy),
            percent(one.accuracy),
            f"{percent(one.low)} to {percent(one.high)}",
            percent(one.chance),
        )
        for task, one in last.items()
    ]
    header = ("task", f"epoch {looks[0].epoch}", f"epoch {looks[-1].epoch}", "95 % interval", "by chance")
    body = table(header, rows, numbers=(1, 2, 3, 4))
    return card("Its own task, on held-out images", body, note=f"{looks[-1].images:,} images", width="half")


def clusters(facts_: RunFacts) -> str:
    """How well the clusters of a method that makes some match the labels, from the first look to the last."""
    looks = facts_.history.clusters
    if not looks:
        return ""
    first, last = looks[0], looks[-1]
    rows = [
        (name, one, other)
        for name, one, other in (
            ("accuracy, as clusters fit the classes best", percent(first.accuracy), percent(last.accuracy)),
            ("normalized mutual information", number(first.nmi), number(last.nmi)),
            ("adjusted Rand index", number(first.ari), number(last.ari)),
            ("clusters in use", str(first.used), str(last.used)),
        )
    ]
    body = table(("metric", f"epoch {first.epoch}", f"epoch {last.epoch}"), rows, numbers=(1, 2))
    return card("Clusters against labels", body, note=f"{last.images:,} images", width="half")


def _figures(facts_: RunFacts) -> str:
    state = facts_.state
    parts = []
    knn = state.last("knn")
    evaluated = next((one for one in facts_.evaluations if one.column == "label"), None)
    if knn is not None:
        parts.append(figure("kNN accuracy", percent(knn.accuracy), _beside(facts_)))
    elif evaluated is not None and (result := evaluated.result("knn")):
        parts.append(figure("kNN accuracy", percent(result.accuracy), _against(evaluated.result("knn", "untrained"))))
    if state.clusters is not None:
        parts.append(figure("clustering accuracy", percent(state.clusters.accuracy), f"{state.clusters.used} clusters"))
    for exam in state.last_exams():
        parts.append(figure(f"{exam.task}, right", percent(exam.accuracy), f"by chance {percent(exam.chance)}"))
    if evaluated is not None and (result := evaluated.result("linear")):
        against = _against(evaluated.result("linear", "untrained"))
        parts.append(figure("linear probe", percent(result.accuracy), against))
    if state.health is not None and "rankme" in state.health.values:
        dim = f"of {state.health.dim} directions"
        parts.append(figure("RankMe", number(state.health.values["rankme"]), dim))
    if state.total_epochs:
        done = f"{state.epoch:.4g}" if state.epoch < state.total_epochs else f"{state.total_epochs}"
        parts.append(figure("epochs", done, f"of {state.total_epochs}, in {duration(state.seconds)}"))
    if state.started is not None and state.started.train_images:
        test = f"and {state.started.test_images:,} to test on"
        parts.append(figure("training images", f"{state.started.train_images:,}", test))
    return "".join(parts) or paragraph("Nothing has been measured yet.", kind="secondary")


def _beside(facts_: RunFacts) -> str:
    words = []
    for subject, name in (("untrained", facts_.experiment.backbone.at_start), ("pixels", "raw pixels")):
        probe = facts_.state.last("knn", subject)
        if probe is not None:
            words.append(f"{name} {percent(probe.accuracy)}")
    return ", ".join(words)


def _against(result: ProbeResult | None) -> str:
    return f"untrained {percent(result.accuracy)}" if result else ""


def _loss(facts_: RunFacts) -> str:
    points = facts_.history.curve("loss")
    if not points:
        return card("Loss", paragraph("No step has been trained yet.", kind="secondary"), width="half")
    smooth = smoothed(points)
    series = [
        Series(points=thinned(points), style="faint"),
        Series(points=thinned(smooth), label=number(smooth[-1][1])),
    ]
    parts = sorted({name for event in facts_.history.scalars for name in event.values if name.startswith("loss/")})
    last = {name: facts_.history.curve(name)[-1][1] for name in parts}
    extra = ", ".join(f"{name.removeprefix('loss/').replace('_', ' ')} {number(value)}" for name, value in last.items())
    chart = line_chart(series, x=Axis(low=0.0, unit="epoch"), y=Axis())
    body = chart + (paragraph(f"At the end: {extra}.", kind="note") if extra else "")
    return card("Loss", body, note="each step, and smoothed by 0.9", width="half")


def _accuracy(facts_: RunFacts) -> str:
    history = facts_.history
    trained = history.accuracies("knn", "encoder")
    if not trained:
        words = "No labels, or no probe yet: kNN needs both."
        return card("kNN accuracy", paragraph(words, kind="secondary"), width="half")
    first = history.accuracies("knn", "untrained")
    trained = trained if not first or trained[0][0] == 0 else [(0.0, first[-1][1]), *trained]
    end = max(trained[-1][0], 1.0)
    series = [Series(points=trained, label=percent(trained[-1][1]))]
    baselines: tuple[tuple[str, str, Literal["dashed", "dotted"]], ...] = (
        ("untrained", facts_.experiment.backbone.at_start, "dashed"),
        ("pixels", "raw pixels", "dotted"),
    )
    for subject, name, style in baselines:
        level = history.accuracies("knn", subject)
        if level:
            line = ((0.0, level[-1][1]), (end, level[-1][1]))
            series.append(Series(points=line, label=name, color="var(--secondary)", style=style))
    values = [value for one in series for _, value in one.points]
    low, high = max(0.0, min(values) - 0.05), min(1.0, max(values) + 0.05)
    chart = line_chart(series, x=Axis(low=0.0, unit="epoch"), y=Axis(low=low, high=high, scale="percent"))
    probe = history.probes[-1]
    neighbors = facts_.experiment.watch.neighbors
    return card("kNN accuracy", chart, note=f"k {neighbors}, {probe.images:,} test images", width="half")


def _spectrum(looks: tuple[Health, ...]) -> str:
    chosen = [look for look in (looks[0], looks[-1]) if look.spectrum]
    if not chosen:
        return ""
    series = []
    for look, color in zip(chosen, ("var(--secondary)", "var(--line)"), strict=False):
        places = [1 + (look.dim - 1) * place / max(1, len(look.spectrum) - 1) for place in range(len(look.spectrum))]
        points = tuple(zip(places, look.spectrum, strict=True))
        series.append(Series(points=points, label=f"epoch {look.epoch}", color=color))
    lowest = max(1e-6, min(value for one in series for _, value in one.points if value > 0))
    axis = Axis(low=lowest, high=1.0, scale="log")
    chart = line_chart(series[-1:] if len(looks) == 1 else series, x=Axis(low=1.0, unit="direction"), y=axis)
    return card("Singular spectrum", chart, note="log, over the largest", width="half")


def about(facts_: RunFacts, *, beside_map: bool) -> str:
    """The method in a sentence, and the recipe."""
    experiment = facts_.experiment
    train, data = experiment.train, experiment.data
    views = ", ".join(f"{view.count} {view.name} of {view.size} px" for view in experiment.views)
    device = facts_.state.derived.get("device", train.device)
    precision = facts_.state.derived.get("precision", train.precision)
    rows = [
        ("method", facts_.method),
        ("backbone", facts_.backbone),
        ("weights at the start", "random" if experiment.backbone.weights == "none" else experiment.backbone.weights),
        ("stored images", f"{data.size} px, {channels_in_words(data)}, fitted by {data.fit}"),
        *([("scale", scale_in_words(data))] if keeps_scale(data) else []),
        ("views of each image", views),
        ("batch", f"{train.batch_size:,} images"),
        ("optimizer", f"{train.optimizer}, {number(train.learning_rate)} per 256 images, {train.schedule}"),
        ("device", f"{device}, {precision}"),
        ("seed", str(experiment.seed)),
    ]
    told = paragraph(facts_.method_summary) if facts_.method_summary else ""
    return card("About this run", told + facts(rows), width="third" if beside_map else "")


def derived(facts_: RunFacts) -> str:
    """What followed from what was asked."""
    values = {name.replace("_", " "): str(value) for name, value in facts_.state.derived.items()}
    return facts(values.items()) if values else ""
