"""What a grid of images × views shows, and what of it looks different from before."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.engine.messages import ViewDrawn
from workbench.gui.widgets.pictures import Pictures


@dataclass(frozen=True, slots=True)
class GridContent:
    """What the grid shows. `views[v][i]` is view v of image i; `kinds[v]` the number of its view kind."""

    paths: tuple[str, ...] = ()
    originals: Pictures = field(default_factory=Pictures)
    views: tuple[Pictures, ...] = ()
    names: tuple[str, ...] = ()
    kinds: tuple[int, ...] = ()
    drawn: tuple[tuple[ViewDrawn, ...], ...] = ()

    @property
    def shape(self) -> object:
        """All that has a say in what is where, and in the words above: equal where only pixels can differ."""
        return self.paths, self.names, self.kinds, [(row.size, len(row)) for row in (self.originals, *self.views)]

    def row(self, view: int) -> Pictures:
        """A view of every image; -1 are the originals."""
        return self.originals if view < 0 else self.views[view]

    def corners(self, image: int, view: int) -> Sequence[tuple[float, float]]:
        """Where a view lies on its original; empty where nothing is known yet."""
        if view >= len(self.drawn) or image >= len(self.drawn[view]):
            return ()
        return self.drawn[view][image].corners

    def looks(self, image: int, view: int) -> object:
        """What there is to see in a cell, to compare: its picture, and on an original the crops."""
        row = self.row(view)
        picture = row[image].cacheKey() if image < len(row) else 0
        if view >= 0:
            return picture
        return picture, [self.corners(image, other) for other in range(len(self.names))]
