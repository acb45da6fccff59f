"""The encoder of a run, taken out of its checkpoint: frozen, with the normalization that it was trained with."""

import hashlib
import io
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from msgspec.structs import replace
from torch import nn

from workbench.augment.normalize import Normalization, normalization_for
from workbench.catalog.build import build_encoder, image_size_of
from workbench.catalog.registry import Registry, load_registry
from workbench.method.backbone import Encoder
from workbench.runs.folder import RunFolder
from workbench.spec.errors import RunError
from workbench.spec.experiment import DataSpec, Experiment
from workbench.spec.pixels import channels_of, of_planes

PREFIX = "encoder."
"""Keys of the encoder's weights within the weights of a method."""


@dataclass(frozen=True, kw_only=True)
class LoadedEncoder:
    """encoder: in eval mode, no parameter asks for a gradient. image_size: side of what it was trained on."""

    encoder: Encoder
    normalization: Normalization
    experiment: Experiment
    epoch: int
    channels: int
    image_size: int


def load_encoder(
    run: RunFolder,
    *,
    registry: Registry | None = None,
    trained: bool = True,
    which: Literal["last", "best"] = "last",
) -> LoadedEncoder:
    """The encoder of a run's last (or best) checkpoint, on the CPU; without `trained` as it was at the start.

    The trained one needs nothing but its checkpoint: neither a hub nor the run that its first weights came
    from. Raises `RunError` where there is no checkpoint, it is damaged, or it is not of this experiment.
    """
    experiment = run.experiment()
    state = read_checkpoint(run.checkpoints / f"{which}.pt")
    means = state["normalization"]
    channels, image_size = len(means["mean"]), image_size_of(experiment)
    experiment = replace(experiment, data=of_planes(experiment.data, channels))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(experiment.seed)
        encoder = build_encoder(
            experiment.backbone,
            channels=channels,
            image_size=image_size,
            registry=registry or load_registry(),
            fetch=not trained,
        )
    if trained:
        weights = {key[len(PREFIX) :]: value for key, value in state["method"].items() if key.startswith(PREFIX)}
        _fill(encoder, weights, run)
    encoder.eval().requires_grad_(requires_grad=False)
    return LoadedEncoder(
        encoder=encoder,
        normalization=Normalization(tuple(means["mean"]), tuple(means["std"])),
        experiment=experiment,
        epoch=int(state["epoch"]) if trained else 0,
        channels=channels,
        image_size=image_size,
    )


def load_pretrained(run: RunFolder, *, registry: Registry | None = None) -> LoadedEncoder:
    """The backbone of a run with its library's weights, and their normalization; nothing of the run's training.

    Planes that are no colors are normalized as the run's last checkpoint says. Raises what the hub's absence raises,
    in words, where the weights are not at hand.
    """
    experiment = run.experiment()
    normalization, data = _usual_normalization(run, experiment.data)
    channels, image_size = normalization.channels, image_size_of(experiment)
    encoder = build_encoder(
        replace(experiment.backbone, weights="pretrained", stem="auto"),
        channels=channels,
        image_size=image_size,
        registry=registry or load_registry(),
    )
    encoder.eval().requires_grad_(requires_grad=False)
    return LoadedEncoder(
        encoder=encoder,
        normalization=normalization,
        experiment=replace(experiment, data=data),
        epoch=0,
        channels=channels,
        image_size=image_size,
    )


def _usual_normalization(run: RunFolder, data: DataSpec) -> tuple[Normalization, DataSpec]:
    """What the library's weights expect of these images, whose planes are counted then."""
    if data.channels == "planes":
        means = read_checkpoint(run.checkpoints / "last.pt")["normalization"]
        return Normalization(means["mean"], means["std"]), of_planes(data, len(means["mean"]))
    channels = channels_of(data)
    data_as_usual = replace(data, normalize="imagenet")
    return normalization_for(data_as_usual, [0.0] * channels, [1.0] * channels), data


def _fill(encoder: Encoder, weights: dict[str, torch.Tensor], run: RunFolder) -> None:
    try:
        encoder.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise RunError(
            f"The checkpoint in {run.checkpoints} does not fit the encoder that {run.experiment_file} describes.",
            hint="Was that file changed? Put backbone, views and data back as they were when the run was trained.",
        ) from error


def encoder_hash(encoder: nn.Module) -> str:
    """sha256 of every parameter and buffer, names included: equal hashes, equal encoders."""
    digest = hashlib.sha256()
    for name, value in sorted(encoder.state_dict().items()):
        array = value.detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content on the CPU. Nothing in it is run (`weights_only`). Raises `RunError`."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise RunError(
            f"There is no checkpoint {path}.", hint=f"`workbench resume {path.parent.parent.name}` trains it."
        ) from error
    except OSError as error:
        raise RunError(f"The checkpoint {path} cannot be read: {error.strerror or error}.") from error
    try:
        _check_sums(content)
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, KeyError, OSError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise RunError(
            f"The checkpoint {path} is damaged: {str(error).splitlines()[0]}.",
            hint=f"`workbench resume {path.parent.parent.name}` goes on from the one before it.",
        ) from error
    if not isinstance(state, dict) or "method" not in state or "normalization" not in state:
        raise RunError(f"The checkpoint {path} is not one of Pretext Workbench.")
    return state


def _check_sums(content: bytes) -> None:
    """torch does not compare the sums that it writes, so a flipped bit would go unseen."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        bad = archive.testzip()
    if bad:
        raise zipfile.BadZipFile(f"the sum of its part {bad} is wrong")
