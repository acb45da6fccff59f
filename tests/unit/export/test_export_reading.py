"""The scripts that go out with an encoder read deep files and planes as the pixel store does."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from workbench.data.prepare import read_images
from workbench.export.about import AboutEncoder, Preprocessing
from workbench.export.scripts import script
from workbench.spec.experiment import DataSpec
from workbench.spec.pixels import channels_of, keeps_scale

VALUES = np.random.default_rng(0).integers(0, 4096, (5, 40, 52)).astype(np.uint16)
COLORS = np.ascontiguousarray(np.moveaxis(VALUES[:3], 0, -1))


def write(folder: Path) -> None:
    """One file of each kind."""
    tifffile.imwrite(folder / "planes.tif", VALUES, photometric="minisblack")
    tifffile.imwrite(folder / "stack.tif", np.stack([VALUES, VALUES // 2]), ome=True, metadata={"axes": "ZCYX"})
    samples = np.ascontiguousarray(np.moveaxis(VALUES, 0, -1))
    tifffile.imwrite(folder / "samples.tif", samples, photometric="minisblack", planarconfig="contig")
    tifffile.imwrite(folder / "floats.tif", (VALUES / 4095).astype(np.float32), photometric="minisblack")
    tifffile.imwrite(folder / "gray.tif", VALUES[0], extratags=[(274, "H", 1, 6, False)])
    tifffile.imwrite(folder / "colors.tif", COLORS, photometric="rgb")
    opacity = np.concatenate([COLORS, VALUES[3][..., None] * 16], axis=-1)
    tifffile.imwrite(folder / "clear.tif", opacity, photometric="rgb", extrasamples=["unassalpha"])
    Image.fromarray(VALUES[0]).save(folder / "gray.png")
    eight = Image.fromarray((COLORS // 16).astype(np.uint8))
    for name, image in (("rgb", eight), ("rgba", eight.convert("RGBA")), ("p", eight.quantize(16)), ("la", None)):
        (image or eight.convert("LA")).save(folder / f"{name}.png")
    eight.save(folder / "photo.jpg", quality=95)


TEXTS: dict[str, Any] = dict.fromkeys(
    ("backbone", "stem", "method", "run", "experiment", "encoder_hash", "made_with", "loading"), ""
)
DEEP = ("gray.tif", "gray.png", "colors.tif", "clear.tif")
EIGHT = ("rgb.png", "rgba.png", "p.png", "la.png", "photo.jpg")
CASES: list[tuple[str, dict[str, Any]]] = [
    *((name, {"channels": "planes", "planes": 5}) for name in ("planes.tif", "stack.tif", "samples.tif", "floats.tif")),
    ("planes.tif", {"channels": "planes", "planes": 5, "depth": "8"}),
    ("planes.tif", {"channels": "planes", "planes": 5, "black": 100.0, "white": 3000.0, "fit": "pad"}),
    ("floats.tif", {"channels": "planes", "planes": 5, "black": -0.5, "white": 0.75, "fit": "stretch"}),
    *((name, {"channels": kind}) for name in (*DEEP, *EIGHT) for kind in ("rgb", "gray")),
    ("rgba.png", {"channels": "planes", "planes": 4, "depth": "8"}),
    ("la.png", {"channels": "planes", "planes": 2}),
    ("p.png", {"channels": "planes", "planes": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_script_reads_what_the_store_holds(name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path)
    data = DataSpec(**{"folder": str(tmp_path), "size": 24, "depth": "16", **settings})
    channels = channels_of(data)
    about = AboutEncoder(
        preprocessing=Preprocessing(
            channels=channels,
            reads=data.channels,
            depth=data.depth,
            black=data.black,
            white=data.white,
            one_scale=keeps_scale(data),
            fit=data.fit,
            stored_size=24,
            size=24,
            mean=(0.0,) * channels,
            std=(1.0,) * channels,
        ),
        dim=1, epoch=0, **TEXTS,
    )  # fmt: skip
    (tmp_path / "load.py").write_text(script("onnx", about), encoding="utf-8")
    read_image = runpy.run_path(str(tmp_path / "load.py"))["read_image"]
    stored = read_images(tmp_path, [name], data)[0]
    levels = 65_535 if data.depth == "16" else 255
    np.testing.assert_allclose(read_image(tmp_path / name) * levels, stored.astype(np.float64), atol=1.01)
