"""What can be exported, by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from workbench.spec.errors import NotFoundError, UsageError


@dataclass(frozen=True, kw_only=True)
class Format:
    """One kind of file. `file` is its name in the export folder."""

    name: str
    title: str
    kind: Literal["encoder", "embeddings"]
    file: str
    summary: str


FORMATS = (
    Format(
        name="safetensors",
        title="safetensors",
        kind="encoder",
        file="encoder.safetensors",
        summary="Weights under the key names of torchvision or timm, which load there with strict=True.",
    ),
    Format(
        name="torch-export",
        title="torch.export",
        kind="encoder",
        file="encoder.pt2",
        summary="The whole network with its normalization, for PyTorch without any model code.",
    ),
    Format(
        name="onnx",
        title="ONNX",
        kind="encoder",
        file="encoder.onnx",
        summary="The whole network with its normalization, for ONNX Runtime and every language that it has.",
    ),
    Format(
        name="h5",
        title="HDF5",
        kind="embeddings",
        file="embeddings.h5",
        summary="One feature vector per image with its path, side of the split, label and factors.",
    ),
    Format(
        name="parquet",
        title="Parquet",
        kind="embeddings",
        file="embeddings.parquet",
        summary="The same as a table for pandas, Polars, DuckDB or Arrow.",
    ),
    Format(
        name="csv",
        title="CSV",
        kind="embeddings",
        file="embeddings.csv",
        summary="The same as text, for spreadsheets and R.",
    ),
    Format(
        name="npy",
        title="NumPy",
        kind="embeddings",
        file="embeddings.npy",
        summary="The bare array (images, dim), with the images' names in a CSV beside it.",
    ),
)

_ALSO = {"hdf5": "h5", "numpy": "npy", "pt2": "torch-export", "torch.export": "torch-export"}


def formats_named(names: Iterable[str]) -> tuple[Format, ...]:
    """The formats of these names, each once. Raises `NotFoundError` with the closest name."""
    known = {one.name: one for one in FORMATS}
    chosen: dict[str, Format] = {}
    for name in names:
        key = _ALSO.get(name.lower(), name.lower())
        if key not in known:
            raise NotFoundError.named("export format", name, known)
        chosen[key] = known[key]
    if not chosen:
        raise UsageError("There is nothing to export without a format.", hint=f"Known: {', '.join(known)}.")
    return tuple(chosen.values())
