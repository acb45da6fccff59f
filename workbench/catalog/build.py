"""From what an experiment asks to networks: the encoder, and the method around it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from workbench.augment.normalize import Normalization
from workbench.catalog.registry import Registry
from workbench.catalog.tasks import method_of, params_of
from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.method.contract import Method, MethodInfo, Setting
from workbench.method.frames import Frames
from workbench.runs.folder import RunFolder
from workbench.spec.errors import CheckError, NotFoundError, RunError
from workbench.spec.experiment import BackboneSpec, Experiment
from workbench.spec.needs import UnmetNeed, unmet_backbone, unmet_color, unmet_need
from workbench.spec.params import Params
from workbench.spec.pixels import channels_of

SMALL_IMAGE = 64
"""Up to this side (px) the small stem keeps the resolution that the standard one would throw away."""


def image_size_of(experiment: Experiment) -> int:
    """The side of the first global view. Raises `CheckError` where there is none."""
    for view in experiment.views:
        if view.role == "global":
            return view.size
    raise CheckError("The experiment has no global view.", hint="Add a view with role 'global'.")


def backbone_request(backbone: BackboneSpec, *, channels: int, image_size: int) -> BackboneRequest:
    """What the plugin is asked for: the stem is resolved (auto is small at 64 px and less).

    Weights from the library belong to the standard stem, so auto takes that one with 'pretrained'.
    """
    pretrained = backbone.weights == "pretrained"
    stem: Literal["small", "standard"] = "small" if image_size <= SMALL_IMAGE and not pretrained else "standard"
    if backbone.stem != "auto":
        stem = backbone.stem
    return BackboneRequest(channels=channels, image_size=image_size, stem=stem, pretrained=pretrained)


def build_encoder(
    backbone: BackboneSpec, *, channels: int, image_size: int, registry: Registry, fetch: bool = True
) -> Encoder:
    """The encoder with its first weights: random (from torch's generator), the library's, or those of a run.

    Without `fetch` it has the same shape and random weights: for a checkpoint that is loaded into it next,
    which must not depend on a hub or on another run that may be gone.

    Raises `NotFoundError` (no such backbone or run), `CheckError` (they do not fit), `WorkbenchError`
    (the library's weights cannot be fetched).
    """
    info = registry.backbone(backbone.name)
    if image_size < info.min_size:
        raise CheckError(
            f"{info.title} needs images of at least {info.min_size} px, and the views have {image_size} px.",
            hint="Enlarge the views or choose another backbone.",
        )
    request = backbone_request(backbone, channels=channels, image_size=image_size)
    encoder = info.build(request if fetch else replace(request, pretrained=False))
    if fetch and backbone.weights not in ("none", "pretrained"):
        _load_from_run(encoder, info, request, Path(backbone.weights))
    return encoder


def build_method(
    experiment: Experiment,
    *,
    train_images: int,
    classes: int,
    registry: Registry,
    frames: Frames | None = None,
    normalization: Normalization | None = None,
    fetch: bool = True,
    encode: Callable[..., Encoder] = build_encoder,
) -> Method:
    """The method of an experiment, its encoder inside, with the first weights of the experiment's seed.

    The encoder is drawn first, so that it is the same as `build_encoder` under the same seed. torch's
    generator is left as it was. normalization: that of the views, where there is one. `fetch` as in
    `build_encoder`; `encode` may stand for it where somebody keeps one. Raises `NotFoundError`, `SpecError` (a
    parameter), `CheckError`.
    """
    info, params, setting = configure(
        experiment,
        train_images=train_images,
        classes=classes,
        registry=registry,
        frames=frames,
        normalization=normalization,
    )
    _check_method(info, experiment, setting, registry)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(experiment.seed)
        encoder = encode(
            experiment.backbone,
            channels=setting.channels,
            image_size=setting.image_size,
            registry=registry,
            fetch=fetch,
        )
        return info.build(encoder, params, setting)


def configure(
    experiment: Experiment,
    *,
    train_images: int,
    classes: int,
    registry: Registry,
    frames: Frames | None = None,
    normalization: Normalization | None = None,
) -> tuple[MethodInfo[Any], Params, Setting]:
    """The method of an experiment, its checked parameters, and what it may know of the run."""
    info = method_of(experiment.method, registry)
    setting = Setting(
        train_images=train_images,
        classes=classes,
        batch_size=experiment.train.batch_size,
        image_size=image_size_of(experiment),
        channels=channels_of(experiment.data),
        frames=frames,
    )
    if normalization is not None:
        mean, std = tuple(normalization.mean.tolist()), tuple(normalization.std.tolist())
        setting = replace(setting, mean=mean, std=std)
    return info, params_of(experiment.method, registry), setting


def missing_needs(info: MethodInfo[Any], backbone: BackboneInfo, registry: Registry) -> UnmetNeed | None:
    """What a method needs and a backbone does not give, in words; None where it gives all."""
    return unmet_backbone(info.card(), backbone.card(), [one.card() for one in registry.backbones.values()])


def _check_method(info: MethodInfo[Any], experiment: Experiment, setting: Setting, registry: Registry) -> None:
    need = unmet_need(experiment.views, info.card())
    if need is not None:
        raise CheckError(need.title, hint=need.text)
    colorless = unmet_color(experiment.data, info.card())
    if colorless:
        raise CheckError(colorless, hint="Set data.channels to 'rgb', or choose another method.")
    if setting.batch_size < info.min_batch:
        raise CheckError(
            f"{info.title} needs a batch of at least {info.min_batch} images, and train.batch_size is "
            f"{setting.batch_size}."
        )
    if info.no_accumulation and experiment.train.accumulate > 1:
        raise CheckError(info.no_accumulation, hint="Set train.accumulate to 1.")
    if info.uses_labels and setting.classes < 2:
        raise CheckError(
            f"{info.title} learns from labels, and the data has {setting.classes or 'no'} "
            f"{'class' if setting.classes == 1 else 'classes'}.",
            hint="Choose where labels come from (data.labels), or a method without labels.",
        )
    if info.uses_frames and (setting.frames is None or not len(setting.frames)):
        raise CheckError(f"{info.title} learns from films, and these images are not known as frames of any.")
    missing = missing_needs(info, registry.backbone(experiment.backbone.name), registry)
    if missing is not None:
        raise CheckError(missing.title, hint=missing.text)
    if info.starts_from_run and experiment.backbone.weights in ("none", "pretrained"):
        raise CheckError(
            f"{info.title} starts from the encoder of a finished run.", hint="Name that run under backbone.weights."
        )


def fitting_run(info: BackboneInfo, request: BackboneRequest, folder: Path) -> RunFolder:
    """The run in `folder`, whose encoder is of the kind that is asked for.

    Raises `NotFoundError` where there is no run or it has no checkpoint, and `CheckError` where it does not fit.
    """
    run = RunFolder.open(folder)
    theirs = run.experiment()
    if not (run.checkpoints / "last.pt").is_file():
        raise NotFoundError(f"The run {run.name} has no checkpoint yet, so there are no weights to start from.")
    asked = backbone_request(theirs.backbone, channels=channels_of(theirs.data), image_size=image_size_of(theirs))
    if theirs.backbone.name != info.name:
        raise CheckError(f"The run {run.name} trained {theirs.backbone.name}, and the backbone here is {info.name}.")
    if (asked.channels, asked.stem) != (request.channels, request.stem):
        raise CheckError(
            f"The run {run.name} trained {info.title} with {asked.channels} channels and the {asked.stem} stem, and "
            f"here it has {request.channels} channels and the {request.stem} stem.",
            hint="Set data.channels and backbone.stem as in that run.",
        )
    return run


def _load_from_run(encoder: Encoder, info: BackboneInfo, request: BackboneRequest, folder: Path) -> None:
    """Takes the encoder of a run. Raises where the run, its checkpoint or its shape is not what is needed."""
    run = fitting_run(info, request, folder)
    try:
        encoder.load_state_dict(_encoder_weights(run), strict=True)
    except RuntimeError as error:
        theirs = image_size_of(run.experiment())
        raise CheckError(
            f"The encoder of the run {run.name} does not fit: it was made for {theirs} px and here the "
            f"views have {request.image_size} px.",
            hint="Use the same view size as that run.",
        ) from error


def _encoder_weights(run: RunFolder) -> Mapping[str, Tensor]:
    """The encoder's weights in the last checkpoint."""
    file = run.checkpoints / "last.pt"
    try:
        method = torch.load(file, map_location="cpu", weights_only=True)["method"]
    except Exception as error:  # a damaged file raises anything from KeyError to UnpicklingError.
        raise RunError(f"The checkpoint {file} cannot be read: {error}.") from error
    prefix = "encoder."
    return {key.removeprefix(prefix): value for key, value in method.items() if key.startswith(prefix)}
