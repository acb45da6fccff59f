"""The board: images × views, one view large, or the method's task; as stored, or as the network gets it."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QToolButton, QWidget

from workbench.engine.messages import Arrays, Preview, PreviewReply, ShowTask, ShowTaskReply
from workbench.engine.panels import received
from workbench.gui import icons
from workbench.gui.bridge import Engine
from workbench.gui.pages.views import edits, stages
from workbench.gui.pages.views.draws import DrawBar
from workbench.gui.pages.views.normalization import NormalizationSwitch
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.exhibit_board import ExhibitBoard
from workbench.gui.widgets.grid_content import GridContent
from workbench.gui.widgets.lightbox import Lightbox
from workbench.gui.widgets.notice import Notice
from workbench.gui.widgets.picture_grid import LARGEST, SMALLEST
from workbench.gui.widgets.pictures import Pictures
from workbench.gui.widgets.segments import Segments
from workbench.gui.widgets.shades import Shades
from workbench.gui.widgets.slider import Scale, Slider
from workbench.gui.widgets.view_grid import ViewGrid
from workbench.gui.words import minus, shown_planes
from workbench.spec.dataset import ScanReport

_TOLD_LINES = 2
_MODES = (("views", "Views"), ("task", "Task"))
_TITLES = {False: "Images × views", True: "Task"}


class Board(Card):
    """Shows previews; holds nothing but the last one. `clear_wanted`: solo and mute are to end."""

    clear_wanted = Signal()

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(_TITLES[False], parent=parent)
        self._shown: tuple[Preview, PreviewReply, Arrays] | None = None
        self._at_rest = ""
        self.grid = ViewGrid()
        self.lightbox = Lightbox()
        self.task = ExhibitBoard()
        self.mode = Segments(_MODES)
        self.mode.setAccessibleName("What the board shows")
        self.mode.setToolTip("The views of each image, or what the method gives the network and asks of it.")
        self.bar = DrawBar()
        self.problem = Banner("bad")
        self.problem.hide()
        self.listening = Notice("watch", "Show all ops")
        self.listening.button.setToolTip("Ends solo and mute (Esc)")
        self.normalization = NormalizationSwitch(engine)
        self.large = QToolButton()
        self.large.setCheckable(True)
        self.large.setToolTip("One view large: before and after, zoom, histogram (Enter, or a double click on it)")
        self.large.setAccessibleName("One view large")
        icons.follow(self.large, "enlarge", "secondary")
        self.boxes = QToolButton()
        self.boxes.setText("Crop boxes")
        self.boxes.setProperty("kind", "toggle")
        self.boxes.setCheckable(True)
        self.boxes.setChecked(True)
        self.boxes.setToolTip("Draws on each original where its views come from.")
        self.side = Slider(Scale(SMALLEST, LARGEST, whole=True))
        self.side.setFixedWidth(96)
        self.side.setAccessibleName("Size of the pictures")
        self.side.setToolTip("Size of the pictures (Ctrl with the wheel)")
        self.side.set_number(self.grid.cell)
        self._told = QLabel()
        self._told.setProperty("role", "caption")
        self._told.setWordWrap(True)
        self._told.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._stack = QStackedWidget()
        self._stack.setProperty("surface", "inside")
        self._looks = QWidget()
        self._lay_out()
        self._connect()

    @property
    def is_large(self) -> bool:
        """Whether one view is shown large."""
        return self._stack.currentWidget() is self.lightbox or self.task.is_large

    @property
    def shows_task(self) -> bool:
        """Whether the method's task is shown in place of the views."""
        return self._stack.currentWidget() is self.task

    @property
    def told(self) -> str:
        """The words below the pictures: what was drawn for the view, or the pixel, under the pointer."""
        return self._told.text()

    def open_large(self) -> None:
        """Shows the chosen view large: the part of the original that it is made of beside it."""
        if self._shown is None or self.is_large:
            self._show_large_button()
            return
        self._stack.setCurrentWidget(self.lightbox)
        self._looks.hide()
        self._draw_large()
        self.lightbox.compare(stages.PART, stages.FINAL)
        self.lightbox.wipe.setFocus()
        self._show_large_button()

    def close_large(self) -> None:
        """All views again."""
        if self._stack.currentWidget() is self.lightbox:
            self._stack.setCurrentWidget(self.grid)
            self._looks.show()
            self._told.setText("")
            self.grid.setFocus()
        self.task.close_large()
        self._show_large_button()

    def show_mode(self, *, task: bool) -> None:
        """The method's task, or the views."""
        self.mode.set_value("task" if task else "views")
        if task == self.shows_task:
            return
        self.close_large()
        self._stack.setCurrentWidget(self.task if task else self.grid)
        self.set_title(_TITLES[task])
        self.problem.hide()
        for only_views in (self.large, self.normalization, self.boxes):
            only_views.setVisible(not task)
        self._set_note("making the first pictures …" if task else self._at_rest)

    def compare_op(self, place: int) -> None:
        """In the large view: what comes in to an op of the chain beside what comes out; -1 for the whole chain."""
        if self._shown is None or not self.is_large:
            return
        request = self._shown[0]
        if place < 0:
            self.lightbox.compare(stages.PART, stages.FINAL)
        elif place in stages.acting(request):
            self.lightbox.compare(stages.key_before(request, place), stages.key_of(request, place))

    def clear_pictures(self, scan: ScanReport | None) -> None:
        """Another folder."""
        self._shown = None
        self.normalization.set_scan(scan)
        self.close_large()
        self.grid.set_content(GridContent())
        self.task.set_panels((), ())

    def show_skeleton(self, request: Preview | None, names: tuple[tuple[str, int], ...]) -> None:
        """Gray squares where pictures will be. names: (name, number of its kind) of each view."""
        self.grid.set_content(
            GridContent(
                paths=request.paths if request else (),
                views=tuple(Pictures() for _ in names),
                names=tuple(name for name, _ in names),
                kinds=tuple(kind for _, kind in names),
            )
        )
        self._set_note("making the first previews …")

    def show_problem(self, words: str, title: str = "No preview.") -> None:
        """Why there are no pictures."""
        self.problem.show_words("bad", title, words)
        self.problem.show()
        self._set_note("")

    def show_preview(self, request: Preview, reply: PreviewReply, arrays: Arrays, milliseconds: float) -> None:
        """New pictures."""
        self._shown = (request, reply, arrays)
        self.problem.hide()
        self.normalization.set_data(request.data)
        planes = request.data.planes if request.data.channels == "planes" else 0
        self.lightbox.histogram.set_planes(planes)
        told = (shown_planes(planes), f"preview {milliseconds:.0f} ms")
        self._set_note(" · ".join(text for text in told if text))
        self._draw()

    def show_task(self, request: ShowTask, reply: ShowTaskReply, arrays: Arrays, note: str) -> None:
        """New pictures of the task."""
        self.problem.hide()
        self.task.set_panels(request.paths, received(reply.panels, arrays, original="Original"))
        self._set_note(note)

    def _lay_out(self) -> None:
        for part in (self.large, self.normalization, self.mode):
            self.corner.addWidget(part)
        self._stack.addWidget(self.grid)
        self._stack.addWidget(self.lightbox)
        self._stack.addWidget(self.task)
        self.content.addWidget(self.listening)
        self.content.addWidget(self.problem)
        self.content.addWidget(self._stack, 1)
        looks = QHBoxLayout(self._looks)
        looks.setContentsMargins(0, 0, 0, 0)
        looks.setSpacing(8)
        looks.addWidget(self.boxes)
        looks.addWidget(self.side)
        told = QHBoxLayout()
        told.setSpacing(16)
        told.addWidget(self._told, 1)
        told.addWidget(self._looks)
        self._told.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._told.ensurePolished()
        self._told.setFixedHeight(_TOLD_LINES * self._told.fontMetrics().lineSpacing() + 2)
        self.content.addLayout(told)
        self.content.addWidget(self.bar)

    def _connect(self) -> None:
        self.grid.hovered.connect(self._told.setText)
        self.grid.opened.connect(self.open_large)
        self.grid.resized.connect(self.side.set_number)
        self.task.told.connect(self._told.setText)
        self.task.large_changed.connect(lambda large: self._looks.setVisible(not large))
        self.lightbox.closed.connect(self.close_large)
        self.lightbox.moved.connect(self._on_moved)
        self.lightbox.told.connect(self._told.setText)
        self.listening.pressed.connect(self.clear_wanted)
        self.normalization.changed.connect(self._on_normalization_changed)
        self.large.clicked.connect(lambda wanted: self.open_large() if wanted else self.close_large())
        self.boxes.toggled.connect(self.grid.set_boxes_visible)
        self.side.moved.connect(self._on_side_moved)

    def _draw(self) -> None:
        """The last preview, in the shades that are asked for. Originals stay as they are stored."""
        if self._shown is None:
            return
        request, reply, arrays = self._shown
        shades, before = self.normalization.shades, self.grid.content
        earlier = before.views if len(before.views) == len(reply.names) else (None,) * len(reply.names)
        self.grid.set_content(
            GridContent(
                paths=request.paths,
                originals=Pictures(arrays.get("originals"), before.originals),
                views=tuple(
                    _pictures(arrays.get(f"view-{number}"), shades, older) for number, older in enumerate(earlier)
                ),
                names=reply.names,
                kinds=tuple(kind for _, kind in edits.expanded(request.views)),
                drawn=reply.drawn,
            )
        )
        if self.is_large:
            self._draw_large()

    def _draw_large(self) -> None:
        if self._shown is None or self._shown[0].steps_of < 0:
            return
        request, reply, arrays = self._shown
        drawn = [(op.title.lower(), minus(op.text)) for op in stages.drawn(request, reply)]
        self.lightbox.set_shades(self.normalization.shades)
        self.lightbox.set_view(stages.title(request, reply), stages.stages(request, reply, arrays), drawn)

    def _set_note(self, note: str) -> None:
        if self.shows_task:
            self.set_note(note)
            return
        self._at_rest = note
        self.set_note(self.normalization.words or note)

    def _on_side_moved(self, side: float) -> None:
        for grid in (self.grid, self.task.grid):
            grid.set_cell(round(side))

    def _show_large_button(self) -> None:
        self.large.setChecked(self.is_large)

    def _on_normalization_changed(self) -> None:
        self._set_note(self._at_rest)
        self._draw()

    def _on_moved(self, views: int, images: int) -> None:
        content, (image, view) = self.grid.content, self.grid.selection
        if content.names and content.paths:
            self.grid.select((image + images) % len(content.paths), (view + views) % len(content.names))


def _pictures(block: NDArray[np.generic] | None, shades: Shades | None, before: Pictures | None) -> Pictures:
    """A view of every image in these shades; none where the reply has no such array."""
    return Pictures(block if block is None or shades is None else shades.applied(block), before)
