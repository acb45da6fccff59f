"""The report's audit: what the encoder is blind to, as a heat map op × strength, and which factors can be read."""

from collections.abc import Sequence

from workbench.export.audit_picture import Named, in_full, ranked
from workbench.export.page.charts import interval_bar
from workbench.export.page.facts import RunFacts
from workbench.export.page.markup import card, escape, heat_class, paragraph, percent, table
from workbench.runs.audit import Audit, LadderResult, Subject, audit_of, compared, in_words

_COLUMNS = 4
_FIRST: tuple[Subject, ...] = ("trained", "best", "untrained", "pretrained")
_BESIDE: tuple[Subject, ...] = ("untrained", "pretrained", "best")
_NAMES: dict[Subject, str] = {
    "trained": "this encoder",
    "best": "best checkpoint",
    "untrained": "untrained",
    "pretrained": "library weights",
}
_WORDS = (
    "Cosine between the features of an image and of its changed self, from a weak change on the left to the strongest "
    "on the right: 1 is blind to the change, 0 as far away as another image. The mean feature is taken out before."
)


def audits(facts: RunFacts) -> str:
    """Two cards where the run has an audit on record; nothing otherwise."""
    shown = _chosen(facts.audits)
    if not shown:
        return ""
    first = shown[0].audit
    said = in_words(first) if len(shown) == 1 else compared(first, shown[1].audit, (shown[0].name, shown[1].name))
    said = said[:1].upper() + said[1:]
    note = f"epoch {first.epoch}, {first.images:,} test images of {first.image_size} px"
    body = paragraph(said) + _heat_map(shown) + paragraph(_WORDS, kind="note")
    if first.skipped:
        body += paragraph(
            f"Left out, since they change nothing on these images: {', '.join(first.skipped)}.", kind="note"
        )
    if not all(named.audit.frozen for named in shown):
        body += paragraph("The encoder CHANGED while it was audited.", kind="note")
    probed = _factors(shown)
    title = "What the encoder is blind to"
    return card(title, body, note=note, width="wide" if probed else "") + probed


def _chosen(found: tuple[Audit, ...]) -> list[Named]:
    """The run's own encoder first, and one to compare it with where there is one."""
    first = next((audit for subject in _FIRST if (audit := audit_of(found, subject))), None)
    if first is None:
        return []
    others = (audit_of(found, subject) for subject in _BESIDE if subject != first.subject)
    beside = next((audit for audit in others if audit), None)
    return [Named(name=_NAMES[audit.subject], audit=audit) for audit in (first, beside) if audit is not None]


def _heat_map(shown: Sequence[Named]) -> str:
    head = "".join(f'<th colspan="{_COLUMNS}">{escape(named.name)}</th>' for named in shown)
    rows = []
    for key in ranked([named.audit for named in shown]):
        ladders = [named.audit.ladder(key) for named in shown]
        title = next(ladder.title for ladder in ladders if ladder is not None)
        cells = "".join(_cells(ladder) for ladder in ladders)
        rows.append(f'<tr><th title="{escape(title)}">{escape(title)}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table class="matrix heat"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cells(ladder: LadderResult | None) -> str:
    """One cell for each strength, together as wide as four."""
    if ladder is None:
        return f'<td colspan="{_COLUMNS}"></td>'
    wide = _COLUMNS // len(ladder.rungs)
    cells = []
    for rung in ladder.rungs:
        share = min(1.0, max(0.0, rung.cosine))
        hot = heat_class(share)
        figure = f"{rung.cosine:.2f}".replace("-", "−")
        tip = escape(in_full(ladder, rung))
        cells.append(f'<td{hot} colspan="{wide}" style="--share:{share:.3f}" title="{tip}">{figure}</td>')
    return "".join(cells)


def _factors(shown: Sequence[Named]) -> str:
    rows = []
    for factor in shown[0].audit.factors:
        for number, named in enumerate(shown):
            found = named.audit.factor(factor.column)
            if found is None:
                continue
            color = "var(--secondary)" if number else "var(--accent)"
            bar = interval_bar(found.accuracy, found.low, found.high, color=color, mark=found.guessing)
            name = named.name if number else factor.column
            rows.append((escape(name), percent(found.accuracy), bar))
    if not rows:
        return ""
    who = f"The second line of each is {shown[1].name}. " if len(shown) > 1 else ""
    words = f"Linear probes on frozen features, with 95 % intervals. {who}The short line is guessing the usual class."
    body = table(("factor", "accuracy", ""), rows, numbers=(1,)) + paragraph(words, kind="note")
    return card("Factors that can be read", body, width="third")
