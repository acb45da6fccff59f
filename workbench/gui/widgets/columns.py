"""Where pictures stand in a grid of images × views: groups of columns side by side, as many as fit."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSizeF

HEADER = 24
GAP = 8.0
_GROUP_GAP = 24.0
_EDGE = 3.0  # room for the frame of a chosen picture
_SMALLEST_CELL = 40.0
_STRETCH, _MOST_STRETCH = 1.6, 2.2
"""How far cells grow to fill the width, and how far where two rows stay in sight; what is wider holds another group."""


@dataclass(frozen=True, slots=True)
class Columns:
    """`groups` images beside each other, each as its original and its views in cells of `cell` px, with room for
    words `below` each, and for titles in the `header` above all.
    """

    views: int
    images: int
    groups: int
    cell: float
    below: float = 0.0
    header: float = HEADER

    @property
    def height(self) -> float:
        """Of everything."""
        rows = math.ceil(self.images / self.groups)
        return self.header + 2 * _EDGE + rows * (self.cell + self.below + GAP) - GAP

    def rect(self, image: int, view: int, scrolled: float) -> QRectF:
        """The cell of a view of an image (-1 is the original), so far scrolled down."""
        group_width = (self.views + 1) * (self.cell + GAP) - GAP + _GROUP_GAP
        x = _EDGE + (image % self.groups) * group_width + (view + 1) * (self.cell + GAP)
        y = self.header + _EDGE + (image // self.groups) * (self.cell + self.below + GAP) - scrolled
        return QRectF(x, y, self.cell, self.cell)


def whole(views: int, images: int, room: QSizeF, below: float = 0.0, header: float = HEADER) -> Columns:
    """Everything in sight, in the largest cells for which there is room."""
    images = max(1, images)
    best = Columns(views=views, images=images, groups=1, cell=0.0, below=below, header=header)
    for groups in range(1, images + 1):
        rows = math.ceil(images / groups)
        free = room.width() - 2 * _EDGE - (groups - 1) * _GROUP_GAP - groups * views * GAP
        wide = free / (groups * (views + 1))
        high = (room.height() - header - 2 * _EDGE + GAP) / rows - GAP - below
        cell = float(math.floor(min(wide, high)))
        if cell > best.cell:
            best = Columns(views=views, images=images, groups=groups, cell=cell, below=below, header=header)
    return best


def arranged(
    views: int, images: int, room: QSizeF, wanted: float, below: float = 0.0, header: float = HEADER
) -> Columns:
    """As many groups as fit at about the wanted side, then stretched to the width; one row alone may be larger."""
    columns, images = views + 1, max(1, images)
    width = max(1.0, room.width() - 2 * _EDGE)
    group = columns * (wanted + GAP) - GAP
    groups = int(max(1, min(images, (width + _GROUP_GAP) // (group + _GROUP_GAP))))
    free = width - (groups - 1) * _GROUP_GAP - groups * (columns - 1) * GAP
    two_rows = (room.height() - header - 2 * _EDGE + GAP) / 2 - GAP - below
    largest = max(_STRETCH * wanted, min(_MOST_STRETCH * wanted, two_rows))
    if groups == images:
        largest = max(1.25 * wanted, min(2.5 * wanted, room.height() - header - 2 * _EDGE - below))
    cell = min(largest, max(_SMALLEST_CELL, math.floor(free / (groups * columns))))
    cell = float(math.floor(cell))
    return Columns(views=views, images=images, groups=groups, cell=cell, below=below, header=header)
