"""An encoder of a run seen from inside, on some of its test images: pictures, and how well it finds the object."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from workbench.catalog.registry import load_registry
from workbench.data.fit import square
from workbench.data.prepare import Prepared, evenly, prepare
from workbench.data.shown import as_pictures
from workbench.inspect import inside
from workbench.inspect.embed import resize
from workbench.inspect.encoder import LoadedEncoder, load_encoder
from workbench.method.tokens import TokenEncoder
from workbench.runs.exhibit import ShownPanel
from workbench.runs.folder import RunFolder
from workbench.runs.split import read_split
from workbench.spec import places
from workbench.spec.errors import CheckError, DataError, UsageError
from workbench.spec.inside import InsideKind
from workbench.spec.progress import Report, ignore

_CHANNELS = 4
_SHADE = 0.25
_LIGHT = (255, 196, 61)
_DRAWS = 2000
_BATCH = 32


class _Look(Protocol):
    def __call__(self, encoder: Any, images: Tensor, /) -> Tensor: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Inside:
    """panels: one column each, a row per image; paths: the images' files."""

    epoch: int
    paths: tuple[str, ...]
    panels: tuple[ShownPanel, ...]


@dataclass(frozen=True, kw_only=True)
class MaskScore:
    """Mean Jaccard index of masks with the true ones, with its 95 % bootstrap interval over images."""

    subject: str
    images: int
    jaccard: float
    low: float
    high: float


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
    looked = _Looked(run, trained=trained, scale=scale, images=images, device=device, report=report)
    made = looked.panels(kind, place, min(max(0, image), len(looked.paths) - 1))
    original = ShownPanel(part="original", title="Image", pictures=looked.pictures)
    return Inside(epoch=looked.loaded.epoch, paths=looked.paths, panels=(original, *made))


def score_masks(
    run: RunFolder, folder: Path, *, images: int = 500, device: torch.device | None = None, report: Report = ignore
) -> tuple[MaskScore, ...]:
    """How well thresholded attention (or saliency) outlines what the masks in `folder` outline.

    A mask has the image's path within the data folder, with the ending .png; whatever is not black is object. The
    encoder is scored trained and untrained, beside a box in the middle with the masks' mean area. Raises `DataError`
    where no test image has a mask.
    """
    scores: list[MaskScore] = []
    for subject in ("trained", "untrained"):
        looked = _Looked(
            run, trained=subject == "trained", scale=1, images=images, device=device, report=report, masks=folder
        )
        truth = looked.true_masks()
        weights = F.interpolate(looked.weights()[:, None], size=truth.shape[1:], mode="bilinear", align_corners=False)
        scores.append(_score(subject, inside.jaccard(inside.object_mask(weights[:, 0]), truth)))
        if subject == "untrained":
            box = inside.center_box((truth.shape[1], truth.shape[2]), float(truth.float().mean()))
            scores.append(_score("box in the middle", inside.jaccard(box.expand_as(truth), truth)))
    return tuple(scores)


