"""A method's pictures of its task, as a person sees them: the same images all through a run, and on the Views page."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.augment.draws import sample_keys
from workbench.augment.normalize import Normalization
from workbench.augment.pixels import as_levels
from workbench.data.shown import SHOWN, of_three
from workbench.method.contract import Batch, Method, MethodInfo, Progress
from workbench.method.exhibit import Panel
from workbench.runs.exhibit import ShownPanel
from workbench.spec.errors import PluginError, WorkbenchError

IMAGES = 12
EPOCH = 0
"""Whose views are shown all through a run."""

_ORDER = 0xE0
_FIRST = Progress(step=0, total_steps=1, epoch=EPOCH, total_epochs=1)


def choose_images(
    rows: NDArray[np.int64], ids: NDArray[np.int64], labels: NDArray[np.int64], *, seed: int, count: int = IMAGES
) -> NDArray[np.int64]:
    """At most `count` of `rows`: one of each class first, then a second one of each.

    ids, labels (-1 unknown): by row. The order within a class is a hash of the images' ids, so that a file that has
    gone changes nothing about the others.
    """
    keys = sample_keys(seed, EPOCH, torch.from_numpy(ids[rows]), _ORDER).numpy()
    shuffled = rows[np.argsort(keys, kind="stable")]
    seen: dict[int, int] = {}
    turns = []
    for label in labels[shuffled].tolist():
        turns.append(seen.get(label, 0))
        seen[label] = turns[-1] + 1
    return shuffled[np.lexsort((labels[shuffled], np.array(turns)))][:count]


def indices_of(ids: Tensor, train_images: int) -> Tensor:
    """(B,) int64: which training images these are taken for, so that what a method draws for one goes with it."""
    return ids.remainder(max(1, train_images))


def show_task(
    info: MethodInfo[Any], method: Method, batch: Batch, normalization: Normalization, *, answers: bool = True
) -> tuple[ShownPanel, ...]:
    """The method's panels as pictures; without `answers` only those that do not depend on its weights.

    Nothing about the method, nor about torch's generator, is changed. Raises `PluginError` in words where the method
    fails or gives what cannot be shown.
    """
    device = batch.views[0].device
    try:
        with _as_asked(method), torch.no_grad(), torch.random.fork_rng(devices=_devices(device)):
            panels = method.exhibit(_with_partners(batch, method) if info.uses_tuples else batch, _FIRST)
        wanted = [panel for panel in panels if answers or panel.part != "answer"]
        return tuple(_shown(panel, len(batch.indices), normalization) for panel in wanted)
    except WorkbenchError:
        raise
    except Exception as error:
        raise PluginError(
            f"{info.title} could not show its task: {type(error).__name__}: {error}",
            hint="This is a fault of the method; it may train all the same.",
        ) from error


def _with_partners(batch: Batch, method: Method) -> Batch:
    """Beside each image the views of others that are shown: as many as come together in training."""
    named = method.tuples(batch.indices.cpu(), _FIRST)
    others = range(1, 1 if named is None else named.shape[1])
    return replace(
        batch, partner_views=tuple(tuple(view.roll(number, dims=0) for view in batch.views) for number in others)
    )


@contextmanager
def _as_asked(method: Method) -> Iterator[None]:
    """In eval mode; afterwards every part is in the mode that it was in."""
    modes = [(part, part.training) for part in method.modules()]
    method.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def _devices(device: torch.device) -> Sequence[int]:
    return [device.index or 0] if device.type == "cuda" else []


def _shown(panel: Panel, count: int, normalization: Normalization) -> ShownPanel:
    images = panel.images.detach().float()
    if images.dim() != 4 or len(images) != count:
        raise ValueError(f"'{panel.title}' has images of shape {tuple(images.shape)} for {count} images")
    for name, values in (("captions", panel.captions), ("right", panel.right)):
        if len(values) not in (0, count):
            raise ValueError(f"'{panel.title}' has {len(values)} {name} for {count} images")
    if panel.normalized:
        mean, deviation = _scale(normalization, images.shape[1])
        images = images * deviation + mean
    visible = images[:, :SHOWN].nan_to_num().clamp(0, 1)
    return ShownPanel(
        part=panel.part,
        title=panel.title,
        pictures=of_three(as_levels(visible.cpu()).numpy()),
        captions=panel.captions,
        right=panel.right,
    )


def _scale(normalization: Normalization, channels: int) -> tuple[Tensor, Tensor]:
    """What was taken out of so many channels: as many as the data has, its first ones, or a gray of all of them."""
    both = []
    for values in (normalization.mean, normalization.std):
        if len(values) < channels:
            values = values[:1].expand(channels)
        elif channels == 1:
            values = values.mean(dim=0, keepdim=True)
        both.append(values[:channels, None, None])
    return both[0], both[1]
