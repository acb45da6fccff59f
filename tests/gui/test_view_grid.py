"""The grid paints cells that look different, and no others; what is on the screen is what a whole repaint gives."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QRect, QSizeF
from PySide6.QtGui import QImage, QPaintEvent, QRegion
from pytestqt.qtbot import QtBot

from workbench.engine.messages import ViewDrawn
from workbench.gui.widgets.columns import arranged
from workbench.gui.widgets.grid_content import GridContent
from workbench.gui.widgets.pictures import Pictures, Scaler, as_pixels
from workbench.gui.widgets.view_grid import ViewGrid

Pixels = NDArray[np.uint8]
WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))


class Painted(QObject):
    """Where the grid has been asked to paint."""

    def __init__(self, grid: ViewGrid) -> None:
        super().__init__(grid)
        self.region = QRegion()
        grid.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        if isinstance(event, QPaintEvent):
            self.region += event.region()
        return super().eventFilter(watched, event)


@pytest.fixture
def grid(qtbot: QtBot) -> ViewGrid:
    made = ViewGrid()
    qtbot.addWidget(made)
    made.resize(800, 500)
    with qtbot.waitExposed(made):
        made.show()
    return made


def noise(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (4, 24, 24, 3)).astype(np.uint8)


def content(
    originals: Pixels,
    *views: Pixels,
    before: GridContent | None = None,
    second: tuple[tuple[float, float], ...] = WHOLE,
) -> GridContent:
    older = before or GridContent(views=tuple(Pictures() for _ in views))
    corners = [WHOLE, second, WHOLE, WHOLE]
    return GridContent(
        paths=tuple(f"{number}.png" for number in range(4)),
        originals=Pictures(originals, older.originals),
        views=tuple(Pictures(view, one) for view, one in zip(views, older.views, strict=True)),
        names=("first", "second"),
        kinds=(0, 0),
        drawn=tuple(tuple(ViewDrawn(corners=one, ops=()) for one in corners) for _ in views),
    )


def on_screen(grid: ViewGrid) -> QImage:
    """What is there, without painting it again."""
    return grid.screen().grabWindow(grid.winId()).toImage().convertToFormat(QImage.Format.Format_RGB32)


def shown(grid: ViewGrid, what: GridContent, qtbot: QtBot) -> QRegion:
    """Shows it; returns where was painted."""
    painted = Painted(grid)
    grid.set_content(what)
    qtbot.wait(20)
    region = painted.region
    painted.deleteLater()
    return region


def box(grid: ViewGrid, image: int, view: int) -> QRect:
    return grid.cell_rect(image, view).toRect().adjusted(3, 3, -3, -3)


def test_only_changed_views_are_painted(grid: ViewGrid, qtbot: QtBot) -> None:
    first, second = noise(1), noise(2)
    start = content(noise(0), first, second)
    shown(grid, start, qtbot)
    changed = second.copy()
    changed[2] = 255 - changed[2]
    nearly = content(noise(0), first.copy(), changed, before=start)
    region = shown(grid, nearly, qtbot)
    cells = [(image, view) for image in range(4) for view in (-1, 0, 1)]
    assert [cell for cell in cells if region.intersects(box(grid, *cell))] == [(2, 1)]
    left = on_screen(grid)
    assert len(np.unique(as_pixels(left).reshape(-1, 3), axis=0)) > 1000, "pictures are on the screen"
    assert left == _painted_anew(grid)
    assert as_pixels(nearly.views[1][2]).tolist() == changed[2].tolist()
    assert shown(grid, content(noise(0), first, changed, before=nearly), qtbot).isEmpty()


def test_an_original_is_painted_where_its_crops_have_moved(grid: ViewGrid, qtbot: QtBot) -> None:
    start = content(noise(0), noise(1), noise(2))
    shown(grid, start, qtbot)
    region = shown(grid, content(noise(0), noise(1), noise(2), before=start, second=HALF), qtbot)
    cells = [(image, view) for image in range(4) for view in (-1, 0, 1)]
    assert [cell for cell in cells if region.intersects(box(grid, *cell))] == [(1, -1)]
    assert on_screen(grid) == _painted_anew(grid)


def test_other_images_are_painted_whole(grid: ViewGrid, qtbot: QtBot) -> None:
    start = content(noise(0), noise(1), noise(2))
    shown(grid, start, qtbot)
    region = shown(grid, content(noise(3), noise(4), noise(5)), qtbot)
    assert all(region.intersects(box(grid, image, view)) for image in range(4) for view in (-1, 0, 1))
    assert on_screen(grid) == _painted_anew(grid)


def test_pictures_are_made_when_they_are_looked_at_and_stay_while_their_pixels_do() -> None:
    block = noise(0)
    pictures = Pictures(block)
    assert not pictures.made
    looked_at = pictures[1]
    assert list(pictures.made) == [1]
    changed = block.copy()
    changed[2] = 0
    later = Pictures(changed, pictures)
    assert later[1].cacheKey() == looked_at.cacheKey()
    assert np.array_equal(as_pixels(later[2]), changed[2])
    assert np.array_equal(as_pixels(Pictures(changed[:, :12], later)[1]), changed[1, :12])
    assert [image.cacheKey() for image in later[0:2]] == [later[0].cacheKey(), looked_at.cacheKey()]
    with pytest.raises(IndexError):
        later[4]


def test_a_scaler_forgets_what_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Pictures(noise(0)), Pictures(noise(1))
    scaler = Scaler()
    kept: dict[Any, QImage] = {(image.cacheKey(), 8, 8): image for image in (one[0], other[0])}
    monkeypatch.setattr(scaler, "_kept", kept)
    scaler.keep([other[0]])
    assert [key[0] for key in scaler._kept] == [other[0].cacheKey()]


def _painted_anew(grid: ViewGrid) -> QImage:
    grid.viewport().repaint()
    return on_screen(grid)


@pytest.mark.parametrize(("height", "grown"), [(700, True), (300, False)])
def test_cells_of_one_group_fill_the_width_as_long_as_two_rows_stay_in_sight(height: int, *, grown: bool) -> None:
    found = arranged(4, 12, QSizeF(884, height), 88, 20)
    assert found.groups == 1
    fills = found.rect(0, 3, 0).right() > 884 - 10
    assert fills is grown
    if grown:
        assert found.rect(1, 0, 0).bottom() + 20 <= height
