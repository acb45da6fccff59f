"""A ready experiment fitted to a folder: what is suggested for its method, with what it asks for."""

from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import Registry
from workbench.spec.catalog import ReadyCard
from workbench.spec.dataset import ScanReport
from workbench.spec.experiment import DataSpec, Experiment
from workbench.spec.params import convert
from workbench.spec.ready import applied
from workbench.training.suggest import suggest


def suggest_ready(
    scan: ScanReport,
    name: str,
    *,
    data: DataSpec | None = None,
    backbone: str = "",
    registry: Registry,
) -> tuple[Experiment, tuple[str, ...]]:
    """The ready experiment of that name for a scanned folder, and a sentence per decision.

    `backbone` counts where the experiment names none. Raises what `check_ready` and `suggest` raise.
    """
    card = registry.experiment(name)
    check_ready(card, registry)
    suggested, reasons = suggest(
        scan,
        data=data,
        method=card.method.name,
        backbone=card.backbone.get("name", backbone),
        preset=card.preset,
        registry=registry,
    )
    return applied(card, suggested), (f"{card.title}: {card.shows}", *reasons)


def check_ready(card: ReadyCard, registry: Registry) -> None:
    """Raises `NotFoundError` for a method, preset, backbone or twin that is not there, `SpecError` for its values."""
    convert(card.method.params, registry.method(card.method.name).params, where="method.params")
    if card.preset:
        registry.preset(card.preset)
    if card.beside:
        registry.experiment(card.beside)
    if "name" in card.backbone:
        registry.backbone(card.backbone["name"])
    if card.views:
        ViewPlan(card.views, registry.ops)