class _Looked:
    """Images of a run, and its encoder's maps of them."""

    def __init__(
        self,
        run: RunFolder,
        *,
        trained: bool,
        scale: int,
        images: int,
        device: torch.device | None,
        report: Report,
        masks: Path | None = None,
    ) -> None:
        if images < 1 or scale < 1:
            raise UsageError("One image and a scale of 1 are the least.")
        registry = load_registry()
        self.loaded: LoadedEncoder = load_encoder(run, registry=registry, trained=trained)
        self.data: Prepared = prepare(
            self.loaded.experiment, cache=places.cache_folder(), table=read_split(run.split_file), report=report
        )
        info = registry.backbone(self.loaded.experiment.backbone.name)
        if not inside.has_maps(self.loaded.encoder, info.provides):
            raise CheckError(
                f"{info.title} has no map of features over the image to look at.", hint="Choose a run with another."
            )
        if scale > 1 and info.fixed_size:
            raise CheckError(f"{info.title} takes images of one size only.", hint="Leave the scale at 1.")
        self.backbone = info.title
        self.scale, self.device, self.report = scale, device or torch.device("cpu"), report
        self.rows = self._rows(images, masks)
        self.paths = tuple(self.data.table.paths[row] for row in self.rows)
        self.pictures = as_pictures(self.data.store.pixels[self.rows])
        self._masks = masks

    def panels(self, kind: InsideKind, place: tuple[float, float], image: int) -> tuple[ShownPanel, ...]:
        """The columns beside the images."""
        if kind == "attention":
            heads = self._of_all(inside.attention)
            mean = heads.mean(dim=1)
            each = [self._lit(f"Head {number + 1}", heads[:, number]) for number in range(heads.shape[1])]
            return (self._lit("All heads", mean), *each) if len(each) > 1 else tuple(each)
        maps = self.maps()
        if kind == "colors":
            colors = (inside.map_colors(maps) * 255).round().byte().permute(0, 2, 3, 1).numpy()
            return (ShownPanel(part="answer", title="What is alike", pictures=self._enlarged(colors)),)
        if kind == "channels":
            numbers, found = inside.strongest_channels(maps, _CHANNELS)
            return tuple(
                self._lit(f"Channel {number}", found[:, column]) for column, number in enumerate(numbers.tolist())
            )
        if kind == "match":
            return self._matched(maps, place, image)
        return (self._lit("What stands out", inside.saliency(maps)),)

    def maps(self) -> Tensor:
        """(n, C, h, w) on the CPU."""
        return self._of_all(lambda encoder, images: encoder.maps(images))

    def weights(self) -> Tensor:
        """(n, h, w): attention of a transformer, saliency of another network."""
        if isinstance(self.loaded.encoder, TokenEncoder):
            return self._of_all(inside.attention).mean(dim=1)
        return inside.saliency(self.maps())

    def true_masks(self) -> Tensor:
        """(n, S, S) bool: fitted to the square as the images are."""
        assert self._masks is not None
        spec = self.loaded.experiment.data
        found = [np.asarray(square(_read_mask(self._masks, path), spec.size, spec.fit)) > 127 for path in self.paths]
        return torch.from_numpy(np.stack(found))

    def _rows(self, images: int, masks: Path | None) -> NDArray[np.int64]:
        rows = self.data.unseen_rows()
        if masks is not None:
            paths = self.data.table.paths
            rows = np.array([row for row in rows if mask_file(masks, paths[row]).is_file()], dtype=np.int64)
            if not len(rows):
                raise DataError(
                    f"None of the test images has a mask in {masks}.",
                    hint="A mask has the path of its image within the data folder, ending in .png.",
                )
        return evenly(rows, images)

    def _of_all(self, look: _Look) -> Tensor:
        """What `look` gives of all images, in batches, on the CPU."""
        encoder, normalization = self.loaded.encoder.to(self.device), self.loaded.normalization.to(self.device)
        if look is inside.attention and not isinstance(encoder, TokenEncoder):
            raise CheckError(
                f"{self.backbone} has no attention.", hint="Look at 'saliency', which every network with a map has."
            )
        found = []
        with torch.inference_mode():
            batch = max(1, _BATCH // self.scale**2)  # Enlarged images take as much memory as more of them.
            for start in range(0, len(self.rows), batch):
                self.report("images", start, len(self.rows))
                block = np.ascontiguousarray(self.data.store.pixels[self.rows[start : start + batch]])
                sized = resize(torch.from_numpy(block).to(self.device), self.loaded.image_size * self.scale)
                found.append(look(encoder, normalization(sized)).float().cpu())
        return torch.cat(found)

    def _matched(self, maps: Tensor, place: tuple[float, float], image: int) -> tuple[ShownPanel, ...]:
        height, width = maps.shape[2:]
        row, column = (
            min(length - 1, max(0, int(at * length))) for at, length in zip(place[::-1], (height, width), strict=True)
        )
        cosine = inside.likeness(maps, image, (row, column))
        best = [divmod(int(one.argmax()), width) for one in cosine]
        words = tuple(f"{float(one.max()):.2f}" for one in cosine)
        alike = self._lit("How alike", cosine.clamp(min=0) ** 2, words)
        marked = self.pictures.copy()
        for picture, (top, left) in zip(marked, best, strict=True):
            _mark(picture, top / height, left / width, 1 / height, 1 / width)
        return alike, ShownPanel(part="answer", title="Most alike", pictures=marked, captions=words)

    def _lit(self, title: str, weights: Tensor, captions: tuple[str, ...] = ()) -> ShownPanel:
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


def mask_file(folder: Path, image: str) -> Path:
    """Where the mask of an image is."""
    return (folder / image).with_suffix(".png")


def _read_mask(folder: Path, image: str) -> Image.Image:
    try:
        with Image.open(mask_file(folder, image)) as file:
            values = np.asarray(file.convert("RGB")).max(axis=2)
    except OSError as error:
        raise DataError(f"The mask {mask_file(folder, image)} cannot be read: {error}.") from error
    return Image.fromarray(np.where(values > 0, 255, 0).astype(np.uint8))


def _score(subject: str, each: Tensor) -> MaskScore:
    values = each.numpy().astype(np.float64)
    draw = np.random.Generator(np.random.PCG64(0))
    means = values[draw.integers(len(values), size=(_DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return MaskScore(
        subject=subject, images=len(values), jaccard=float(values.mean()), low=float(low), high=float(high)
    )


def _mark(picture: NDArray[np.uint8], top: float, left: float, height: float, width: float) -> None:
    """A frame around a place, in shares of the picture."""
    rows, columns = picture.shape[:2]
    first = round(top * rows), round(left * columns)
    last = min(rows, round((top + height) * rows)) - 1, min(columns, round((left + width) * columns)) - 1
    for row in (first[0], last[0]):
        picture[row, first[1] : last[1] + 1] = _LIGHT
    for column in (first[1], last[1]):
        picture[first[0] : last[0] + 1, column] = _LIGHT
