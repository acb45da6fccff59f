"""Experiments before they start: a suggestion, a check, a measurement."""

from pathlib import Path

from workbench.engine.handlers import torch_side
from workbench.engine.messages import (
    Arrays,
    Check,
    CheckReply,
    CheckViews,
    CheckViewsReply,
    Measure,
    MeasureReply,
    Suggest,
    SuggestReply,
)
from workbench.spec.progress import Report


def make_suggestion(request: Suggest, report: Report) -> tuple[SuggestReply, Arrays]:
    """An experiment that fits the data, the method and this machine."""
    report("thinking of a recipe", 0, 0)
    registry = torch_side.registry()
    from workbench.training.ready import suggest_ready
    from workbench.training.suggest import suggest, suggest_views

    if request.ready:
        ready, reasons = suggest_ready(
            request.scan,
            request.ready,
            data=request.data,
            backbone=request.backbone,
            runs=Path(request.runs) if request.runs else None,
            registry=registry,
        )
        return SuggestReply(experiment=ready, reasons=reasons), {}
    experiment, reasons = suggest(
        request.scan,
        data=request.data,
        method=request.method,
        also=request.also,
        backbone=request.backbone,
        preset=request.preset,
        scaled=request.scaled,
        registry=registry,
    )
    _, about_views = suggest_views(
        request.scan,
        experiment.data,
        method=request.method,
        also=request.also,
        preset=request.preset,
        scaled=request.scaled,
        registry=registry,
    )
    return SuggestReply(experiment=experiment, reasons=reasons, view_reasons=about_views), {}


def check_views(request: CheckViews, report: Report) -> tuple[CheckViewsReply, Arrays]:
    """Builds every chain, which checks it."""
    report("checking", 0, 0)
    registry = torch_side.registry()
    from workbench.augment.plan import ViewPlan

    ViewPlan(request.views, registry.ops)
    return CheckViewsReply(), {}


def check_experiment(request: Check, report: Report) -> tuple[CheckReply, Arrays]:
    """Everything that would stop or spoil it."""
    report("checking", 0, 0)
    registry = torch_side.registry()
    from workbench.training.check import check

    return CheckReply(findings=check(request.experiment, request.images, registry)), {}


def measure_experiment(request: Measure, report: Report) -> tuple[MeasureReply, Arrays]:
    """A few real steps."""
    registry = torch_side.registry()
    from workbench.training.measure import measure

    return MeasureReply(measurement=measure(request.experiment, request.images, registry, report)), {}
