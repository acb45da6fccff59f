"""Views measured on a folder's own images."""

import contextlib
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from workbench.data.identity import image_ids
from workbench.engine.handlers import torch_side
from workbench.engine.handlers.previewing import Stored, decoded
from workbench.engine.messages import Arrays, MeasureViews, ViewFactsReply
from workbench.spec.errors import DataError, UsageError, WorkbenchError
from workbench.spec.progress import Report


def measure_views(request: MeasureViews, report: Report) -> tuple[ViewFactsReply, Arrays]:
    """What the plan does to these images, in figures and in words."""
    if not request.paths:
        raise UsageError("Views can only be measured on images.")
    report("measuring views", 0, 0)
    registry = torch_side.registry()
    import torch

    from workbench.evaluate.views import check_views
    from workbench.inspect.views import Sample

    request, pixels = _readable(request)
    with torch.inference_mode():
        facts = check_views(
            request.views,
            Sample(pixels=torch.from_numpy(pixels), ids=torch.from_numpy(image_ids(request.paths)), seed=request.seed),
            ops=registry.ops,
            factors=_factors(request),
            report=report,
        )
    return ViewFactsReply(facts=facts), {}


def _readable(request: MeasureViews) -> tuple[MeasureViews, Stored]:
    """The images without those that are damaged, as training leaves them out. Raises `DataError` where all are."""
    try:
        return request, decoded(request.data, request.paths)
    except DataError as error:
        found = {}
        for row, path in enumerate(request.paths):
            with contextlib.suppress(DataError):
                found[row] = decoded(request.data, (path,))[0]
        if not found:
            raise error from None
    paths = tuple(request.paths[row] for row in found)
    classes = tuple(request.classes[row] for row in found) if request.classes else ()
    return replace(request, paths=paths, classes=classes), np.stack(list(found.values()))


def _factors(request: MeasureViews) -> dict[str, tuple[str, ...]]:
    """The folders' names, and every column of the label table, for these images."""
    factors = {"folder": request.classes} if request.classes else {}
    table = Path(request.data.folder) / request.data.csv
    if table.is_file():
        from workbench.data.labels import read_labels

        try:
            columns = read_labels(table, request.paths).columns
        except WorkbenchError:
            return factors  # What is wrong with the table, the Data page says.
        factors = {name: values for name, values in factors.items() if values not in columns.values()} | dict(columns)
    return factors
