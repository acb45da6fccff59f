"""Columns of pictures on their way to the window: their words in the reply, their pixels beside it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.engine.messages import Arrays, TaskPanel
from workbench.runs.exhibit import ShownPanel

_ORIGINALS = "originals"


def sent(originals: NDArray[np.uint8], panels: Sequence[ShownPanel]) -> tuple[tuple[TaskPanel, ...], Arrays]:
    """The words of the columns beside the images (n, h, w, 3), and arrays: 'originals', 'panel-P' for each column p."""
    arrays: Arrays = {_ORIGINALS: originals}
    arrays |= {_name(number): panel.pictures for number, panel in enumerate(panels)}
    return tuple(TaskPanel(part=panel.part, title=panel.title, captions=panel.captions) for panel in panels), arrays


def received(panels: Sequence[TaskPanel], arrays: Arrays, *, original: str) -> tuple[ShownPanel, ...]:
    """The images, under the title `original`, and the columns beside them."""
    stored = ShownPanel(part="original", title=original, pictures=np.asarray(arrays[_ORIGINALS], np.uint8))
    return (
        stored,
        *(
            ShownPanel(
                part=panel.part,
                title=panel.title,
                pictures=np.asarray(arrays[_name(number)], np.uint8),
                captions=panel.captions,
            )
            for number, panel in enumerate(panels)
        ),
    )


def _name(number: int) -> str:
    return f"panel-{number}"
