"""How well an encoder of a run outlines what masks outline, on the test images that have one."""

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from workbench.data.fit import square
from workbench.data.prepare import Prepared, evenly
from workbench.evaluate.maps import RunMaps
from workbench.inspect import inside
from workbench.runs.folder import RunFolder
from workbench.runs.masks import MaskComparison, MaskScore, Outline, save_comparison
from workbench.spec.errors import DataError
from workbench.spec.experiment import DataSpec
from workbench.spec.progress import Report, ignore

_DRAWS = 2000


def compare_with_masks(
    run: RunFolder, folder: Path, *, images: int = 500, device: torch.device | None = None, report: Report = ignore
) -> MaskComparison:
    """How well thresholded attention (or saliency) outlines what the masks in `folder` outline; kept in the run folder.

    A mask has the image's path within the data folder, with the ending .png; whatever is not black is object. The
    encoder is scored trained and untrained, beside a box in the middle with the masks' mean area, on at most `images`
    test images. Raises `DataError` where no test image has a mask, and what `RunMaps` raises.
    """

    def choose(data: Prepared) -> NDArray[np.int64]:
        return evenly(_masked(data, folder), images)

    def looked_at(subject: Outline) -> RunMaps:
        return RunMaps(
            run,
            choose,
            trained=subject == "trained",
            scale=1,
            device=device or torch.device("cpu"),
            report=lambda what, done, total: report(f"{what}, {subject}", done, total),
        )

    trained = looked_at("trained")
    truth = _true_masks(folder, trained.paths, trained.loaded.experiment.data)
    box = inside.center_box((truth.shape[1], truth.shape[2]), float(truth.float().mean()))
    scores = (
        _score("trained", _outlines(trained, truth), truth),
        _score("untrained", _outlines(looked_at("untrained"), truth), truth),
        _score("box in the middle", box.expand_as(truth), truth),
    )
    comparison = MaskComparison(
        folder=str(folder),
        epoch=trained.loaded.epoch,
        by="attention" if trained.has_attention else "saliency",
        scores=scores,
        time=time.time(),
    )
    save_comparison(run, comparison)
    return comparison


def mask_file(folder: Path, image: str) -> Path:
    """Where the mask of an image is."""
    return (folder / image).with_suffix(".png")


def _masked(data: Prepared, folder: Path) -> NDArray[np.int64]:
    paths = data.table.paths
    rows = np.array([row for row in data.unseen_rows() if mask_file(folder, paths[row]).is_file()], dtype=np.int64)
    if not len(rows):
        raise DataError(
            f"None of the test images has a mask in {folder}.",
            hint="A mask has the path of its image within the data folder, ending in .png.",
        )
    return rows


def _true_masks(folder: Path, paths: tuple[str, ...], data: DataSpec) -> Tensor:
    """(n, S, S) bool: fitted to the square as the images are."""
    found = [np.asarray(square(_read_mask(folder, path), data.size, data.fit)) > 127 for path in paths]
    return torch.from_numpy(np.stack(found))


def _read_mask(folder: Path, image: str) -> Image.Image:
    try:
        with Image.open(mask_file(folder, image)) as file:
            values = np.asarray(file.convert("RGB")).max(axis=2)
    except OSError as error:
        raise DataError(f"The mask {mask_file(folder, image)} cannot be read: {error}.") from error
    return Image.fromarray(np.where(values > 0, 255, 0).astype(np.uint8))


def _outlines(maps: RunMaps, truth: Tensor) -> Tensor:
    """(n, S, S) bool: the places that hold most of the weights."""
    weights = F.interpolate(maps.weights()[:, None], size=truth.shape[1:], mode="bilinear", align_corners=False)
    return inside.object_mask(weights[:, 0])


def _score(subject: Outline, found: Tensor, truth: Tensor) -> MaskScore:
    values = inside.jaccard(found, truth).numpy().astype(np.float64)
    draw = np.random.Generator(np.random.PCG64(0))
    means = values[draw.integers(len(values), size=(_DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return MaskScore(
        subject=subject, images=len(values), jaccard=float(values.mean()), low=float(low), high=float(high)
    )
