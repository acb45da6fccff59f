"""The report's results: probes with their intervals and confusion matrices, and exported files."""

from pathlib import Path

from workbench.export.page.charts import interval_bar
from workbench.export.page.facts import RunFacts
from workbench.export.page.markup import card, chip, escape, heat_class, number, paragraph, percent, size_words, table
from workbench.runs.results import Evaluation, ExportRecord, ProbeResult

_MOST_IN_MATRIX = 16
_MOST_CONFUSIONS = 12
_SUBJECTS = {"encoder": "this encoder", "untrained": "untrained", "pixels": "raw pixels"}
_KINDS = {"knn": "kNN", "linear": "linear"}


def probes(facts: RunFacts) -> str:
    """One pair of cards per evaluated column."""
    if not facts.evaluations:
        words = "No probe has been run on the encoder. Evaluate it in the window, or with `workbench evaluate`."
        return card("Evaluation", paragraph(words, kind="secondary"))
    return "".join(_evaluation(evaluation) for evaluation in facts.evaluations)


def exports(facts: RunFacts) -> str:
    """Every exported file, and how far it is from the original."""
    if not facts.exports:
        return ""
    rows = [_export_row(record) for record in facts.exports]
    header = ("format", "file", "size", "largest difference", "allowed", "")
    words = (
        "Each file was loaded again and compared with the original on images of this run before it got its name: "
        "encoders by the features that they give, tables by their content."
    )
    body = table(header, rows, numbers=(2, 3, 4)) + paragraph(words, kind="note")
    return card("Exports", body)


def _evaluation(evaluation: Evaluation) -> str:
    rows = []
    for result in evaluation.results:
        ours = result.subject == "encoder"
        color = "var(--accent)" if ours else "var(--secondary)"
        accuracy = percent(result.accuracy)
        rows.append(
            (
                escape(_KINDS[result.kind]),
                escape(_SUBJECTS[result.subject]),
                f"<strong>{accuracy}</strong>" if ours else accuracy,
                escape(f"{percent(result.low)} to {percent(result.high)}"),
                interval_bar(result.accuracy, result.low, result.high, color=color),
            )
        )
    frozen = (
        f"The encoder was frozen: its hash {evaluation.encoder_hash[:12]}… was the same before and after."
        if evaluation.frozen
        else f"The encoder CHANGED while it was probed (hash before: {evaluation.encoder_hash[:12]}…)."
    )
    body = table(("probe", "features of", "accuracy", "95 % interval", ""), rows, numbers=(2,))
    body += paragraph(frozen, kind="note")
    title = "Probes" if evaluation.column == "label" else f"Probes of '{evaluation.column}'"
    note = f"epoch {evaluation.epoch}, {evaluation.train_images:,} train and {evaluation.test_images:,} test images"
    return card(title, body, note=note, width="half") + _confusion(evaluation)


def _confusion(evaluation: Evaluation) -> str:
    result = evaluation.result("linear") or evaluation.result("knn")
    if result is None:
        return ""
    note = f"{_KINDS[result.kind]} probe of this encoder, test images"
    if len(evaluation.classes) <= _MOST_IN_MATRIX:
        return card("Confusions", _matrix(evaluation, result), note=note, width="half")
    return card("Most frequent confusions", _worst(evaluation, result), note=note, width="half")


def _matrix(evaluation: Evaluation, result: ProbeResult) -> str:
    head = "".join(f'<th title="{escape(name)}">{escape(name)}</th>' for name in evaluation.classes)
    rows = []
    for name, counts in zip(evaluation.classes, result.confusion, strict=True):
        total = max(1, sum(counts))
        cells = []
        for count in counts:
            share = count / total
            hot = heat_class(share)
            cells.append(f'<td{hot} style="--share:{share:.3f}">{count:,}</td>')
        rows.append(f'<tr><th title="{escape(name)}">{escape(name)}</th>{"".join(cells)}</tr>')
    return (
        f'<div class="scroll"><table class="matrix"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        f"{paragraph('Rows are true classes, columns what was predicted.', kind='note')}"
    )


def _worst(evaluation: Evaluation, result: ProbeResult) -> str:
    pairs = [
        (count, row, column)
        for row, counts in enumerate(result.confusion)
        for column, count in enumerate(counts)
        if row != column and count
    ]
    worst = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:_MOST_CONFUSIONS]
    rows = [
        (escape(evaluation.classes[row]), escape(evaluation.classes[column]), f"{count:,}")
        for count, row, column in worst
    ]
    return table(("true class", "taken for", "images"), rows, numbers=(2,))


def _export_row(record: ExportRecord) -> tuple[str, ...]:
    if record.verified:
        mark = chip("verified", "good")
    else:
        mark = chip("not verified", "bad") + paragraph(record.problem, kind="note")
    return (
        escape(record.format),
        escape(Path(record.file).name) if record.file else "",
        escape(size_words(record.size)) if record.size else "",
        escape(number(record.difference)) if record.difference is not None else "",
        escape(number(record.tolerance)),
        mark,
    )
