"""SwAV: which prototype an image belongs to is predicted from its other views; the batch uses all prototypes evenly."""

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, Symptom, detached
from workbench.method.crops import by_size
from workbench.method.gather import gather, own_rows
from workbench.method.heads import fitting_width, mlp
from workbench.method.losses.clustering import swapped_prediction
from workbench.method.losses.spread import deviation
from workbench.method.memory import Queue
from workbench.method.prototypes import Prototypes, clusters_used, doubt, fitting_count
from workbench.method.sinkhorn import sinkhorn
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class SwAVParams(Params, frozen=True, kw_only=True):
    """Parameters of SwAV."""

    prototypes: Annotated[
        int,
        param(
            "Prototypes that images are sorted to; at most one for ten training images.",
            ge=2,
            le=65_536,
            logarithmic=True,
        ),
    ] = 512
    temperature: Annotated[
        float, param("How sharp predictions are; lower is sharper.", ge=0.01, le=5, logarithmic=True)
    ] = 0.1
    sinkhorn: Annotated[
        bool, param("Let each batch use all prototypes evenly. Without it everything ends up at a few of them.")
    ] = True
    epsilon: Annotated[
        float,
        param("How soft the assignments are that views must predict.", ge=0.01, le=1, logarithmic=True, advanced=True),
    ] = 0.05
    iterations: Annotated[
        int, param("Rounds in which the assignments are evened out.", ge=1, le=100, advanced=True)
    ] = 3
    queue: Annotated[
        int,
        param(
            "Vectors of past views that are evened out together with a batch that has fewer images than there are "
            "prototypes; at most half of the training images, 0 for none.",
            ge=0,
            le=1_048_576,
            unit="vectors",
            advanced=True,
        ),
    ] = 3840
    queue_from: Annotated[
        int, param("Whole epochs after which the queue is used.", ge=0, le=10_000, unit="epochs", advanced=True)
    ] = 15
    frozen_epochs: Annotated[
        int, param("Epochs at the start in which the prototypes stay.", ge=0, le=10_000, unit="epochs", advanced=True)
    ] = 1
    hidden: Annotated[
        int,
        param(
            "Width of the projector, which only the loss sees; at most eight times the encoder's features.",
            ge=8,
            le=16_384,
            advanced=True,
        ),
    ] = 2048
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


