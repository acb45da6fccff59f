"""The chosen view after each op in turn, below the board."""

from PySide6.QtWidgets import QWidget

from workbench.engine.messages import Arrays, Preview, PreviewReply
from workbench.gui.pages.views import stages
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.pictures import as_image
from workbench.gui.widgets.step_strip import Step, StepStrip


class StepsCard(Card):
    """The strip with its heading. Its pictures are tied to their places in the chain."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("After each op", parent=parent)
        self.strip = StepStrip()
        self.content.addWidget(self.strip)
        self.setMinimumHeight(136)

    def clear(self) -> None:
        """Shows nothing."""
        self.strip.set_steps(())
        self.set_note("")

    def show_preview(self, request: Preview, reply: PreviewReply, arrays: Arrays) -> None:
        """The original, then one picture for each op that acts."""
        steps = []
        if request.steps_of >= 0 and "originals" in arrays:
            steps.append(Step(as_image(arrays["originals"][request.steps_of]), "original"))
        for number, (place, drawn) in enumerate(zip(stages.acting(request), reply.steps)):
            pixels = arrays.get(f"step-{number}")
            if pixels is not None:
                steps.append(Step(as_image(pixels), drawn.title.lower(), drawn.text, place))
        self.strip.set_steps(tuple(steps))
        if reply.names and request.steps_of >= 0:
            self.set_note(f"{stages.title(request, reply)} · double-click a picture to solo its op")
