"""Where an encoder looks, and how well that outlines the object."""

from pathlib import Path

from workbench.engine.handlers import torch_side
from workbench.engine.messages import Arrays, CompareMasks, CompareMasksReply, LookInside, LookInsideReply
from workbench.engine.panels import sent
from workbench.runs.folder import RunFolder
from workbench.spec.progress import Report


def look_inside(request: LookInside, report: Report) -> tuple[LookInsideReply, Arrays]:
    """Pictures of one kind, of some test images."""
    run = RunFolder.open(Path(request.run))
    torch_side.registry()
    from workbench.evaluate import inside
    from workbench.training.devices import resolve_device

    found = inside.look_inside(
        run,
        request.kind,
        images=request.images,
        trained=request.trained,
        scale=request.scale,
        place=request.at,
        image=request.image,
        device=resolve_device("auto"),
        report=report,
    )
    original, *panels = found.panels
    columns, arrays = sent(original.pictures, panels)
    return LookInsideReply(epoch=found.epoch, paths=found.paths, panels=columns), arrays


def compare_masks(request: CompareMasks, report: Report) -> tuple[CompareMasksReply, Arrays]:
    """Kept in the run folder."""
    run = RunFolder.open(Path(request.run))
    torch_side.registry()
    from workbench.evaluate.masks import compare_with_masks
    from workbench.training.devices import resolve_device

    made = compare_with_masks(run, Path(request.folder), device=resolve_device("auto"), report=report)
    return CompareMasksReply(comparison=made), {}
