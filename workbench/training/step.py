"""One step: from raw pixels to a loss, to gradients, to new weights."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import Registry
from workbench.catalog.tasks import method_of
from workbench.method.contract import Batch, Loss, Method, Progress
from workbench.method.feeding import make_batch
from workbench.spec.experiment import Experiment
from workbench.training.devices import Precision, autocast, resolve_precision
from workbench.training.feed import Drawn
from workbench.training.optimizer import build_optimizer
from workbench.training.ranks import Ranks
from workbench.training.schedule import scaled_learning_rate


@dataclass(frozen=True, kw_only=True)
class Stepper:
    """What a step needs, the same for all steps. `wrapped` is the method, or it within DistributedDataParallel."""

    method: Method
    wrapped: nn.Module
    optimizer: Optimizer
    scaler: torch.amp.GradScaler
    plan: ViewPlan
    normalization: nn.Module
    device: torch.device
    precision: Precision
    seed: int
    uses_labels: bool
    uses_corners: bool
    uses_tuples: bool
    same_draw: bool
    clip: float
    parts: int

    def views(self, drawn: Drawn, epoch: int) -> Batch:
        """The batch that the method gets: views made and normalized on the device."""
        batch = self._made(drawn, epoch, corners=self.uses_corners)
        if not drawn.partners:
            return batch
        others = tuple(self._made(self._drawn_as(one, drawn), epoch).views for one in drawn.partners)
        return replace(batch, partner_views=others)

    def batches(self, drawn: Drawn, epoch: int) -> Iterator[Batch]:
        """The parts in which these images go through the network, each made when it is its turn."""
        for part in drawn.split(self.parts):
            yield self.views(part, epoch)

    def gradients(self, batches: Iterable[Batch], progress: Progress) -> tuple[Loss, "Flag"]:
        """Forward and backward pass of every part. Returns the mean loss, and whether it is a finite number.

        Each part's loss is divided by their number, so that the gradients add up to those of the whole batch, for
        a loss that is a mean over images. Several processes exchange gradients once, with the last part.
        """
        self.optimizer.zero_grad(set_to_none=True)
        losses = []
        for number, batch in enumerate(batches, start=1):
            with self._exchanging(last=number == self.parts):
                loss = self._forward(batch, progress)
                # Asked for before the backward pass, so that the answer is there when it is needed.
                finite = Flag(torch.isfinite(loss.value.detach()).all())
                self.scaler.scale(loss.value / self.parts).backward()
            losses.append(loss)
        if len(losses) == 1:
            return losses[0], finite
        mean = _mean(losses)
        return mean, Flag(torch.isfinite(mean.value).all())

    def _forward(self, batch: Batch, progress: Progress) -> Loss:
        """The loss, in the precision that was asked for."""
        with autocast(self.device, self.precision):
            loss: Loss = self.wrapped(batch, progress)
        return loss

    def _exchanging(self, *, last: bool) -> AbstractContextManager[object]:
        if isinstance(self.wrapped, DistributedDataParallel) and not last:
            return self.wrapped.no_sync()
        return nullcontext()

    def _drawn_as(self, partner: Drawn, first: Drawn) -> Drawn:
        """With the ids of a tuple's first images its others get the same draws: one crop for all frames, say."""
        return replace(partner, ids=first.ids) if self.same_draw else partner

    def _made(self, drawn: Drawn, epoch: int, *, corners: bool = False) -> Batch:
        return make_batch(
            self.plan,
            self.normalization,
            drawn.pixels,
            seed=self.seed,
            epoch=epoch,
            ids=drawn.ids,
            indices=drawn.indices,
            labels=drawn.labels if self.uses_labels else None,
            corners=corners,
        )

    def update(self, progress: Progress) -> dict[str, Tensor]:
        """New weights, and what follows from them (teachers, queues). Returns the gradient's norm if it is clipped."""
        norms = {}
        self.method.before_step(progress)
        if self.clip > 0:
            self.scaler.unscale_(self.optimizer)
            norms["gradient_norm"] = nn.utils.clip_grad_norm_(self.method.parameters(), self.clip).detach()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.method.after_step(progress)
        return norms


def make_stepper(
    experiment: Experiment,
    method: Method,
    *,
    device: torch.device,
    registry: Registry,
    normalization: nn.Module | None = None,
    ranks: Ranks | None = None,
) -> Stepper:
    """Moves the method to `device`, and puts its optimizer and views beside it. Without a normalization: none."""
    spec, ranks = experiment.train, ranks or Ranks()
    precision = resolve_precision(spec.precision, device)
    method.to(device)
    if device.type == "cuda":
        method.to(memory_format=torch.channels_last)
    wrapped: nn.Module = method
    if ranks.world > 1:
        if device.type == "cuda":
            method = nn.SyncBatchNorm.convert_sync_batchnorm(method)  # type: ignore[no-untyped-call]
        wrapped = DistributedDataParallel(method, device_ids=[ranks.local] if device.type == "cuda" else None)
    learning_rate = scaled_learning_rate(spec.learning_rate, spec.batch_size)
    info = method_of(experiment.method, registry)
    return Stepper(
        method=method,
        wrapped=wrapped,
        optimizer=build_optimizer(method, spec, learning_rate=learning_rate, steady=method.steady_parameters()),
        scaler=torch.amp.GradScaler(device.type, enabled=precision == "float16"),
        plan=ViewPlan(experiment.views, registry.ops),
        normalization=normalization or nn.Identity(),
        device=device,
        precision=precision,
        seed=experiment.seed,
        uses_labels=info.uses_labels,
        uses_corners=info.uses_corners,
        uses_tuples=info.uses_tuples,
        same_draw=info.same_draw,
        clip=spec.clip_gradient,
        parts=spec.accumulate,
    )


def _mean(losses: list[Loss]) -> Loss:
    def mean(values: list[Tensor]) -> Tensor:
        return torch.stack([value.detach().float() for value in values]).mean()

    parts = {name: mean([loss.parts[name] for loss in losses]) for name in losses[0].parts}
    return Loss(value=mean([loss.value for loss in losses]), parts=parts)


class Flag:
    """A truth on the device, on its way to the CPU.

    On a GPU the copy is queued right after the forward pass, so that waiting for it leaves the backward
    pass at work: the loss is checked before the optimizer's step without emptying the GPU's queue.
    """

    def __init__(self, value: Tensor) -> None:
        self._event: torch.cuda.Event | None = None
        if value.device.type == "cuda":
            self._value = torch.empty((), dtype=torch.bool, pin_memory=True)
            self._value.copy_(value, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record()
        else:
            self._value = value

    def __bool__(self) -> bool:
        if self._event is not None:
            self._event.synchronize()
        return bool(self._value)
