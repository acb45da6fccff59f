"""What a method is: heads, targets and a loss around an encoder. No data, optimizer, logging or device.

A plugin file declares `Params`, a class, and one record:

    METHOD = MethodInfo(name="simclr", ..., params=Params, build=SimCLR)
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.spec.catalog import Family, MethodCard, Recipe
from workbench.spec.params import Params, describe

P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One step's input. B images; every view is (B, C, h, w), normalized, on the training device.

    views: the global views, in the order of the plan; local_views: those of multi-crop.
    indices: (B,) int64, the images' rows among all training images. labels: (B,) int64 class numbers,
    -1 where unknown, given only to a method that declares `uses_labels`.
    """

    views: tuple[Tensor, ...]
    local_views: tuple[Tensor, ...] = ()
    indices: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where training stands. `step` counts from 0 over all epochs."""

    step: int
    total_steps: int
    epoch: int
    total_epochs: int

    @property
    def fraction(self) -> float:
        """From 0 at the first step to 1 at the end."""
        return self.step / max(1, self.total_steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """value: the scalar to minimize. parts: named scalars to plot, detached."""

    value: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a method may know of the run that it is built for."""

    train_images: int
    classes: int
    batch_size: int
    image_size: int
    channels: int


class Method(nn.Module, ABC):
    """Base of all methods. Subclasses hold `self.encoder`, and everything else that trains.

    What must survive a resume (queues, teachers, centers) is a sub-module or a registered buffer.
    """

    encoder: Encoder

    @abstractmethod
    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The loss of one batch, in float32."""

    def after_step(self, progress: Progress) -> None:
        """Called after the optimizer's step: momentum teachers, queues, centers."""

    def forward(self, batch: Batch, progress: Progress) -> Loss:
        """The same as `loss`, so that DistributedDataParallel sees the call."""
        return self.loss(batch, progress)


@dataclass(frozen=True, kw_only=True)
class MethodInfo(Generic[P]):
    """A method as a plugin declares it. `chance_loss` is the loss where nothing is learned, if known.

    Without `local_views` an experiment that makes some is refused: they would cost time and change nothing.
    """

    name: str
    title: str
    family: Family
    paper: str
    year: int
    summary: str
    explanation: str
    when: str
    collapse: str
    params: type[P]
    build: Callable[[Encoder, P, Setting], Method]
    tags: tuple[str, ...] = ()
    uses_labels: bool = False
    min_batch: int = 2
    global_views: int = 2
    local_views: bool = False
    preset: str = "simclr"
    recipe: Recipe = field(default_factory=Recipe)
    chance_loss: Callable[[P, Setting], float] | None = None

    def card(self) -> MethodCard:
        """This method as plain data."""
        return MethodCard(
            name=self.name,
            title=self.title,
            family=self.family,
            paper=self.paper,
            year=self.year,
            summary=self.summary,
            explanation=self.explanation,
            when=self.when,
            collapse=self.collapse,
            tags=self.tags,
            uses_labels=self.uses_labels,
            min_batch=self.min_batch,
            global_views=self.global_views,
            local_views=self.local_views,
            preset=self.preset,
            recipe=self.recipe,
            params=describe(self.params),
        )


def detached(**parts: Tensor) -> dict[str, Tensor]:
    """Parts of a loss, cut from the graph."""
    return {name: torch.as_tensor(part).detach().float() for name, part in parts.items()}
