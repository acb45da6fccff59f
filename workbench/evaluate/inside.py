"""An encoder of a run seen from inside, on some of its test images: pictures of where it looks."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from workbench.data.prepare import evenly
from workbench.data.shown import as_pictures
from workbench.evaluate.maps import RunMaps
from workbench.inspect import inside
from workbench.runs.exhibit import ShownPanel
from workbench.runs.folder import RunFolder
from workbench.spec.errors import UsageError
from workbench.spec.inside import InsideKind
from workbench.spec.progress import Report, ignore

_CHANNELS = 4
_SHADE = 0.25
_LIGHT = (255, 196, 61)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inside:
    """panels: one column each, a row per image; paths: the images' files."""

    epoch: int
    paths: tuple[str, ...]
    panels: tuple[ShownPanel, ...]


def look_inside(
    run: RunFolder,
    kind: InsideKind,
    *,
    images: int = 8,
    trained: bool = True,
    scale: int = 1,
    place: tuple[float, float] = (0.5, 0.5),
    image: int = 0,
    device: torch.device | None = None,
    report: Report = ignore,
) -> Inside:
    """Pictures of one kind of at most `images` test images of a run, evenly chosen.

    scale: how much larger than in training the images go in, for finer maps. place: (x, y) from 0 to 1 in one `image`
    of them, for "match". Raises `CheckError` where the backbone has no such thing, and what loading raises.
    """
    if images < 1:
        raise UsageError("One image is the least.")
    maps = RunMaps(
        run,
        lambda data: evenly(data.unseen_rows(), images),
        trained=trained,
        scale=scale,
        device=device or torch.device("cpu"),
        report=report,
    )
    pictures = as_pictures(maps.data.store.pixels[maps.rows])
    painter = _Painter(pictures)
    match kind:
        case "attention":
            panels = painter.heads(maps.attention())
        case "saliency":
            panels = (painter.lit("What stands out", inside.saliency(maps.maps())),)
        case "colors":
            panels = (painter.colors(maps.maps()),)
        case "channels":
            panels = painter.channels(maps.maps())
        case "match":
            panels = painter.matched(maps.maps(), place, min(max(0, image), len(pictures) - 1))
    original = ShownPanel(part="original", title="Image", pictures=pictures)
    return Inside(epoch=maps.loaded.epoch, paths=maps.paths, panels=(original, *panels))


class _Painter:
    """Columns of pictures, from images (n, S, S, 3) and what an encoder makes of their places."""

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self.pictures = pictures

    def heads(self, attention: Tensor) -> tuple[ShownPanel, ...]:
        """Of (n, heads, h, w): all together, then each."""
        each = [self.lit(f"Head {number + 1}", attention[:, number]) for number in range(attention.shape[1])]
        return (self.lit("All heads", attention.mean(dim=1)), *each) if len(each) > 1 else tuple(each)

    def colors(self, maps: Tensor) -> ShownPanel:
        """Of (n, C, h, w): what is alike in one color."""
        colors = (inside.map_colors(maps) * 255).round().byte().permute(0, 2, 3, 1).numpy()
        return ShownPanel(part="answer", title="What is alike", pictures=self._enlarged(colors))

    def channels(self, maps: Tensor) -> tuple[ShownPanel, ...]:
        """Of (n, C, h, w): those that vary the most."""
        numbers, found = inside.strongest_channels(maps, _CHANNELS)
        return tuple(self.lit(f"Channel {number}", found[:, column]) for column, number in enumerate(numbers.tolist()))

    def matched(self, maps: Tensor, place: tuple[float, float], image: int) -> tuple[ShownPanel, ...]:
        """Of (n, C, h, w): how alike each place is to one of them, and the most alike of each image in a frame."""
        height, width = maps.shape[2:]
        row, column = (
            min(length - 1, max(0, int(at * length))) for at, length in zip(place[::-1], (height, width), strict=True)
        )
        cosine = inside.likeness(maps, image, (row, column))
        best = [divmod(int(one.argmax()), width) for one in cosine]
        words = tuple(f"{float(one.max()):.2f}" for one in cosine)
        alike = self.lit("How alike", cosine.clamp(min=0) ** 2, words)
        marked = self.pictures.copy()
        for picture, (top, left) in zip(marked, best, strict=True):
            _mark(picture, top / height, left / width, 1 / height, 1 / width)
        return alike, ShownPanel(part="answer", title="Most alike", pictures=marked, captions=words)

    def lit(self, title: str, weights: Tensor, captions: tuple[str, ...] = ()) -> ShownPanel:
        """The images, dark where the weights (n, h, w) are least and bright where they are largest, each on its own."""
        least, most = (edge[:, None, None] for edge in weights.flatten(1).aminmax(dim=1))
        light = (weights - least) / (most - least).clamp(min=1e-12)
        size = self.pictures.shape[1:3]
        shown = F.interpolate(light[:, None].clamp(0, 1), size=size, mode="bilinear", align_corners=False)[:, 0]
        share = shown[..., None].numpy()
        tint = np.array(_LIGHT, dtype=np.float32)
        dark = self.pictures * np.float32(_SHADE)
        bright = 0.55 * self.pictures + 0.45 * tint
        pictures = np.rint(dark + (bright - dark) * share).clip(0, 255).astype(np.uint8)
        return ShownPanel(part="answer", title=title, pictures=pictures, captions=captions)

    def _enlarged(self, colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
        side = self.pictures.shape[2], self.pictures.shape[1]
        return np.stack([np.asarray(Image.fromarray(one).resize(side, Image.Resampling.NEAREST)) for one in colors])


def _mark(picture: NDArray[np.uint8], top: float, left: float, height: float, width: float) -> None:
    """A frame around a place, in shares of the picture."""
    rows, columns = picture.shape[:2]
    first = round(top * rows), round(left * columns)
    last = min(rows, round((top + height) * rows)) - 1, min(columns, round((left + width) * columns)) - 1
    for row in (first[0], last[0]):
        picture[row, first[1] : last[1] + 1] = _LIGHT
    for column in (first[1], last[1]):
        picture[first[0] : last[0] + 1, column] = _LIGHT
