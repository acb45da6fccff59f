"""What an encoder is blind to."""

from pathlib import Path

from workbench.engine.handlers import torch_side
from workbench.engine.messages import Arrays, AuditReply, RunAudit
from workbench.runs.folder import RunFolder
from workbench.spec.progress import Report


def audit(request: RunAudit, report: Report) -> tuple[AuditReply, Arrays]:
    """Kept in the run folder."""
    run = RunFolder.open(Path(request.run))
    torch_side.registry()
    from workbench.evaluate.audit import audit_run
    from workbench.training.devices import resolve_device

    made = audit_run(run, subject=request.subject, images=request.images, device=resolve_device("auto"), report=report)
    return AuditReply(audit=made), {}
