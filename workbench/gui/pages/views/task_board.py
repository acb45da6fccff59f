"""Images as they are stored, and what a method gives a network and asks of it for them."""

import numpy as np

from workbench.engine.messages import Arrays, ShowTask, ShowTaskReply
from workbench.gui.widgets.exhibit_board import ExhibitBoard
from workbench.runs.exhibit import ShownPanel


class TaskBoard(ExhibitBoard):
    """The images as they are stored, then what is made of them."""

    def show_task(self, request: ShowTask, reply: ShowTaskReply, arrays: Arrays) -> None:
        """New pictures."""
        stored = ShownPanel(part="original", title="Original", pictures=np.asarray(arrays["originals"], np.uint8))
        panels = [
            ShownPanel(
                part=panel.part,
                title=panel.title,
                pictures=np.asarray(arrays[f"panel-{number}"], np.uint8),
                captions=panel.captions,
            )
            for number, panel in enumerate(reply.panels)
        ]
        self.set_panels(request.paths, [stored, *panels])
