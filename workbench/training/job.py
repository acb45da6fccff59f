"""A run made ready to train: its images read, its networks built, and its last checkpoint taken up."""

import importlib.metadata
import json
import math
import os
import platform
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from msgspec import structs

from workbench import __version__
from workbench.augment.normalize import Normalization, normalization_for
from workbench.catalog.build import build_method, configure, image_size_of
from workbench.catalog.registry import Registry
from workbench.catalog.tasks import method_of, tasks_of
from workbench.data.prepare import Prepared, prepare
from workbench.inspect.symptoms import Fingerprint
from workbench.method.contract import Method, Progress
from workbench.method.frames import Frames
from workbench.runs.events import Derived, Progressed, Warned
from workbench.runs.folder import RunFolder, write_whole
from workbench.runs.split import read_split, write_split
from workbench.spec import places
from workbench.spec.errors import Cancelled, CheckError, RunError
from workbench.spec.experiment import Experiment
from workbench.spec.needs import films_torn
from workbench.spec.pixels import of_planes
from workbench.spec.progress import Report
from workbench.training.checkpoint import (
    Position,
    has_checkpoint,
    load_checkpoint,
    random_state,
    restore_random_state,
)
from workbench.training.clock import Clock
from workbench.training.devices import memory_in_use, resolve_device
from workbench.training.encode import AllImages
from workbench.training.exam import Examiner
from workbench.training.exhibitor import Exhibitor
from workbench.training.feed import Feed, Tuples
from workbench.training.frames import frames_of
from workbench.training.journal import Journal
from workbench.training.meter import Meter
from workbench.training.pulse import Pulse
from workbench.training.ranks import Ranks
from workbench.training.schedule import scaled_learning_rate
from workbench.training.step import Stepper, make_stepper
from workbench.training.watcher import Assign, Watcher

