"""The report: one HTML page that needs nothing but itself."""

from datetime import datetime
from pathlib import Path

from workbench import __version__
from workbench.catalog.registry import Registry, load_registry
from workbench.export.page import audits, embedding, origin, pictures, results, training
from workbench.export.page.facts import RunFacts, read_facts
from workbench.export.page.markup import escape, paragraph
from workbench.runs.folder import RunFolder, write_whole
from workbench.spec import places
from workbench.spec.errors import ExportError, why
from workbench.spec.progress import Report, ignore

# No script, no request: what names and labels hold could do nothing even if it were not escaped.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def make_report(
    run: RunFolder, file: Path | None = None, report: Report = ignore, *, registry: Registry | None = None
) -> Path:
    """Writes the page (report.html in the run folder without `file`), and returns where it is.

    A run in any state has a report; what it has not come to is said in words. Raises `ExportError`
    where the file cannot be written, `RunError` where the run is damaged.
    """
    target = file or run.report_file
    registry = registry or load_registry()
    report("reading the run", 0, 3)
    facts = read_facts(run, registry)
    report("drawing", 1, 3)
    page = _page(facts, registry)
    report("writing the report", 2, 3)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, page.encode("utf-8", "replace"))
    except OSError as error:
        raise ExportError(
            f"The report cannot be written to {target}: {why(error)}.",
            hint="Choose another place (-o FILE.html), or free some space.",
        ) from error
    report("writing the report", 3, 3)
    return target


def _page(facts: RunFacts, registry: Registry) -> str:
    style = (places.bundled("resources") / "report" / "report.css").read_text(encoding="utf-8")
    drawn_map = embedding.embedding_map(facts)
    cards = [
        training.summary(facts),
        training.troubles(facts),
        training.curves(facts),
        drawn_map,
        training.about(facts, beside_map=bool(drawn_map)),
        training.exams(facts),
        training.clusters(facts),
        training.health(facts),
        results.probes(facts),
        audits.audits(facts),
        pictures.task(facts),
        pictures.samples(facts, registry),
        results.exports(facts),
        origin.origin(facts),
    ]
    made = f"Made by Pretext Workbench {__version__} on {datetime.now():%d %B %Y at %H:%M} from {facts.run.path}."
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(facts.experiment.name)} · Pretext Workbench</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{training.heading(facts)}\n"
        f'<div class="grid">\n{"".join(cards)}\n</div>\n<footer>{paragraph(made)}</footer>\n</main>\n</body>\n</html>\n'
    )
