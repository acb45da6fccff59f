"""What a method is: heads, targets and a loss around an encoder. No data, optimizer, logging or device.

A plugin file declares `Params`, a class, and one record:

    METHOD = MethodInfo(name="simclr", ..., params=Params, build=SimCLR)

The order of a step: `loss` (once, or once per part of the batch where gradients are accumulated), the backward
pass, `before_step`, the optimizer, `after_step`. Before the first step of an epoch comes `before_epoch`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.exam import Answers
from workbench.method.exhibit import Panel
from workbench.method.frames import Frames
from workbench.spec.catalog import Family, MethodCard, Recipe
from workbench.spec.params import Params, describe

P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One step's input. B images; every view is (B, C, h, w), normalized, on the training device.

    views: the global views, in the order of the plan; local_views: those of multi-crop.
    indices: (B,) int64, the images' rows among all training images. labels: (B,) int64 class numbers,
    -1 where unknown, given only to a method that declares `uses_labels`. corners, one per global view, given only
    to a method that declares `uses_corners`: (B, 4, 2) float32, (x, y) of the view's corners on the stored image in
    [0, 1], the top left one first, then clockwise (so a flip shows). partner_views: where `Method.tuples` named some,
    for each of the other images of a tuple its global views, in the same order.
    """

    views: tuple[Tensor, ...]
    local_views: tuple[Tensor, ...] = ()
    indices: Tensor
    labels: Tensor | None = None
    corners: tuple[Tensor, ...] = ()
    partner_views: tuple[tuple[Tensor, ...], ...] = ()


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
    """What a method may know of the run that it is built for.

    frames: what is known of the training images as frames of films, given only to a method that `uses_frames`.
    mean, std: what was taken out of every view, per channel, or one number for all; as they are here, nothing was.
    """

    train_images: int
    classes: int
    batch_size: int
    image_size: int
    channels: int
    frames: Frames | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


EncodeAll = Callable[[nn.Module], Tensor]
"""Runs a network over every training image (whole, normalized, in eval mode, without gradients): (N, d) float32 on the
training device, row i of training image i (as in `Batch.indices`), the same in every process."""


class Method(nn.Module, ABC):
    """Base of all methods. Subclasses hold `self.encoder`, and everything else that trains.

    What must survive a resume (queues, teachers, centers) is a sub-module or a registered buffer. What is drawn at
    random within a step comes from `drawing(progress)`, so that every process draws the same, and a resume too.
    """

    encoder: Encoder

    @abstractmethod
    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The loss of one batch, or of one part of it, in float32."""

    def before_epoch(self, encode: EncodeAll, progress: Progress) -> None:
        """Called before the first step of an epoch: targets that need all images (clusters, neighbors)."""

    def tuples(self, indices: Tensor, progress: Progress) -> Tensor | None:
        """For each image of a batch the images that it wants to see together; asked where `uses_tuples`.

        indices: (B,) int64 on the CPU, as in `Batch.indices`; so is the answer, (B, T). The views of its first column
        are `Batch.views` (mostly it is the image itself), those of the others `Batch.partner_views`. None: every
        image alone, in this epoch. Batches are gathered ahead, in a thread: the answer may depend on nothing but what
        `before_epoch` has left, the indices, and `progress`, which is that of the epoch's first step here.
        """

    def assign(self, features: Tensor) -> Tensor | None:
        """The clusters (B,) int64 of images, from the encoder's features (B, dim); None where it makes no clusters.

        Each probe compares them with the labels, where there are some.
        """

    def before_step(self, progress: Progress) -> None:
        """Called between the backward pass and the optimizer's step: gradients may be withheld."""

    def after_step(self, progress: Progress) -> None:
        """Called after the optimizer's step: momentum teachers, queues, centers."""

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """What its task looks like, for a few images: pictures of what goes in, what is asked and what it answers.

        Asked in eval mode, without gradients, of a method whose record says `exhibits`; it must change nothing, and
        give the same pictures of the same batch whatever the step, so that answers can be compared over a run. Only
        one of several processes is asked, perhaps before the first epoch has begun. Where it `uses_tuples`, the other
        images of a tuple are others that are shown, as there may be no training images to take them from.
        """
        del batch, progress
        return ()

    def exam(self, batch: Batch, progress: Progress) -> tuple[Answers, ...]:
        """Its own questions about held-out images, and how many it answers right: one entry per task; () has none.

        Asked at each probe, in eval mode and without gradients, of one process alone (so it may not `gather`); it must
        change nothing. `Batch.indices` count the held-out images here, which come alone, or as `exam_tuples` says
        where it `uses_frames`. The batches and `progress` (whose step counts
        them) are the same at every probe, so that the questions are too, where they are drawn by `drawing(progress)`.
        """
        del batch, progress
        return ()

    def exam_tuples(self, frames: Frames) -> Tensor:
        """The questions of an exam about held-out frames: (Q, T) int64 rows of them; asked where `uses_frames`."""
        return torch.arange(len(frames))[:, None]

    def steady_parameters(self) -> Iterable[nn.Parameter]:
        """Parameters that keep the full learning rate all through the run, whatever the schedule does."""
        return ()

    def forward(self, batch: Batch, progress: Progress) -> Loss:
        """The same as `loss`, so that DistributedDataParallel sees the call."""
        return self.loss(batch, progress)


