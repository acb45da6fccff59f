"""One step: from raw pixels to a loss, to gradients, to new weights."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import Registry
from workbench.method.contract import Batch, Loss, Method, Progress
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
    clip: float

    def views(self, drawn: Drawn, epoch: int) -> Batch:
        """The batch that the method gets: views made and normalized on the device."""
        made = self.plan.make(drawn.pixels, seed=self.seed, epoch=epoch, ids=drawn.ids)
        roles = self.plan.roles
        ready = [self.normalization(view) for view in made]
        if self.device.type == "cuda":
            ready = [view.contiguous(memory_format=torch.channels_last) for view in ready]
        return Batch(
            views=tuple(view for view, role in zip(ready, roles, strict=True) if role == "global"),
            local_views=tuple(view for view, role in zip(ready, roles, strict=True) if role == "local"),
            indices=drawn.indices,
            labels=drawn.labels if self.uses_labels else None,
        )

    def forward(self, batch: Batch, progress: Progress) -> Loss:
        """The loss, in the precision that was asked for."""
        with autocast(self.device, self.precision):
            loss: Loss = self.wrapped(batch, progress)
        return loss

    def backward(self, loss: Loss) -> "Flag":
        """Gradients. Returns whether the loss was finite, which is known as soon as the forward pass is done."""
        flag = Flag(torch.isfinite(loss.value.detach()).all())
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss.value).backward()  # type: ignore[no-untyped-call]
        return flag

    def update(self, progress: Progress) -> dict[str, Tensor]:
        """New weights, and what follows from them (teachers, queues). Returns the gradient's norm if it is clipped."""
        norms = {}
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
    return Stepper(
        method=method,
        wrapped=wrapped,
        optimizer=build_optimizer(method, spec, learning_rate=learning_rate),
        scaler=torch.amp.GradScaler(device.type, enabled=precision == "float16"),
        plan=ViewPlan(experiment.views, registry.ops),
        normalization=normalization or nn.Identity(),
        device=device,
        precision=precision,
        seed=experiment.seed,
        uses_labels=registry.method(experiment.method.name).uses_labels,
        clip=spec.clip_gradient,
    )


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
