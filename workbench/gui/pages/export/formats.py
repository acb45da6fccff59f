"""What can be exported, as a person sees it, and how it is read again."""

from dataclasses import dataclass
from pathlib import Path

from workbench.gui import words
from workbench.gui.widgets.ticks import value_text
from workbench.runs.results import ExportRecord


@dataclass(frozen=True, kw_only=True)
class Format:
    """One kind of file. `code` reads an embedding table; an encoder has its own script beside it."""

    name: str
    title: str
    text: str
    code: str = ""


ENCODERS = (
    Format(
        name="safetensors",
        title="Weights (safetensors)",
        text="Under the key names of torchvision or timm; load there with strict=True. Holds numbers, never code.",
    ),
    Format(
        name="torch-export",
        title="PyTorch program (torch.export)",
        text="The whole network with its normalization in one file. Runs with PyTorch alone, without model code.",
    ),
    Format(
        name="onnx",
        title="ONNX",
        text="The whole network with its normalization, for ONNX Runtime in Python, C++, C#, Java and the browser.",
    ),
)

_TABLE = "One row per image: its path, side of the split, label and factors, then its features."

EMBEDDINGS = (
    Format(
        name="h5",
        title="HDF5",
        text=f"{_TABLE} Compact and quick.",
        code='import h5py\n\nwith h5py.File({file!r}) as file:\n    features = file["embeddings"][:]\n',
    ),
    Format(
        name="parquet",
        title="Parquet",
        text="The same as a table for pandas, Polars, DuckDB or Arrow.",
        code="import pandas as pd\n\ntable = pd.read_parquet({file!r})\n",
    ),
    Format(
        name="csv",
        title="CSV",
        text="The same as text, for spreadsheets and R. Large for many images.",
        code="import pandas as pd\n\ntable = pd.read_csv({file!r})\n",
    ),
    Format(
        name="npy",
        title="NumPy",
        text="The bare array (images, dimensions), with the images' names in a CSV beside it.",
        code="import numpy as np\n\nfeatures = np.load({file!r})\n",
    ),
)

FORMATS = {one.name: one for one in (*ENCODERS, *EMBEDDINGS)}


def loading_code(record: ExportRecord) -> str:
    """Python that loads an exported file: the script beside an encoder, a few lines for a table. Raises OSError."""
    code = FORMATS[record.format].code if record.format in FORMATS else ""
    if code:
        return code.format(file=record.file)
    script = Path(record.file).parent / f"load_{record.format.replace('-', '_')}.py"
    return script.read_text(encoding="utf-8")


def check_words(record: ExportRecord) -> str:
    """What the comparison with the original found."""
    if record.problem:
        return record.problem
    images = words.counted(record.images, "image")
    if record.difference is None:
        return f"loaded again, {images}"
    if record.difference == 0.0:
        return f"read again: identical for {images}"
    return (
        f"loaded again: differs by {value_text(record.difference)} at most on {images} "
        f"({value_text(record.tolerance)} allowed)"
    )
