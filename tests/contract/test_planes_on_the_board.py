"""What the board shows of planes of 16 bits is what training feeds: the first three, at 8 bits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch

from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import load_registry
from workbench.data.identity import image_ids
from workbench.data.store import open_store
from workbench.engine.handlers import handle
from workbench.engine.messages import PixelStatistics, PixelStatisticsReply, Preview, PreviewReply
from workbench.runs.split import SplitTable
from workbench.spec.experiment import DataSpec, OpSpec, ViewSpec
from workbench.spec.progress import ignore

REGISTRY = load_registry()
CHAIN = tuple(
    OpSpec(op=op)
    for op in ("random_resized_crop", "color_jitter", "channel_drop", "grayscale", "gaussian_blur", "horizontal_flip")
)


def folder_of(root: Path, planes: int) -> tuple[str, ...]:
    rng = np.random.default_rng(planes)
    for number in range(4):
        values = rng.integers(0, 4096, (planes, 30, 30 + number)).astype(np.uint16)
        tifffile.imwrite(root / f"{number}.tif", values, photometric="minisblack")
    return tuple(f"{number}.tif" for number in range(4))


@pytest.mark.parametrize("planes", [1, 2, 3, 5])
@pytest.mark.parametrize("depth", ["8", "16"])
def test_the_board_shows_the_first_three_planes_of_what_is_fed(planes: int, depth: Any, tmp_path: Path) -> None:
    paths = folder_of(tmp_path, planes)
    data = DataSpec(folder=str(tmp_path), size=24, channels="planes", depth=depth, white=4095.0)
    views = (ViewSpec(size=20, chain=CHAIN),)
    reply, arrays = handle(Preview(data=data, views=views, paths=paths, seed=3, epoch=1, steps_of=1), ignore)
    assert isinstance(reply, PreviewReply)
    table = SplitTable(paths=paths, parts=("train",) * 4, labels=("",) * 4)
    store, _, _ = open_store(tmp_path, table, data, tmp_path / "cache")
    assert store.pixels.shape == (4, planes, 24, 24)
    made = ViewPlan(views, REGISTRY.ops).make(
        torch.from_numpy(np.array(store.pixels)), seed=3, epoch=1, ids=torch.from_numpy(image_ids(paths))
    )
    for number, view in enumerate(made):
        np.testing.assert_array_equal(arrays[f"view-{number}"], shown(view))
    levels = 255 if depth == "8" else 65_535
    originals = torch.from_numpy(store.pixels.astype(np.float32) / levels)
    np.testing.assert_allclose(arrays["originals"].astype(int), shown(originals).astype(int), atol=1)
    assert arrays["step-0"].shape == (20, 20, 3)


def shown(images: torch.Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(n, C, h, w) in [0, 1] as (n, h, w, 3) bytes."""
    levels = (images[:, :3] * 255).round().clamp(0, 255).byte()
    if levels.shape[1] == 1:
        levels = levels.expand(-1, 3, -1, -1)
    if levels.shape[1] == 2:
        levels = torch.cat([levels, torch.zeros_like(levels[:, :1])], dim=1)
    return levels.permute(0, 2, 3, 1).numpy()


def test_measured_statistics_are_those_of_the_store(tmp_path: Path) -> None:
    paths = folder_of(tmp_path, 5)
    data = DataSpec(folder=str(tmp_path), size=24, channels="planes", depth="16")
    reply, _ = handle(PixelStatistics(data=data, paths=paths), ignore)
    assert isinstance(reply, PixelStatisticsReply)
    table = SplitTable(paths=paths, parts=("train",) * 4, labels=("",) * 4)
    store, _, _ = open_store(tmp_path, table, data, tmp_path / "cache")
    np.testing.assert_allclose(reply.mean, store.mean, rtol=1e-6)
    np.testing.assert_allclose(reply.std, store.std, rtol=1e-5)
