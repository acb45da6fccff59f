"""A ready experiment fitted to a folder: what is suggested for its method, with what it asks for."""

from pathlib import Path

from msgspec.structs import replace

from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import Registry
from workbench.catalog.tasks import method_of, params_of
from workbench.runs.index import RunEntry, list_runs
from workbench.spec.catalog import ReadyCard
from workbench.spec.dataset import ScanReport
from workbench.spec.errors import CheckError
from workbench.spec.experiment import DataSpec, Experiment
from workbench.spec.places import default_runs
from workbench.spec.ready import applied, run_title
from workbench.training.suggest import SUGGESTED, Length, suggest


def suggest_ready(
    scan: ScanReport,
    name: str,
    *,
    data: DataSpec | None = None,
    backbone: str = "",
    runs: Path | None = None,
    length: Length = SUGGESTED,
    registry: Registry,
) -> tuple[Experiment, tuple[str, ...]]:
    """The ready experiment of that name for a scanned folder, and a sentence per decision.

    `backbone` and `length` count where the experiment names none. runs: where the run of its first round is looked for.
    Raises what `check_ready` and `suggest` raise, and `CheckError` where a first round is missing.
    """
    card = registry.experiment(name)
    check_ready(card, registry)
    first = _first_round(card, scan, runs, registry) if card.after else None
    if first and first.experiment:
        backbone = first.experiment.backbone.name
    suggested, reasons = suggest(
        scan,
        data=data,
        method=card.method.name,
        also=card.method.also,
        backbone=card.backbone.get("name", backbone),
        preset=card.preset,
        length=replace(
            length,
            epochs=card.train.get("epochs", length.epochs),
            batch_size=card.train.get("batch_size", length.batch_size),
        ),
        registry=registry,
    )
    ready = applied(card, suggested)
    if first and first.experiment:
        ready = replace(ready, backbone=replace(first.experiment.backbone, weights=str(first.path)))
        reasons = (*reasons, f"It starts from the encoder of the run {first.path.name}.")
    return ready, (f"{card.title}: {card.shows}", *reasons, *_differences(card, suggested))


def _differences(card: ReadyCard, suggested: Experiment) -> list[str]:
    """A sentence for each value that the ready experiment sets in place of the suggested one, whose reason was said."""
    return [
        f"This experiment has a {part}.{name} of {value} in place of {other}."
        for part, values in (("backbone", card.backbone), ("train", card.train), ("watch", card.watch))
        for name, value in values.items()
        if (other := getattr(getattr(suggested, part), name)) != value
    ]


def _first_round(card: ReadyCard, scan: ScanReport, runs: Path | None, registry: Registry) -> RunEntry:
    """The newest finished run of the experiment before it, on the same images."""
    before = registry.experiment(card.after)
    title = run_title(before, scan.folder)
    for entry in list_runs(runs or default_runs()):
        made = entry.experiment
        if entry.status == "finished" and made and made.name == title and made.data.folder == scan.folder:
            return entry
    raise CheckError(
        f"'{card.title}' goes on with the encoder of '{before.title}', and there is no finished run of that on these "
        "images yet.",
        hint=f"Train '{before.title}' first ({before.name}), then choose this one again.",
    )


def check_ready(card: ReadyCard, registry: Registry) -> None:
    """Raises `NotFoundError` for a method, preset, backbone or twin that is not there, `SpecError` for its values."""
    method_of(card.method, registry)
    params_of(card.method, registry)
    if card.preset:
        registry.preset(card.preset)
    for other in (card.beside, card.after):
        if other:
            registry.experiment(other)
    if "name" in card.backbone:
        registry.backbone(card.backbone["name"])
    if card.views:
        ViewPlan(card.views, registry.ops)
