"""The chosen view after each op in turn, below the board."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QWidget

from workbench.engine.messages import Arrays, Preview, PreviewReply
from workbench.gui.pages.views import stages
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.pictures import Pictures
from workbench.gui.widgets.step_strip import Step, StepStrip
from workbench.gui.words import minus


class StepsCard(Card):
    """The strip with its heading. Its pictures are tied to their places in the chain."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("After each op", parent=parent)
        self.strip = StepStrip()
        self._pictures: dict[int, Pictures] = {}
        self.content.addWidget(self.strip)
        self.setMinimumHeight(136)

    def clear(self) -> None:
        """Shows nothing."""
        self._pictures = {}
        self.strip.set_steps(())
        self.set_note("")

    def show_preview(self, request: Preview, reply: PreviewReply, arrays: Arrays) -> None:
        """The original, then one picture for each op that acts."""
        blocks: dict[int, NDArray[np.generic]] = {}
        words = {-1: ("original", "")}
        if request.steps_of >= 0 and "originals" in arrays:
            blocks[-1] = arrays["originals"][request.steps_of]
        for number, (place, drawn) in enumerate(zip(stages.acting(request), reply.steps)):
            pixels = arrays.get(f"step-{number}")
            if pixels is not None:
                blocks[place], words[place] = pixels, (drawn.title.lower(), minus(drawn.text))
        # Ops ahead of the one that is edited have the same pictures as before.
        self._pictures = {place: Pictures(block[None], self._pictures.get(place)) for place, block in blocks.items()}
        self.strip.set_steps(
            tuple(Step(pictures[0], *words[place], place) for place, pictures in self._pictures.items())
        )
        if reply.names and request.steps_of >= 0:
            self.set_note(f"{stages.title(request, reply)} · double-click a picture to solo its op (S)")
