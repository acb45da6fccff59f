"""What the engine answers: one function per request.

Nothing here imports torch when it is imported: thumbnails and scans answer while torch still loads.
"""

from collections.abc import Callable
from typing import Any

from workbench.engine import messages
from workbench.engine.handlers import (
    auditing,
    coding,
    describing,
    looking,
    pictures,
    planning,
    previewing,
    results,
    splitting,
    statistics,
    tasks,
    viewfacts,
)
from workbench.engine.handlers.torch_side import preload
from workbench.engine.messages import AnyReply, AnyRequest, Arrays
from workbench.spec.progress import Report

__all__ = ["HANDLERS", "handle", "preload"]

HANDLERS: dict[type[AnyRequest], Callable[[Any, Report], tuple[AnyReply, Arrays]]] = {
    messages.GetCatalog: describing.get_catalog,
    messages.GetMachine: describing.get_machine,
    messages.Scan: pictures.scan,
    messages.Thumbnails: pictures.make_thumbnails,
    messages.Suggest: planning.make_suggestion,
    messages.CheckViews: planning.check_views,
    messages.ViewsAsPython: coding.views_as_python,
    messages.PlanSplit: splitting.plan,
    messages.Check: planning.check_experiment,
    messages.Measure: planning.measure_experiment,
    messages.Preview: previewing.preview,
    messages.ShowTask: tasks.show_task,
    messages.PixelStatistics: statistics.pixel_statistics,
    messages.MeasureViews: viewfacts.measure_views,
    messages.Project: results.project,
    messages.Evaluate: results.evaluate,
    messages.LookInside: looking.look_inside,
    messages.CompareMasks: looking.compare_masks,
    messages.RunAudit: auditing.audit,
    messages.Export: results.export,
    messages.MakeReport: results.report_page,
}


def handle(request: AnyRequest, report: Report) -> tuple[AnyReply, Arrays]:
    """The reply to a request, and its arrays. Raises `WorkbenchError`; `Cancelled` where `report` does."""
    return HANDLERS[type(request)](request, report)
