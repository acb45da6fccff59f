"""A view plan as Python that runs with torch and torchvision alone."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.augment.op import OpInfo
from workbench.spec.errors import NotFoundError, suggestion
from workbench.spec.experiment import OpSpec, ViewSpec
from workbench.spec.params import convert

_SIZED = ("random_resized_crop", "center_crop")
"""Ops whose torchvision form brings the image to the view's size."""


class PythonSource(NamedTuple):
    """`text` is a module; `missing` are the titles of ops that it leaves out."""

    text: str
    missing: tuple[str, ...]


def as_python(
    views: Sequence[ViewSpec],
    ops: Mapping[str, OpInfo[Any]],
    *,
    normalization: tuple[Sequence[float], Sequence[float]] | None = None,
) -> PythonSource:
    """Torchvision transforms of every kind of view, and `views(image)`, which makes them all.

    normalization: (mean, std) per channel, or None for none. Ops that torchvision has nothing like are named in
    a comment where they would stand. Raises as `ViewPlan` does for ops and parameters that are not right.
    """
    missing: list[str] = []
    parts = [_HEADER]
    for number, view in enumerate(views):
        lines = _steps(view, ops, f"views[{number}]", missing)
        if normalization is not None:
            mean, std = (", ".join(f"{value:.4g}" for value in values) for values in normalization)
            lines.append(f"v2.Normalize(mean=[{mean}], std=[{std}]),")
        body = "\n".join(f"        {line}" for line in lines)
        parts.append(f"# {_title(view)}\nview_{number} = v2.Compose(\n    [\n{body}\n    ]\n)\n")
    made = ", ".join(f"*(view_{number}(image) for _ in range({view.count}))" for number, view in enumerate(views))
    parts.append(_FOOTER.format(made=made))
    return PythonSource("\n".join(parts), tuple(dict.fromkeys(missing)))


def _title(view: ViewSpec) -> str:
    times = "one view" if view.count == 1 else f"{view.count} views"
    return " ".join(f"{view.name}: {times} of {view.size} px".split())


def _steps(view: ViewSpec, ops: Mapping[str, OpInfo[Any]], where: str, missing: list[str]) -> list[str]:
    lines = ["v2.ToImage(),", "v2.ToDtype(torch.float32, scale=True),"]
    active = [spec for spec in view.chain if spec.enabled]
    if not any(spec.op in _SIZED for spec in active):
        lines.append(f"v2.Resize(({view.size}, {view.size}), antialias=True),")
    for position, spec in enumerate(view.chain):
        info, params = _checked(spec, ops, f"{where}.chain[{position}]")
        expression = info.torchvision(params, view.size) if info.torchvision else ""
        if not spec.enabled:
            continue
        if expression:
            lines.append(f"{expression},")
        else:
            missing.append(info.title)
            lines.append(f"# Missing, because torchvision has nothing like it: {info.title}. {info.help}")
    return lines


def _checked(spec: OpSpec, ops: Mapping[str, OpInfo[Any]], where: str) -> tuple[OpInfo[Any], Any]:
    info = ops.get(spec.op)
    if info is None:
        raise NotFoundError(
            f"{where}: unknown op '{spec.op}'{suggestion(spec.op, ops)}", hint=f"Known: {', '.join(sorted(ops))}."
        )
    return info, convert(spec.params, info.params, where=where)


_HEADER = '''"""Views of an image, as they were composed in Pretext Workbench. Needs torch and torchvision only.

The same ops, probabilities and ranges; but random numbers are torch's own, so single draws differ, and so does
the last digit of what is resampled.
"""

import torch
from torchvision.transforms import v2
'''

_FOOTER = '''
def views(image):
    """Every view of an image (a PIL image, or a tensor of channels, height, width), in the order of the plan."""
    return [{made}]
'''
