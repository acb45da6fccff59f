"""A run made ready to train: its images read, its networks built, and its last checkpoint taken up."""

import json
import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from msgspec import structs

from workbench.augment.normalize import Normalization, normalization_for
from workbench.catalog.build import build_method, configure, image_size_of
from workbench.catalog.registry import Registry
from workbench.catalog.tasks import tasks_of
from workbench.data.prepare import Prepared
from workbench.inspect.symptoms import Fingerprint
from workbench.method.contract import Method, Progress
from workbench.method.frames import Frames
from workbench.runs.folder import RunFolder, write_whole
from workbench.spec.experiment import Experiment
from workbench.spec.pixels import of_planes
from workbench.spec.progress import Report
from workbench.training.checkpoint import Position, has_checkpoint
from workbench.training.clock import Clock
from workbench.training.devices import memory_in_use, resolve_device
from workbench.training.encode import AllImages
from workbench.training.environment import derived, environment
from workbench.training.exam import Examiner
from workbench.training.exhibitor import Exhibitor
from workbench.training.feed import Feed, Tuples
from workbench.training.heap import keep_freed_memory
from workbench.training.images import films_of, read_images
from workbench.training.journal import Journal
from workbench.training.meter import Meter
from workbench.training.pulse import Pulse
from workbench.training.ranks import Ranks
from workbench.training.resume import state_of, take_up
from workbench.training.schedule import scaled_learning_rate
from workbench.training.step import Stepper, make_stepper
from workbench.training.watcher import Assign, Watcher


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
        return state_of(
            self.stepper,
            self.meter,
            self.normalization,
            position,
            step=self.steps_done(position),
            train_images=len(self.data.train_rows),
        )

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
    if device.type == "cpu":
        keep_freed_memory()
    data = read_images(run, experiment, ranks=ranks, report=report, journal=journal, pulse=pulse)
    experiment = structs.replace(experiment, data=of_planes(experiment.data, data.store.pixels.shape[1]))
    normalization = normalization_for(experiment.data, data.store.mean, data.store.std).to(device)
    frames = films_of(experiment, data, registry)
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
    feed = _feed(experiment, data, device=device, ranks=ranks)
    watcher = _watcher(
        run,
        journal,
        experiment,
        data,
        stepper,
        registry=registry,
        normalization=normalization,
        frames=frames,
        ranks=ranks,
    )
    meter = Meter(device)
    resumed = take_up(run, stepper, meter, normalization=normalization, ranks=ranks, journal=journal)
    start = resumed or Position()
    if start.step > feed.steps:  # Images have gone since, so that an epoch has fewer steps.
        start = replace(start, step=feed.steps)
    watcher.recall(start.epoch)
    if ranks.leads:
        write_whole(run.environment_file, json.dumps(environment(device), indent=2).encode())
        journal.tell(derived(experiment, stepper, learning_rate=learning_rate, normalization=normalization))
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


def _feed(experiment: Experiment, data: Prepared, *, device: torch.device, ranks: Ranks) -> Feed:
    return Feed(
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


def _watcher(
    run: RunFolder,
    journal: Journal,
    experiment: Experiment,
    data: Prepared,
    stepper: Stepper,
    *,
    registry: Registry,
    normalization: Normalization,
    frames: Frames | None,
    ranks: Ranks,
) -> Watcher:
    info, params, setting = configure(
        experiment,
        train_images=data.planned_train,
        classes=len(data.classes),
        registry=registry,
        normalization=normalization,
        frames=frames,
    )
    return Watcher(
        run,
        journal,
        spec=experiment.watch,
        data=data,
        plan=stepper.plan,
        normalization=normalization,
        image_size=image_size_of(experiment),
        device=stepper.device,
        seed=experiment.seed,
        fingerprint=Fingerprint(info=info, params=params, setting=setting),
        assign=_assigning(stepper.method),
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