FORMAT = 1
_TELL_SECONDS = 0.25
_VERSIONS = ("torchvision", "timm", "numpy", "h5py")


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything the loop works with. `start` is where it begins."""

    run: RunFolder
    experiment: Experiment
    ranks: Ranks
    device: torch.device
    data: Prepared
    normalization: Normalization
    method: Method
    stepper: Stepper
    feed: Feed
    meter: Meter
    watcher: Watcher
    learning_rate: float
    start: Position
    fresh: bool
    """Whether there was no checkpoint to go on from."""

    @property
    def total_steps(self) -> int:
        """Steps of the whole run, where no time limit ends it before."""
        return self.feed.steps * self.experiment.train.epochs

    def steps_done(self, position: Position) -> int:
        """Steps until `position`, over all epochs."""
        return position.epoch * self.feed.steps + position.step

    def progress(self, position: Position, clock: Clock) -> Progress:
        """Where training stands, for the schedule and the method: by steps, or by the clock where that is further."""
        total = self.total_steps
        step = max(self.steps_done(position), math.floor(clock.fraction * total))
        return Progress(step=step, total_steps=total, epoch=position.epoch, total_epochs=self.experiment.train.epochs)

    def state(self, position: Position) -> dict[str, Any]:
        """The checkpoint of this moment."""
        means = {"mean": self.normalization.mean.tolist(), "std": self.normalization.std.tolist()}
        return {
            "version": FORMAT,
            "method": self.method.state_dict(),
            "optimizer": self.stepper.optimizer.state_dict(),
            "scaler": self.stepper.scaler.state_dict(),
            "rng": random_state(self.device),
            "normalization": means,
            "epoch": position.epoch,
            "step": self.steps_done(position),
            "epoch_step": position.step,
            "seconds": position.seconds,
            "loss_sum": self.meter.whole.detach().cpu(),
            "loss_steps": self.meter.whole_steps,
            "train_images": len(self.data.train_rows),
        }

    def before_epoch(self, progress: Progress, report: Report) -> None:
        """What a method does with all images before an epoch."""
        if type(self.method).before_epoch is Method.before_epoch:
            return
        encode = AllImages(
            pixels=self.data.store.pixels,
            rows=self.data.train_rows,
            normalization=self.normalization,
            image_size=image_size_of(self.experiment),
            device=self.device,
            ranks=self.ranks,
            report=report,
        )
        self.method.before_epoch(encode, progress)
        self.meter.forget_time()

    def tuples(self, progress: Progress) -> Tuples | None:
        """Which images come together in an epoch, as the method says; None where it takes each alone."""
        return partial(self.method.tuples, progress=progress) if self.stepper.uses_tuples else None

    def memory(self) -> float:
        """Bytes that training holds on its device."""
        return float(memory_in_use(self.device))


def make_ready(
    run: RunFolder, *, ranks: Ranks, registry: Registry, journal: Journal, pulse: Pulse, report: Report
) -> Job:
    """Reads the images, builds the networks, and takes up the last checkpoint."""
    experiment = run.experiment()
    device = _device(experiment, ranks)
    data = _read_images(run, experiment, ranks=ranks, report=_telling(report, journal, pulse), journal=journal)
    _check_split(experiment, data, ranks)
    experiment = structs.replace(experiment, data=of_planes(experiment.data, data.store.pixels.shape[1]))
    normalization = normalization_for(experiment.data, data.store.mean, data.store.std).to(device)
    frames = _films(experiment, data, registry)
    method = build_method(
        experiment,
        train_images=data.planned_train,
        classes=len(data.classes),
        registry=registry,
        frames=frames,
        normalization=normalization,
        fetch=not has_checkpoint(run),  # What a checkpoint fills must not depend on a hub or on another run.
    )
    torch.manual_seed(experiment.seed + ranks.rank)
    stepper = make_stepper(
        experiment, method, device=device, registry=registry, normalization=normalization, ranks=ranks
    )
    learning_rate = scaled_learning_rate(experiment.train.learning_rate, experiment.train.batch_size)
    feed = Feed(
        data.store.pixels,
        rows=data.train_rows,
        ids=data.ids[data.train_rows],
        labels=data.labels[data.train_rows],
        batch_size=experiment.train.batch_size,
        seed=experiment.seed,
        device=device,
        rank=ranks.rank,
        world=ranks.world,
    )
    info, params, setting = configure(
        experiment,
        train_images=data.planned_train,
        classes=len(data.classes),
        registry=registry,
        normalization=normalization,
        frames=frames,
    )
    watcher = Watcher(
        run,
        journal,
        spec=experiment.watch,
        data=data,
        plan=stepper.plan,
        normalization=normalization,
        image_size=image_size_of(experiment),
        device=device,
        seed=experiment.seed,
        fingerprint=Fingerprint(info=info, params=params, setting=setting),
        assign=_assigning(method),
        examine=Examiner(
            stepper=stepper,
            data=data,
            batch_size=max(1, experiment.train.batch_size // ranks.world),
            of_images=not all(task.uses_frames for task in tasks_of(experiment.method, registry)),
            of_films=frames is not None,
        ),
        start=experiment.backbone.at_start,
        exhibitor=Exhibitor(run, journal, info=info, stepper=stepper, normalization=normalization, data=data)
        if info.exhibits
        else None,
    )
    meter = Meter(device)
    resumed = _take_up(run, stepper, meter, normalization=normalization, ranks=ranks, journal=journal)
    start = resumed or Position()
    if start.step > feed.steps:  # Images have gone since, so that an epoch has fewer steps.
        start = replace(start, step=feed.steps)
    watcher.recall(start.epoch)
    if ranks.leads:
        write_whole(run.environment_file, json.dumps(_environment(device), indent=2).encode())
        journal.tell(_derived(experiment, stepper, learning_rate=learning_rate, normalization=normalization))
    return Job(
        run=run,
        experiment=experiment,
        ranks=ranks,
        device=device,
        data=data,
        normalization=normalization,
        method=method,
        stepper=stepper,
        feed=feed,
        meter=meter,
        watcher=watcher,
        learning_rate=learning_rate,
        start=start,
        fresh=resumed is None,
    )


def _assigning(method: Method) -> Assign:
    """The clusters of a method, asked in eval mode; it is left in the mode it was in."""

    def assign(features: torch.Tensor) -> torch.Tensor | None:
        training = method.training
        method.eval()
        try:
            return method.assign(features)
        finally:
            method.train(training)

    return assign


def _device(experiment: Experiment, ranks: Ranks) -> torch.device:
    device = resolve_device(experiment.train.device)
    if ranks.world > 1 and device.type == "cuda":
        device = torch.device("cuda", ranks.local)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def _read_images(run: RunFolder, experiment: Experiment, *, ranks: Ranks, report: Report, journal: Journal) -> Prepared:
    """The pixel store and the split: drawn once, at the first start, and read from split.csv ever after."""
    if not ranks.leads:
        ranks.wait()  # The first rank builds the store; the others open it.
    table = read_split(run.split_file) if run.split_file.is_file() else None
    data = prepare(experiment, cache=places.cache_folder(), table=table, report=report)
    if ranks.leads:
        if table is None:
            write_split(run.split_file, data.table)
        for line in _warnings(experiment, data):
            journal.tell(Warned(message=line))
        ranks.wait()
    return data


def _warnings(experiment: Experiment, data: Prepared) -> list[str]:
    """What a person should know of the images."""
    lines = []
    if data.broken:
        first, count = data.broken[0], len(data.broken)
        files = "1 file was" if count == 1 else f"{count:,} files were"
        lines.append(f"{files} left out, being unreadable ({first.path}: {first.reason}).")
    lost = data.planned_train - len(data.train_rows)
    if lost:
        lines.append(
            f"{lost:,} of the {data.planned_train:,} images that this run was trained on can no longer be read: it "
            "goes on with the others, and not exactly as it would have."
        )
    if experiment.data.labels != "none" and len(data.classes) < 2:
        what = f"All images have the same label ({data.classes[0]})" if data.classes else "No image has a label"
        lines.append(f"{what}, so that kNN is not measured.")
    if len(data.test_rows) == 0:
        lines.append("There are no test images, so that kNN is not measured.")
    return lines


def _films(experiment: Experiment, data: Prepared, registry: Registry) -> Frames | None:
    """The training images as frames, where a task learns from films."""
    info = method_of(experiment.method, registry)
    if not info.uses_frames:
        return None
    torn = films_torn(experiment.data, info.title)
    if torn:
        raise CheckError(torn)
    return frames_of(data.store.pixels, data.table.paths, data.train_rows)


def _check_split(experiment: Experiment, data: Prepared, ranks: Ranks) -> None:
    images, batch = len(data.train_rows), experiment.train.batch_size
    if batch > images:
        raise CheckError(
            f"The batch of {batch} is larger than the training set of {images} images.",
            hint=f"Set train.batch_size to {max(1, 2 ** (max(1, images // 4).bit_length() - 1))} or less.",
        )
    if batch % ranks.world:
        raise CheckError(f"The batch of {batch} cannot be shared evenly by {ranks.world} processes.")
    parts = experiment.train.accumulate
    if batch % (ranks.world * parts):
        each = "" if ranks.world == 1 else f" in each of {ranks.world} processes"
        raise CheckError(f"The batch of {batch} cannot be taken in {parts} equal parts{each} (train.accumulate).")


def _take_up(
    run: RunFolder, stepper: Stepper, meter: Meter, *, normalization: Normalization, ranks: Ranks, journal: Journal
) -> Position | None:
    """Puts everything back as the last checkpoint has it; None where there is none."""
    state, warning = load_checkpoint(run)
    if warning:
        journal.tell(Warned(message=warning))
    if state is None:
        return None
    try:
        stepper.method.load_state_dict(state["method"], strict=True)
        stepper.optimizer.load_state_dict(state["optimizer"])
        if stepper.scaler.is_enabled():
            stepper.scaler.load_state_dict(state["scaler"])
        if ranks.leads:  # The others keep generators of their own, so that dropout differs between them.
            restore_random_state(state["rng"], stepper.device)
        # The images may have changed since; what the network expects has not.
        normalization.mean.copy_(torch.tensor(state["normalization"]["mean"]))
        normalization.std.copy_(torch.tensor(state["normalization"]["std"]))
        meter.whole = state["loss_sum"].to(stepper.device)
        meter.whole_steps = int(state["loss_steps"])
        return Position(epoch=state["epoch"], step=state["epoch_step"], seconds=state["seconds"])
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise RunError(
            f"The checkpoint in {run.checkpoints} does not fit this experiment: {str(error).splitlines()[0]}",
            hint="Was experiment.toml changed? Start a new run for other settings.",
        ) from error


def _derived(
    experiment: Experiment, stepper: Stepper, *, learning_rate: float, normalization: Normalization
) -> Derived:
    method = stepper.method
    values: dict[str, str | int | float | bool] = {
        "device": str(stepper.device),
        "precision": stepper.precision,
        "learning_rate": learning_rate,
        "views": ", ".join(stepper.plan.names),
        "mean": ", ".join(f"{value:.4f}" for value in normalization.mean.tolist()),
        "std": ", ".join(f"{value:.4f}" for value in normalization.std.tolist()),
        "encoder_parameters": sum(p.numel() for p in method.encoder.parameters()),
        "parameters": sum(p.numel() for p in method.parameters() if p.requires_grad),
        "exact_resume": stepper.device.type == "cpu" and experiment.train.max_minutes == 0,
    }
    return Derived(values=values)


def _environment(device: torch.device) -> Mapping[str, object]:
    """What this run was trained with, for whoever wants to do it again."""
    versions = {name: importlib.metadata.version(name) for name in _VERSIONS} | {"torch": torch.__version__}
    return {
        "workbench": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": str(device),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "cuda": torch.version.cuda,
        "versions": versions,
        "command": sys.argv,
    }


def _telling(report: Report, journal: Journal, pulse: Pulse) -> Report:
    """A report that also tells the run's readers, and that a request to stop cancels."""
    told = 0.0

    def tell(what: str, done: int, total: int) -> None:
        nonlocal told
        report(what, done, total)
        if pulse.stop:
            raise Cancelled
        now = time.monotonic()
        if now - told >= _TELL_SECONDS or (total and done >= total):
            told = now
            journal.tell(Progressed(what=what, done=done, total=total))

    return tell