class SwAV(Method):
    """Swapped prediction of Sinkhorn assignments, with multi-crop (Caron et al. 2020, eq. 1 to 6, sec. 3.2).

    The assignments are those of the whole batch of all processes. Local views predict those of global ones, and are
    not assigned. One queue holds the vectors of all global views, where the authors' code has one for each of two.
    """

    queued: Tensor

    def __init__(self, encoder: Encoder, params: SwAVParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = mlp(encoder.dim, fitting_width(params.hidden, encoder.dim), params.dim)
        self.prototypes = Prototypes(fitting_count(params.prototypes, setting.train_images), params.dim)
        size = min(params.queue, setting.train_images // 2)
        self.queue = Queue(size, params.dim) if size else None
        self.register_buffer("queued", torch.zeros((), dtype=torch.long))
        self.params = params
        self._fresh: list[Tensor] = []  # this step's vectors, which enter the queue once the step is done.

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Each global view's assignment, predicted from every other view."""
        count = len(batch.views)
        z = by_size(self._vectors, (*batch.views, *batch.local_views))
        scores = [self.prototypes(one) for one in z]
        every = [gather(one.detach()) for one in z[:count]]
        past = self._past(progress)
        assigned = [self._assign(one, past) for one in every]
        targets = [own_rows(one, len(batch.indices)) for one in assigned]
        value = swapped_prediction(scores, targets, temperature=self.params.temperature)
        self._fresh += every
        predicted = torch.softmax(self.prototypes(every[0]).detach() / self.params.temperature, dim=1)
        parts = {
            "prototypes_used": clusters_used(predicted),
            "doubt": doubt(assigned[0]),
            "spread": deviation(every[0]),
        }
        return Loss(value=value, parts=detached(**parts))

    def _vectors(self, view: Tensor) -> Tensor:
        return F.normalize(self.projector(self.encoder(view)).float())

    @torch.no_grad()
    def _assign(self, z: Tensor, past: Tensor) -> Tensor:
        """(B, K): the assignments of a view of all processes' images, evened out together with those of `past`."""
        scores = self.prototypes(torch.cat((z, past)))
        if not self.params.sinkhorn:
            return torch.softmax(scores[: len(z)] / self.params.epsilon, dim=1)
        q = sinkhorn(scores, epsilon=self.params.epsilon, iterations=self.params.iterations)
        return q[: len(z)]

    def _past(self, progress: Progress) -> Tensor:
        """What the queue adds: nothing before its epoch, or before it is full."""
        vectors = self.prototypes.weight.new_empty(0, self.params.dim)
        if self.queue is None or progress.epoch < self.params.queue_from:
            return vectors
        return self.queue.vectors.clone() if self.queued >= len(self.queue.vectors) else vectors

    def before_step(self, progress: Progress) -> None:
        """In the first epochs the prototypes keep still."""
        if progress.epoch < self.params.frozen_epochs:
            self.prototypes.freeze()

    def after_step(self, progress: Progress) -> None:
        """The prototypes return to the sphere, and this step's vectors enter the queue."""
        del progress
        self.prototypes.project()
        if self.queue is not None and self._fresh:
            fresh = torch.cat(self._fresh)
            self.queue.push(fresh)
            self.queued += len(fresh)
        self._fresh.clear()


def _chance(params: SwAVParams, setting: Setting) -> float:
    return math.log(fitting_count(params.prototypes, setting.train_images))


def _few(value: float, params: SwAVParams, setting: Setting) -> bool:
    return value < max(1.5, 0.01 * fitting_count(params.prototypes, setting.train_images))


def _is_all_doubt(value: float, params: SwAVParams, setting: Setting) -> bool:
    del params, setting
    return value > 0.995


METHOD = MethodInfo(
    name="swav",
    title="SwAV",
    family="clustering",
    paper="arXiv:2006.09882",
    year=2020,
    summary="Predicts from one view which prototype another view of the same image was sorted to.",
    explanation="A few hundred prototypes, learned along the way, stand for kinds of images. Each view is sorted to "
    "the prototypes it resembles, and every other view of the same image must foretell where. So that not everything "
    "is sorted to one prototype, each batch is shared out evenly among all of them (Sinkhorn's method). Small extra "
    "crops of little cost, the local views, must foretell the place of the large ones, and so learn how parts belong "
    "to a whole.",
    when="Where images fall into many kinds of about equal size, and with multi-crop, which makes the most of every "
    "image. Batches of 256 and more suit it; a smaller one needs the queue. Needs no second network.",
    collapse="The loss stays at ln(prototypes) where all assignments are the same: 6.24 for 512. Without the even "
    "sharing (sinkhorn off) the loss falls to 0 instead, while 'prototypes used' falls to 1.",
    params=SwAVParams,
    build=SwAV,
    tags=("multi-crop", "no negatives"),
    min_batch=2,
    no_accumulation="SwAV shares a whole batch out evenly among its prototypes: parts of it do not add up to that.",
    global_views=2,
    local_views=True,
    preset="swav",
    recipe=Recipe(
        optimizer="lars",
        learning_rate=0.6,
        weight_decay=1e-6,
        warmup=10,
        short_rate=2e-3,
        source="solo-learn's CIFAR-10, ResNet-18: LARS 0.6 per 256, weight decay 1e-6, projector 2048-128, T 0.1, "
        "queue 3840, warm-up of 10 epochs (89.2 %); 512 prototypes in place of 3,000, for smaller sets",
    ),
    chance_loss=_chance,
    symptoms=(
        Symptom(
            part="prototypes_used",
            is_sick=_few,
            title="Nearly all images at one prototype",
            text="The prototypes are not shared out, so that saying 'the same as always' is always right. Switch "
            "sinkhorn on; if it is, raise epsilon or lower the learning rate.",
        ),
        Symptom(
            part="doubt",
            is_sick=_is_all_doubt,
            title="All assignments are the same",
            text="Every image is sorted to all prototypes alike, as no image differs from another in the encoder's "
            "eyes. Lower the learning rate, or take fewer prototypes.",
        ),
    ),
)
