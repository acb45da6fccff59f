"""What an exported encoder needs beside its weights: how an image becomes its input, and where it is from."""

from typing import Any, Literal

from msgspec import Struct

from workbench import __version__
from workbench.catalog.build import backbone_request
from workbench.catalog.registry import Registry
from workbench.inspect.encoder import LoadedEncoder, encoder_hash
from workbench.runs.folder import RunFolder
from workbench.spec.pixels import LEVELS, keeps_scale


class Preprocessing(Struct, frozen=True, kw_only=True):
    """From a file to the network's input, in this order.

    The upright image becomes a square of `stored_size` px by `fit` (Lanczos, rounded to `depth` bits), which is
    resized to `size` px (bilinear, antialiased), divided by its highest level, and normalized by `mean` and `std`.
    `reads` says whether color and gray (on white) or planes are read. Unless `one_scale`, deep images are stretched
    from their own range to 8 bits first; with it, `black` becomes 0 and `white` 1 in every image, and where these are
    equal, the ends of the range of the file's type do.
    """

    channels: int
    reads: Literal["rgb", "gray", "planes"] = "rgb"
    depth: Literal["8", "16"] = "8"
    black: float = 0.0
    white: float = 0.0
    one_scale: bool = False
    fit: Literal["crop", "pad", "stretch"]
    stored_size: int
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


class AboutEncoder(Struct, frozen=True, kw_only=True):
    """The JSON beside and inside every exported encoder. `loading` rebuilds the network as `model`."""

    format: int = 1
    preprocessing: Preprocessing
    dim: int
    backbone: str
    stem: str
    method: str
    run: str
    experiment: str
    epoch: int
    encoder_hash: str
    made_with: str
    loading: str

    def source(self) -> dict[str, Any]:
        """The constants of the loading scripts. No name that a person typed gets into code."""
        values = self.preprocessing
        scale = {"READS": values.reads, "LEVELS": LEVELS[values.depth], "BLACK": values.black, "WHITE": values.white}
        return {
            "CHANNELS": values.channels,
            **(scale if values.one_scale else {}),
            "FIT": values.fit,
            "STORED_SIZE": values.stored_size,
            "SIZE": values.size,
            "MEAN": list(values.mean),
            "STD": list(values.std),
        }


def about_encoder(run: RunFolder, loaded: LoadedEncoder, registry: Registry) -> AboutEncoder:
    """Everything that is known of a run's encoder."""
    experiment = loaded.experiment
    request = backbone_request(experiment.backbone, channels=loaded.channels, image_size=loaded.image_size)
    return AboutEncoder(
        preprocessing=Preprocessing(
            channels=loaded.channels,
            reads=experiment.data.channels,
            depth=experiment.data.depth,
            black=experiment.data.black,
            white=experiment.data.white,
            one_scale=keeps_scale(experiment.data),
            fit=experiment.data.fit,
            stored_size=experiment.data.size,
            size=loaded.image_size,
            mean=tuple(loaded.normalization.mean.tolist()),
            std=tuple(loaded.normalization.std.tolist()),
        ),
        dim=loaded.encoder.dim,
        backbone=experiment.backbone.name,
        stem=request.stem,
        method=experiment.method.words,
        run=run.name,
        experiment=experiment.name,
        epoch=loaded.epoch,
        encoder_hash=encoder_hash(loaded.encoder),
        made_with=f"Pretext Workbench {__version__}",
        loading=registry.backbone(experiment.backbone.name).loading(request),
    )
