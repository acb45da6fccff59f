"""What the loop leaves behind: points of curves, looks at the representation, checkpoints."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.method.contract import Loss
from workbench.runs.events import CheckpointSaved, Phase, Scalars, Started, losses_of
from workbench.spec.errors import TrainingError
from workbench.spec.progress import Report
from workbench.training.checkpoint import Position, save_best, save_checkpoint
from workbench.training.clock import Clock
from workbench.training.devices import device_load
from workbench.training.job import Job
from workbench.training.journal import Journal, disk_words
from workbench.training.pulse import Pulse


class Recorder:
    """Writes to the run folder, from the process that leads; the others wait where it takes long."""

    def __init__(self, job: Job, journal: Journal, pulse: Pulse, report: Report) -> None:
        self._job = job
        self._journal = journal
        self._pulse = pulse
        self._report = report
        self._losses: dict[str, float] = {}
        self._accuracy = job.watcher.best

    def begin(self, started: Started, clock: Clock) -> None:
        """The start: the untrained encoder and raw pixels as baselines, and a checkpoint of the first weights."""
        self._journal.tell(started)
        if self._job.fresh:
            clock.halt()
            if self._job.ranks.leads:
                self._job.watcher.look_at_pixels()
            self._look(Position(), last=False)
            self.save(Position())
            self._job.meter.forget_time()
            clock.go_on()
        self._journal.tell(Phase(phase="training"))

    def add(self, loss: Loss, norms: Mapping[str, Tensor]) -> None:
        """One step was taken."""
        parts = {f"loss/{name}": part for name, part in loss.parts.items()}
        batch = self._job.experiment.train.batch_size
        self._job.meter.add({"loss": loss.value.detach(), **parts, **norms}, images=batch)

    def point(self, position: Position, clock: Clock, rate: float, *, final: bool) -> None:
        """A point of the curves, where one is due: twice a second, at the end of an epoch, and as the `final` one."""
        job = self._job
        if not (final or job.meter.due() or position.step == job.feed.steps):
            return
        done, total = job.steps_done(position), job.total_steps
        values = job.meter.take(waited=job.feed.waited)
        self._losses = losses_of(values)
        progress = max(done / total, clock.fraction)
        load = device_load(job.device)
        if load is not None:
            values["load"] = load
        values |= {"learning_rate": rate, "memory": job.memory(), "progress": progress, "seconds": clock.seconds}
        kept = {name: value for name, value in values.items() if math.isfinite(value)}
        self._journal.tell(Scalars(step=done, epoch=done / job.feed.steps, values=kept))
        self._report(self._words(position), round(progress * total), total)

    def look_now(self, position: Position) -> None:
        """A snapshot and a probe that were asked for, between two epochs' ends."""
        self._look(position, asked=True)
        if self._job.ranks.leads:
            self._pulse.answered("snapshot")

    def settle(self, position: Position, *, last: bool, save: bool) -> None:
        """The end of an epoch, or of the run: its mean loss, a look and a checkpoint where they are due."""
        job = self._job
        if position.step == 0:
            done = job.steps_done(position)
            values = {"epoch_loss": job.meter.end_epoch()}
            self._journal.tell(Scalars(step=done, epoch=float(position.epoch), values=values))
        self._look(position, last=last)
        if last or save or position.epoch % job.experiment.watch.checkpoint_every == 0:
            self.save(position)

    def save(self, position: Position) -> None:
        """A checkpoint to resume from. Raises `TrainingError` in place of keeping weights that are not numbers."""
        job = self._job
        if not all(bool(torch.isfinite(weight).all()) for weight in job.method.parameters()):
            raise TrainingError(
                f"The weights are not finite numbers after step {job.steps_done(position):,}. They were not kept, and "
                "the last checkpoint is as it was.",
                hint=f"Lower train.learning_rate (now {job.experiment.train.learning_rate:g}) or set "
                "train.clip_gradient to 1; then start again.",
            )
        if job.ranks.leads:
            try:
                path = save_checkpoint(job.run, job.state(position))
            except OSError as error:
                raise disk_words(error, job.run) from error
            file = path.relative_to(job.run.path).as_posix()
            event = CheckpointSaved(epoch=position.epoch, step=job.steps_done(position), file=file)
            self._journal.tell(event, durable=True)
        job.ranks.wait()

    def pause(self, position: Position, clock: Clock) -> None:
        """Waits until the pause is withdrawn or a stop is asked, with a checkpoint in case it never is."""
        clock.halt()
        self.save(position)
        self._journal.tell(Phase(phase="paused"))
        while self._job.ranks.agree([self._pulse.pause and not self._pulse.stop], self._job.device)[0]:
            self._pulse.wait()
        self._journal.tell(Phase(phase="training"))
        self._job.meter.forget_time()
        clock.go_on()

    def _look(self, position: Position, *, last: bool = False, asked: bool = False) -> None:
        """A step within an epoch counts for the epoch that it is part of."""
        job = self._job
        epoch = position.epoch + (1 if position.step else 0)
        probe, snapshot = (True, True) if asked else job.watcher.due(epoch, last=last)
        if not (probe or snapshot):
            return
        if job.ranks.leads:
            seconds, better = job.watcher.look(
                job.method.encoder, epoch, probe=probe, snapshot=snapshot, losses=self._losses
            )
            job.meter.watched(seconds)
            if better:
                self._accuracy = job.watcher.best
                try:
                    save_best(job.run, {**job.state(position), "accuracy": self._accuracy})
                except OSError as error:
                    raise disk_words(error, job.run) from error
        job.ranks.wait()

    def _words(self, position: Position) -> str:
        epochs = self._job.experiment.train.epochs
        words = f"training · epoch {position.epoch + 1} of {epochs} · loss {self._losses['loss']:.4g}"
        return words if self._accuracy < 0 else f"{words} · kNN {self._accuracy:.1%}"
