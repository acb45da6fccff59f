"""What a method would give a network and ask of it, before anything is trained."""

import time
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from workbench.data.identity import image_ids
from workbench.data.shown import as_pictures
from workbench.engine.handlers import torch_side
from workbench.engine.handlers.previewing import Stored, decoded
from workbench.engine.messages import Arrays, ShowTask, ShowTaskReply
from workbench.engine.panels import sent
from workbench.spec.errors import UsageError
from workbench.spec.experiment import BackboneSpec, Experiment
from workbench.spec.progress import Report

if TYPE_CHECKING:
    from workbench.augment.normalize import Normalization
    from workbench.catalog.registry import Registry
    from workbench.method.backbone import Encoder
    from workbench.method.contract import Method

_CLASSES = 2
"""The labels are not read here: a method that learns from them is built for the fewest."""


def show_task(request: ShowTask, report: Report) -> tuple[ShowTaskReply, Arrays]:
    """The panels of the untrained method for these images, without its answers."""
    if not request.paths:
        raise UsageError("A task is shown on images, and none were given.")
    report("showing the task", 0, 0)
    registry = torch_side.registry()
    import torch

    from workbench.augment.plan import ViewPlan
    from workbench.catalog.tasks import method_of
    from workbench.inspect.exhibit import indices_of
    from workbench.inspect.exhibit import show_task as shown
    from workbench.method.feeding import make_batch

    began = time.perf_counter()
    info = method_of(request.experiment.method, registry)
    if not info.exhibits:
        raise UsageError(f"{info.title} has no pictures of its task.", hint="Its views are all that there is to see.")
    pixels = decoded(request.experiment.data, request.paths)
    experiment = _counted(request)
    report("building the network", 0, 0)
    normalization = _normalization(experiment, pixels)
    method = _method(experiment, max(1, request.images), normalization, in_films=info.uses_frames)
    report("showing the task", 0, 0)
    ids = torch.from_numpy(image_ids(request.paths))
    batch = make_batch(
        ViewPlan(experiment.views, registry.ops),
        normalization,
        torch.from_numpy(pixels),
        seed=experiment.seed,
        epoch=request.epoch,
        ids=ids,
        indices=indices_of(ids, request.images),
        labels=torch.full_like(ids, -1) if info.uses_labels else None,
        corners=info.uses_corners,
    )
    panels = shown(info, method, batch, normalization, answers=False)
    columns, arrays = sent(as_pictures(pixels), panels)
    return ShowTaskReply(panels=columns, milliseconds=(time.perf_counter() - began) * 1000), arrays


def _counted(request: ShowTask) -> Experiment:
    from workbench.data.planes import counted

    data = request.experiment.data
    return replace(request.experiment, data=counted(data, Path(data.folder).expanduser(), request.paths))


def _method(experiment: Experiment, train_images: int, normalization: "Normalization", *, in_films: bool) -> "Method":
    """The untrained method. Its views, seeds and schedule do not matter to what it is built of, nor does which film
    an image is of: a task about films has no pictures, but may stand beside one that has.
    """
    from workbench.catalog.build import build_method
    from workbench.training.frames import pretended_frames

    return build_method(
        experiment,
        train_images=train_images,
        classes=_CLASSES,
        registry=torch_side.registry(),
        normalization=normalization,
        frames=pretended_frames(train_images) if in_films else None,
        fetch=False,
        encode=_encode,
    )


def _encode(backbone: BackboneSpec, *, channels: int, image_size: int, registry: "Registry", fetch: bool) -> "Encoder":
    """A copy of an encoder that is kept: drawing the weights of a large one takes longer than all the rest."""
    del registry, fetch
    return deepcopy(_kept_encoder(backbone, channels, image_size))


@lru_cache(maxsize=1)
def _kept_encoder(backbone: BackboneSpec, channels: int, image_size: int) -> "Encoder":
    from workbench.catalog.build import build_encoder

    registry = torch_side.registry()
    return build_encoder(backbone, channels=channels, image_size=image_size, registry=registry, fetch=False)


def _normalization(experiment: Experiment, pixels: Stored) -> "Normalization":
    """What the experiment asks for; the set's own numbers are those of the images that are shown."""
    from workbench.augment.normalize import normalization_for

    values = np.moveaxis(pixels, 1, 0).reshape(pixels.shape[1], -1) / np.iinfo(pixels.dtype).max
    return normalization_for(experiment.data, values.mean(axis=1).tolist(), values.std(axis=1).tolist())
