"""The trainer: takes a run folder, and trains it in this process until it is finished, stopped or failed.

The loop is `_loop`, in plain sight. Everything that a reader of the run sees goes through the journal;
everything that a user asks comes through the pulse.
"""

import contextlib
import os
import socket
import traceback

from workbench.catalog.registry import Registry, load_registry
from workbench.runs import control
from workbench.runs.events import Derived, Failure, Phase, PhaseName, Started, read_events
from workbench.runs.folder import RunFolder
from workbench.runs.state import RunState, fold
from workbench.spec.errors import Cancelled, RunError, TrainingError, UsageError, WorkbenchError
from workbench.spec.progress import Report, ignore
from workbench.training.checkpoint import Position, is_last_whole
from workbench.training.clock import Clock
from workbench.training.devices import peak_memory
from workbench.training.job import Job, make_ready
from workbench.training.journal import Journal, disk_words
from workbench.training.memory import is_out_of_memory, memory_in_words, out_of_memory_words
from workbench.training.optimizer import set_rates
from workbench.training.pulse import Pulse
from workbench.training.ranks import join_ranks, leave_ranks
from workbench.training.record import Recorder
from workbench.training.schedule import learning_rate, weight_decay


def train(run: RunFolder, *, report: Report = ignore, registry: Registry | None = None) -> RunState:
    """Trains a run, or goes on with it, in this process. Returns its state: finished or stopped.

    Requests in its control folder pause and stop it; SIGTERM, Ctrl+C, or `Cancelled` raised by `report`
    stop it after the step, with a checkpoint. On the CPU a run that was stopped or killed and then
    resumed gives exactly the weights and the epoch losses of one that was not; on a GPU only nearly so,
    and not at all with a time limit (`train.max_minutes`), where the schedule depends on the clock.

    What ends a run is written to its events before it is raised: `TrainingError` for a loss that is not
    finite or too little memory, other `WorkbenchError`s for what they say.
    """
    ranks = join_ranks()
    try:
        if ranks.leads:
            check_free(run)
        with Pulse(run, active=ranks.leads) as pulse, Journal(run, active=ranks.leads) as journal:
            try:
                journal.tell(Phase(phase="preparing"))
                heard = pulse.hearing(report)
                job = make_ready(
                    run, ranks=ranks, registry=registry or load_registry(), journal=journal, pulse=pulse, report=heard
                )
                phase = _loop(job, Recorder(job, journal, pulse, heard), pulse, heard)
                journal.tell(Derived(values={"peak_memory_mb": peak_memory(job.device) // 2**20}))
            except (Cancelled, KeyboardInterrupt):
                phase = "stopped"  # While reading images, or by a second Ctrl+C: without a new checkpoint.
            except Exception as error:
                raise _failed(error, run, journal) from error
            journal.tell(Phase(phase=phase), durable=True)
            if ranks.leads:
                pulse.answered("stop")
    except OSError as error:  # The first sign of life may find the disk full.
        raise disk_words(error, run) from error
    finally:
        leave_ranks(ranks)
    return fold(read_events(run.events_file))


def _loop(job: Job, record: Recorder, pulse: Pulse, report: Report) -> PhaseName:
    """Every step of the run, from where it stands. Returns the phase that it ends in."""
    spec, stepper, steps = job.experiment.train, job.stepper, job.feed.steps
    clock, position = Clock(job.start.seconds, limit=60 * spec.max_minutes), job.start
    record.begin(_started(job), clock)
    job.method.train()
    for epoch in range(position.epoch, 0 if clock.is_up else spec.epochs):
        stop = over = False
        begun = job.progress(position, clock)
        if position.step == 0:
            job.before_epoch(begun, report)
        for drawn in job.feed.epoch(epoch, start=position.step, tuples=job.tuples(begun)):
            progress = job.progress(position, clock)
            rate = learning_rate(
                progress.step,
                total=progress.total_steps,
                base=job.learning_rate,
                warmup=spec.warmup * steps,
                shape=spec.schedule,
            )
            decay = weight_decay(
                progress.step, total=progress.total_steps, base=spec.weight_decay, factor=spec.weight_decay_factor
            )
            set_rates(stepper.optimizer, rate, decay)
            with memory_in_words(stepper, drawn, progress):
                loss, finite = stepper.gradients(stepper.batches(drawn, epoch), progress)
                # One exchange a step: all processes do the same, whoever was asked or hit a wall.
                asked = [not finite, pulse.stop, clock.is_up, pulse.pause, pulse.snapshot]
                bad, stop, over, pause, snapshot = job.ranks.agree(asked, job.device)
                if bad:
                    raise _not_finite(job, epoch, drawn.step, rate)
                norms = stepper.update(progress)

            record.add(loss, norms)
            position = Position(epoch=epoch, step=drawn.step + 1, seconds=clock.seconds)
            record.point(position, clock, rate, final=stop or over)
            if snapshot:
                record.look_now(position)
            if pause and not stop:
                record.pause(position, clock)
            if stop or over:
                break

        whole = position.step == steps
        if whole:
            position = Position(epoch=epoch + 1, seconds=clock.seconds)
        last = over or position.epoch == spec.epochs
        if whole or last:
            record.settle(position, last=last, save=stop)
        elif stop:
            record.save(position)
        if last or stop:
            return "finished" if last else "stopped"
    return "finished"


def check_free(run: RunFolder) -> None:
    """Raises where nobody may train this run now: somebody does, or it is finished (and its weights are whole)."""
    sign = control.heartbeat(run)
    if sign is not None and control.is_elsewhere(run):
        raise RunError(
            f"The run {run.name} is being trained by process {sign.pid} on {sign.host}.",
            hint=f"`workbench stop {run.name}` stops it.",
        )
    if fold(read_events(run.events_file)).phase == "finished" and is_last_whole(run):
        raise UsageError(
            f"The run {run.name} has finished: there is nothing to resume.", hint="Start a new run with more epochs."
        )


def _started(job: Job) -> Started:
    return Started(
        pid=os.getpid(),
        host=socket.gethostname(),
        device=str(job.device),
        epoch=job.start.epoch,
        step=job.steps_done(job.start),
        total_epochs=job.experiment.train.epochs,
        steps_per_epoch=job.feed.steps,
        train_images=len(job.data.train_rows),
        test_images=len(job.data.test_rows),
    )


def _not_finite(job: Job, epoch: int, step: int, rate: float) -> TrainingError:
    advice = f"Lower train.learning_rate (now {job.experiment.train.learning_rate:g}; a third of it is worth a try)"
    if job.stepper.precision != "float32":
        advice += " or set train.precision to float32"
    return TrainingError(
        f"The loss is not a finite number in epoch {epoch + 1}, step {step + 1}, at a learning rate of {rate:.3g}. "
        "The step was not taken, and the last checkpoint is as it was.",
        hint=f"{advice}; then start again.",
    )


def _failed(error: Exception, run: RunFolder, journal: Journal) -> WorkbenchError:
    """The error in words, after it was written to the run (where that is still possible)."""
    if isinstance(error, WorkbenchError):
        words = error
    elif is_out_of_memory(error):
        words = out_of_memory_words(batch_size=run.experiment().train.batch_size, fits=0)
    elif isinstance(error, OSError):
        words = disk_words(error, run)
    else:
        words = TrainingError(
            f"Training ended with a fault: {type(error).__name__}: {error}",
            hint="The details tell where; the run can be resumed from its last checkpoint.",
        )
    with contextlib.suppress(WorkbenchError):
        journal.tell(Failure(message=words.message, hint=words.hint, details=traceback.format_exc()))
        journal.tell(Phase(phase="failed"), durable=True)
    return words
