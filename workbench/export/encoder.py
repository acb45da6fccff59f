"""Encoders as files for elsewhere: written, loaded again by the script that goes with them, and compared."""

import gc
import os
import runpy
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.export.about import AboutEncoder
from workbench.export.formats import Format
from workbench.export.scripts import script, script_name
from workbench.inspect.encoder import LoadedEncoder
from workbench.method.backbone import Encoder
from workbench.runs.results import ExportRecord
from workbench.spec.errors import Cancelled
from workbench.spec.progress import Report, ignore

TOLERANCE = {"safetensors": 1e-5, "torch-export": 1e-5, "onnx": 1e-4}
"""The largest |difference| that is allowed, for features of size 1; larger features may differ in proportion."""

OPSET = 20


class Normalized(nn.Module):
    """Images (B, C, S, S) in [0, 1] to features (B, dim): the encoder with its normalization before it."""

    def __init__(self, normalization: nn.Module, encoder: Encoder) -> None:
        super().__init__()
        self.normalization = normalization
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim)."""
        features: Tensor = self.encoder(self.normalization(images))
        return features


@dataclass(frozen=True, kw_only=True)
class Original:
    """What an exported file is compared with: real images (n, C, S, S) float32 in [0, 1], and their features."""

    loaded: LoadedEncoder
    about: AboutEncoder
    images: NDArray[np.float32]
    features: NDArray[np.float32]

    def tolerance(self, format_name: str) -> float:
        """The largest difference that a format may have on these features."""
        largest = float(np.abs(self.features).max(initial=0.0))
        return TOLERANCE[format_name] * max(1.0, largest)


def export_encoder(original: Original, chosen: Format, folder: Path, *, report: Report = ignore) -> ExportRecord:
    """Writes one format into `folder` with its script and its JSON, or says in the record why it did not.

    The files are made in a folder beside, and moved into place only when what was loaded from them gives
    the original's features: an encoder that was not verified never lies under its name.
    """
    tolerance = original.tolerance(chosen.name)
    try:
        with _staging(folder) as staging:
            report(f"writing {chosen.title}", 0, 0)
            _WRITERS[chosen.name](original, staging / chosen.file)
            about = msgspec.json.format(msgspec.json.encode(original.about))
            (staging / "encoder.json").write_bytes(about)
            (staging / script_name(chosen.name)).write_text(script(chosen.name, original.about), encoding="utf-8")
            report(f"comparing {chosen.title} with the original", 0, 0)
            difference = _difference(original, staging / script_name(chosen.name))
            if not difference <= tolerance:  # Also where it is not a number.
                problem = (
                    f"Loaded again, it gives features that differ by {difference:.2g}; {tolerance:.2g} is allowed."
                )
                return _record(original, chosen, problem=problem, difference=difference)
            size = (staging / chosen.file).stat().st_size
            _move(staging, folder)
    except Cancelled:
        raise
    except OSError as error:
        return _record(original, chosen, problem=f"It cannot be written to {folder}: {error.strerror or error}.")
    except Exception as error:  # noqa: BLE001  # exporters raise anything; the other formats go on
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        return _record(
            original, chosen, problem=f"{chosen.title} could not be made of {original.about.backbone}: {first}"
        )
    done = _record(original, chosen, difference=difference)
    return msgspec.structs.replace(done, file=str(folder / chosen.file), size=size, verified=True)


def _record(original: Original, chosen: Format, *, problem: str = "", difference: float | None = None) -> ExportRecord:
    return ExportRecord(
        format=chosen.name,
        file="",
        difference=difference,
        tolerance=original.tolerance(chosen.name),
        images=len(original.images),
        problem=problem,
        note=chosen.summary,
    )


def _difference(original: Original, script_file: Path) -> float:
    """The largest |difference| over all images, given one by one, and all at once."""
    encode: Callable[[NDArray[np.float32]], NDArray[np.float32]] = runpy.run_path(str(script_file))["load"]()
    together = encode(original.images)
    alone = encode(original.images[:1])
    if together.shape != original.features.shape or alone.shape != original.features[:1].shape:
        raise ValueError(f"it gives features {together.shape} in place of {original.features.shape}")
    return float(max(np.abs(together - original.features).max(), np.abs(alone - original.features[:1]).max()))


def _write_safetensors(original: Original, file: Path) -> None:
    from safetensors.torch import save

    weights = {name: value.detach().clone().contiguous() for name, value in _network(original).state_dict().items()}
    about = msgspec.json.encode(original.about).decode()
    file.write_bytes(save(weights, metadata={"format": "pt", "about": about}))


def _write_torch_export(original: Original, file: Path) -> None:
    program = _program(original)
    about = msgspec.json.encode(original.about).decode()
    with _hushed():
        torch.export.save(program, file, extra_files={"about.json": about})


def _write_onnx(original: Original, file: Path) -> None:
    with _hushed():
        program = torch.onnx.export(
            _program(original),
            dynamo=True,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["features"],
            external_data=False,
            verbose=False,
        )
        assert program is not None
        program.model.metadata_props["about"] = msgspec.json.encode(original.about).decode()
        program.save(file, external_data=False)


_WRITERS: dict[str, Callable[[Original, Path], None]] = {
    "safetensors": _write_safetensors,
    "torch-export": _write_torch_export,
    "onnx": _write_onnx,
}


def _network(original: Original) -> nn.Module:
    return original.loaded.encoder.net


def _program(original: Original) -> torch.export.ExportedProgram:
    """Traced with two images, for any number of them."""
    model = Normalized(original.loaded.normalization, original.loaded.encoder).eval()
    side, channels = original.loaded.image_size, original.loaded.channels
    example = torch.zeros(2, channels, side, side)
    batch = torch.export.Dim("batch", min=1, max=65_536)
    with torch.no_grad(), _hushed():
        return torch.export.export(model, (example,), dynamic_shapes={"images": {0: batch}})


@contextmanager
def _hushed() -> Iterator[None]:
    """Exporters warn of their own future; the comparison says what matters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".export-", dir=folder))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move(staging: Path, folder: Path) -> None:
    gc.collect()  # Windows moves no file that a collected model still holds open.
    for file in sorted(staging.iterdir()):
        if file.is_dir():
            continue
        with file.open("rb+") as handle:
            os.fsync(handle.fileno())
        file.replace(folder / file.name)
