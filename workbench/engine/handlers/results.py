"""Finished and running runs: their maps, probes, exports and reports."""

import time
from pathlib import Path

from workbench.engine.handlers import torch_side
from workbench.engine.messages import (
    Arrays,
    Evaluate,
    EvaluateReply,
    Export,
    ExportReply,
    MakeReport,
    Project,
    ProjectReply,
    ReportReply,
)
from workbench.runs.folder import RunFolder
from workbench.spec.progress import Report


def project(request: Project, report: Report) -> tuple[ProjectReply, Arrays]:
    """A layout of a snapshot, kept in the run folder."""
    run = RunFolder.open(Path(request.run))
    began = time.perf_counter()
    torch_side.registry()
    from workbench.inspect.project import project_run

    positions = project_run(
        run,
        epoch=request.epoch,
        neighbors=request.neighbors,
        min_distance=request.min_distance,
        report=report,
    )
    seconds = time.perf_counter() - began
    return ProjectReply(kind=request.kind, epoch=request.epoch, seconds=seconds), {"positions": positions}


def evaluate(request: Evaluate, report: Report) -> tuple[EvaluateReply, Arrays]:
    """Probes, kept in the run folder."""
    run = RunFolder.open(Path(request.run))
    torch_side.registry()
    from workbench.evaluate.probe import evaluate_run
    from workbench.training.devices import resolve_device

    evaluation = evaluate_run(
        run,
        probes=request.probes,
        column=request.column,
        neighbors=request.neighbors,
        limit=request.limit,
        device=resolve_device("auto"),
        report=report,
    )
    return EvaluateReply(evaluation=evaluation), {}


def export(request: Export, report: Report) -> tuple[ExportReply, Arrays]:
    """Files that load elsewhere, each compared with the original."""
    run = RunFolder.open(Path(request.run))
    torch_side.registry()
    from workbench.export.run import export_run
    from workbench.training.devices import resolve_device

    folder = Path(request.folder) if request.folder else run.exports
    records = export_run(run, formats=request.formats, folder=folder, device=resolve_device("auto"), report=report)
    return ExportReply(records=records), {}


def report_page(request: MakeReport, report: Report) -> tuple[ReportReply, Arrays]:
    """One self-contained page."""
    run = RunFolder.open(Path(request.run))
    torch_side.registry()
    from workbench.export.report import make_report

    file = make_report(run, Path(request.file) if request.file else None, report)
    return ReportReply(file=str(file)), {}
