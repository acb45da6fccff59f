"""One view on its way from the stored image, as pictures: the original, and what came out of each op."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.engine.messages import Arrays, OpDrawn, Preview, PreviewReply
from workbench.gui.pages.views import edits
from workbench.gui.widgets.lightbox import Stage
from workbench.gui.widgets.pictures import part
from workbench.spec.experiment import OpSpec

ORIGINAL, PART, FINAL = "original", "part", "final"
"""Keys of the stages that every view has."""


def title(request: Preview, reply: PreviewReply) -> str:
    """'00124.png, global 1': whose steps these are."""
    return f"{Path(request.paths[request.steps_of]).name}, {reply.names[request.steps_view]}"


def acting(request: Preview) -> tuple[int, ...]:
    """The places in its chain of the ops that act on the chosen view, in the order of `PreviewReply.steps`."""
    return tuple(place for place, spec in enumerate(_chain(request)) if spec.enabled)


def key_of(request: Preview, place: int) -> str:
    """The key of the stage after the op at a place: its name, and the how-manieth of that name it is."""
    chain = _chain(request)
    return f"{chain[place].op} {sum(spec.op == chain[place].op for spec in chain[:place])}"


def key_before(request: Preview, place: int) -> str:
    """The key of what comes in to the op at a place."""
    earlier = [other for other in acting(request) if other < place]
    return key_of(request, earlier[-1]) if earlier else ORIGINAL


def drawn(request: Preview, reply: PreviewReply) -> tuple[OpDrawn, ...]:
    """What every op drew for the chosen view."""
    return reply.drawn[request.steps_view][request.steps_of].ops


def stages(request: Preview, reply: PreviewReply, arrays: Arrays) -> list[Stage]:
    """First the part of the original that the view shows, last the view itself."""
    original = np.asarray(arrays["originals"][request.steps_of], np.uint8)
    view = np.asarray(arrays[f"view-{request.steps_view}"][request.steps_of], np.uint8)
    corners = reply.drawn[request.steps_view][request.steps_of].corners
    found = [
        Stage(PART, "original, this part", part(original, corners, view.shape[1], view.shape[0])),
        Stage(ORIGINAL, "original, whole", original),
    ]
    for number, (place, step) in enumerate(zip(acting(request), reply.steps)):
        pixels: NDArray[np.generic] | None = arrays.get(f"step-{number}")
        if pixels is not None:
            found.append(Stage(key_of(request, place), f"after {step.title.lower()}", np.asarray(pixels, np.uint8)))
    return [*found, Stage(FINAL, "final view", view)]


def _chain(request: Preview) -> tuple[OpSpec, ...]:
    kind = edits.expanded(request.views)[request.steps_view][1]
    return request.views[kind].chain