@dataclass(frozen=True, kw_only=True)
class Symptom(Generic[P]):
    """A value that tells what went wrong: of the loss (part ""), or of one of `Loss.parts`.

    `is_sick` judges its mean over the last steps; what it tells must not be true of a method that has just begun,
    as it is asked from the first probe on. title and text are for a person: what happened, and what to do.
    """

    part: str
    is_sick: Callable[[float, P, Setting], bool]
    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class MethodInfo(Generic[P]):
    """A method as a plugin declares it. `chance_loss` is the loss where nothing is learned, if known.

    Without `local_views` an experiment that makes some is refused: they would cost time and change nothing.
    first_choice: robust enough to be tried first by somebody who knows none of them.
    needs: what the backbone must provide beyond features ("maps", "tokens"). needs_color: it makes nothing of images
    that are not red, green and blue. starts_from_run: its encoder comes from a finished run. exhibits: its `exhibit`
    shows its task. beside_only: it leads nowhere alone. no_accumulation: why the gradients of parts of a batch do not
    add up to those of the batch, where they do not; a sentence. uses_tuples: its `tuples` names images that come
    together; with `same_draw` the views of a tuple are all made by the draws of its first image. uses_frames: it
    learns from films, and knows of `Setting.frames`. symptoms: how to tell that it has collapsed. precautions: of a
    puzzle, what its parameters can still do against shortcuts, each in words (`method.precautions`).
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
    first_choice: bool = False
    uses_labels: bool = False
    min_batch: int = 2
    global_views: int = 2
    local_views: bool = False
    uses_corners: bool = False
    uses_tuples: bool = False
    same_draw: bool = False
    uses_frames: bool = False
    needs: tuple[str, ...] = ()
    needs_color: bool = False
    starts_from_run: bool = False
    exhibits: bool = False
    beside_only: bool = False
    no_accumulation: str = ""
    preset: str = "simclr"
    recipe: Recipe = field(default_factory=Recipe)
    chance_loss: Callable[[P, Setting], float] | None = None
    symptoms: tuple[Symptom[P], ...] = ()
    precautions: Callable[[P, Setting], tuple[str, ...]] | None = None

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
            first_choice=self.first_choice,
            uses_labels=self.uses_labels,
            min_batch=self.min_batch,
            global_views=self.global_views,
            local_views=self.local_views,
            needs=self.needs,
            needs_color=self.needs_color,
            starts_from_run=self.starts_from_run,
            uses_frames=self.uses_frames,
            exhibits=self.exhibits,
            beside_only=self.beside_only,
            no_accumulation=self.no_accumulation,
            preset=self.preset,
            recipe=self.recipe,
            params=describe(self.params),
        )


def drawing(progress: Progress) -> torch.Generator:
    """A generator on the CPU for what a method draws in this step: the same in every process, and after a resume."""
    return torch.Generator().manual_seed(progress.step)


def detached(**parts: Tensor) -> dict[str, Tensor]:
    """Parts of a loss, cut from the graph."""
    return {name: torch.as_tensor(part).detach().float() for name, part in parts.items()}
