"""TiCo: agree with a slow teacher, and stay away from the directions that all images share."""

import itertools
from typing import Annotated

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, Symptom, detached
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.redundancy import moving_covariance, tico
from workbench.method.losses.spread import deviation
from workbench.method.momentum import Teacher, cosine_momentum
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class TiCoParams(Params, frozen=True, kw_only=True):
    """Parameters of TiCo."""

    contrast: Annotated[
        float, param("Weight (ρ) of the pressure away from directions that images share.", ge=0, le=1000)
    ] = 8.0
    covariance_momentum: Annotated[
        float, param("How slowly the covariance of the vectors (β) moves; nearer to 1 is slower.", ge=0, le=0.9999)
    ] = 0.9
    momentum: Annotated[
        float, param("How slowly the teacher follows at the start; nearer to 1 is slower.", ge=0, le=1)
    ] = 0.996
    final_momentum: Annotated[
        float, param("How slowly the teacher follows at the end; 1 holds it still.", ge=0, le=1, advanced=True)
    ] = 1.0
    hidden: Annotated[
        int, param("Width of the projector, the small network that only the loss sees.", ge=8, le=16_384, advanced=True)
    ] = 1024
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 256


class TiCo(Method):
    """Transformation invariance and covariance contrast, over all ordered pairs of views (Zhu et al. 2022)."""

    covariance: Tensor

    def __init__(self, encoder: Encoder, params: TiCoParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.hidden, params.dim)
        self.teacher = Teacher(nn.Sequential(encoder, self.projector))
        self.register_buffer("covariance", torch.zeros(params.dim, params.dim))
        self.params = params
        self._newest: Tensor | None = None  # the covariance with this step's vectors, kept once the step is done.

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Each view against the teacher's vectors of the others, and against the covariance with this batch in it."""
        del progress
        z = [gather(self.projector(self.encoder(view))) for view in batch.views]
        targets = [gather(self.teacher(view)) for view in batch.views]
        self._newest = moving_covariance(torch.cat(z), self.covariance, momentum=self.params.covariance_momentum)
        pairs = itertools.permutations(range(len(z)), 2)
        terms = torch.stack([torch.stack(tico(z[a], targets[b], self._newest)) for a, b in pairs]).mean(dim=0)
        invariance, contrast = terms[0], self.params.contrast * terms[1]
        return Loss(
            value=invariance + contrast,
            parts=detached(invariance=invariance, contrast=contrast, spread=deviation(z[0])),
        )

    def after_step(self, progress: Progress) -> None:
        """The teacher follows, ever more slowly, and the covariance takes this step in."""
        momentum = cosine_momentum(self.params.momentum, self.params.final_momentum, progress.fraction)
        self.teacher.follow(nn.Sequential(self.encoder, self.projector), momentum)
        if self._newest is not None:
            self.covariance.copy_(self._newest)
            self._newest = None


def _one_direction(value: float, params: TiCoParams, setting: Setting) -> bool:
    del setting
    return params.contrast > 0 and value > 0.95 * params.contrast


METHOD = MethodInfo(
    name="tico",
    title="TiCo",
    family="redundancy reduction",
    paper="arXiv:2206.10698",
    year=2022,
    summary="Agrees with a slow copy of itself, and keeps away from directions in which all images lie.",
    explanation="Two altered copies of an image go to a network and to its own running average, and their vectors "
    "shall be the same. What keeps all images from one vector is a memory of which directions the vectors of the last "
    "batches took (their covariance): a vector that lies where most others lie costs more. That works like comparing "
    "with a long queue of past images, for the memory of one small matrix.",
    when="For small batches where MoCo would be the choice: it needs no queue, and the covariance of past batches "
    "stands in for the other images. A second network is kept in memory.",
    collapse="'contrast' goes to its weight ρ (8 with the defaults) and 'invariance' to 0 when all vectors are the "
    "same; ρ / dim, 0.03, is the least that it can be. Raise ρ if 'contrast' grows.",
    params=TiCoParams,
    build=TiCo,
    tags=("small batches", "momentum teacher", "no negatives"),
    min_batch=2,
    no_accumulation="TiCo takes the covariance of the whole batch: parts of it do not add up to the whole.",
    global_views=2,
    preset="byol",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.3,
        weight_decay=1e-4,
        warmup=10.0,
        source="lightly's Imagenette benchmark, ResNet-18: SGD 0.3 per 256, ρ 8, β 0.9, projector 1024-256, "
        "momentum 0.996 to 1 (kNN 85.6 %)",
    ),
    symptoms=(
        Symptom(
            part="contrast",
            is_sick=_one_direction,
            title="All images get the same vector",
            text="The second term is near its weight ρ, where it stands when all vectors point the same way. "
            "Raise its weight (contrast), or lower the learning rate.",
        ),
    ),
)
