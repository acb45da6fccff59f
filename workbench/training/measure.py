"""A few real steps, for the time and the memory that a run will take."""

import time
from dataclasses import replace

import numpy as np
import psutil
import torch

from workbench.catalog.build import build_method
from workbench.catalog.registry import Registry
from workbench.catalog.tasks import method_of
from workbench.method.contract import Progress
from workbench.spec.errors import CheckError
from workbench.spec.experiment import Experiment
from workbench.spec.machine import Measurement
from workbench.spec.pixels import LEVELS, channels_of
from workbench.spec.progress import Report, ignore
from workbench.training.check import train_images
from workbench.training.devices import memory_total, resolve_device
from workbench.training.feed import Drawn
from workbench.training.frames import pretended_frames
from workbench.training.memory import memory_in_words, release
from workbench.training.step import Stepper, make_stepper

_STEPS = 3
_SECONDS = 6.0


def measure(experiment: Experiment, images: int, registry: Registry, report: Report = ignore) -> Measurement:
    """Builds the method and takes a few steps on noise of the right shape, on the device of the experiment.

    The first step warms up and is not counted. Raises `TrainingError` with a batch that fits where there is
    not enough memory, and what building raises.
    """
    device = resolve_device(experiment.train.device)
    training = train_images(experiment, images)
    if training < experiment.train.batch_size:
        raise CheckError(
            f"The batch of {experiment.train.batch_size:,} is larger than the training set (about {training:,} images)."
        )
    report("building", 0, _STEPS + 1)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    before = psutil.Process().memory_info().rss
    info = method_of(experiment.method, registry)
    classes = 10 if info.uses_labels else 0
    frames = pretended_frames(training) if info.uses_frames else None
    method = build_method(experiment, train_images=training, classes=classes, registry=registry, frames=frames)
    stepper = make_stepper(experiment, method, device=device, registry=registry)
    drawn = _noise(experiment, device, classes)
    if stepper.uses_tuples:
        named = method.tuples(drawn.indices.cpu(), Progress(step=0, total_steps=1, epoch=0, total_epochs=1))
        drawn = replace(drawn, partners=(drawn,) * (0 if named is None else named.shape[1] - 1))
    try:
        whole, views = _times(stepper, drawn, report)
        memory = torch.cuda.max_memory_reserved(device) if device.type == "cuda" else _rss_since(before)
    finally:
        release()
    per_second = experiment.train.batch_size / whole
    return Measurement(
        device=str(device),
        images_per_second=per_second,
        seconds_per_epoch=training / per_second,
        memory=memory,
        memory_total=memory_total(device),
        making_views=min(1.0, views / whole),
    )


def _times(stepper: Stepper, drawn: Drawn, report: Report) -> tuple[float, float]:
    """Seconds of a step, and of its views alone; medians."""
    stepper.method.train()
    wholes, views = [], []
    began = time.perf_counter()
    for number in range(_STEPS + 1):
        report("measuring", number, _STEPS + 1)
        progress = Progress(step=number, total_steps=1000, epoch=0, total_epochs=1)
        start = time.perf_counter()
        with memory_in_words(stepper, drawn, progress):
            stepper.views(drawn, number)
            _wait(stepper.device)
            between = time.perf_counter()
            stepper.gradients(stepper.batches(drawn, number), progress)
            stepper.update(progress)
            _wait(stepper.device)
        wholes.append(time.perf_counter() - between)
        views.append(between - start)
        if number and time.perf_counter() - began > _SECONDS:
            break
    report("measuring", _STEPS + 1, _STEPS + 1)
    return float(np.median(wholes[1:])), float(np.median(views[1:]))


def _noise(experiment: Experiment, device: torch.device, classes: int) -> Drawn:
    count, side = experiment.train.batch_size, experiment.data.size
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels_of(experiment.data), side, side)
    depth = experiment.data.depth
    numbers = torch.randint(0, LEVELS[depth] + 1, shape, dtype=torch.int32, generator=generator)
    pixels = numbers.to(torch.uint16 if depth == "16" else torch.uint8)
    labels = torch.arange(count) % max(1, classes)
    return Drawn(
        step=0,
        pixels=pixels.to(device),
        ids=torch.arange(count),
        indices=torch.arange(count, device=device),
        labels=labels.to(device),
    )


def _rss_since(before: int) -> int:
    return max(0, int(psutil.Process().memory_info().rss) - int(before))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
