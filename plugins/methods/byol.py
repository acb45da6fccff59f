"""BYOL: predict what a slow copy of oneself sees in another view. No negatives."""

import itertools
from typing import Annotated

import torch
from torch import nn

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.heads import mlp
from workbench.method.losses.distillation import byol
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.method.momentum import Teacher, cosine_momentum
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class BYOLParams(Params, frozen=True, kw_only=True):
    """Parameters of BYOL."""

    momentum: Annotated[
        float, param("How slowly the teacher follows at the start; nearer to 1 is slower.", ge=0, le=1)
    ] = 0.99
    final_momentum: Annotated[
        float, param("How slowly the teacher follows at the end; 1 holds it still.", ge=0, le=1, advanced=True)
    ] = 1.0
    hidden: Annotated[int, param("Width of the projector and of the predictor.", ge=8, le=16_384, advanced=True)] = 1024
    dim: Annotated[int, param("Entries of the vectors that are predicted.", ge=2, le=16_384, advanced=True)] = 256
    predictor: Annotated[
        bool,
        param("Predict with a network of its own. Without it everything collapses: an experiment.", advanced=True),
    ] = True
    batch_norm: Annotated[
        bool,
        param(
            "Batch norm in the projector and the predictor. Without it training is less stable: an experiment.",
            advanced=True,
        ),
    ] = True


class BYOL(Method):
    """Mean squared error of unit vectors, over all ordered pairs of views (Grill et al. 2020, eq. 2).

    Its two switches are published ablations: the predictor (Grill et al. 2020, table 5b), and batch norm in the heads
    (Richemond et al. 2020, arXiv:2010.10241, where the encoder's is taken out as well).
    """

    def __init__(self, encoder: Encoder, params: BYOLParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        norm = params.batch_norm
        self.projector = mlp(encoder.dim, params.hidden, params.dim, norm=norm)
        predictor = mlp(params.dim, params.hidden, params.dim, norm=norm)
        self.predictor = predictor if params.predictor else nn.Identity()
        self.teacher = Teacher(nn.Sequential(encoder, self.projector))
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Each view's prediction against the teacher's vectors of the other views."""
        del progress
        z = [self.projector(self.encoder(view)) for view in batch.views]
        p = [self.predictor(one) for one in z]
        targets = [self.teacher(view) for view in batch.views]
        pairs = list(itertools.permutations(range(len(p)), 2))
        value = torch.stack([byol(p[a], targets[b]) for a, b in pairs]).mean()
        return Loss(value=value, parts=detached(spread=deviation(z[0]), other_images=mean_cosine(z[0])))

    def after_step(self, progress: Progress) -> None:
        """The teacher follows, ever more slowly."""
        momentum = cosine_momentum(self.params.momentum, self.params.final_momentum, progress.fraction)
        self.teacher.follow(nn.Sequential(self.encoder, self.projector), momentum)


def _chance(params: BYOLParams, setting: Setting) -> float:
    del params, setting
    return 2.0


METHOD = MethodInfo(
    name="byol",
    title="BYOL",
    family="distillation",
    paper="arXiv:2006.07733",
    year=2020,
    summary="A student predicts what its own slow-moving copy sees in another view of the same image.",
    explanation="Two altered copies of an image go to two networks: a student, and a teacher that is the student's "
    "own running average. The student has a small extra network (the predictor) and must foretell the teacher's "
    "vector of the other copy. No image is ever pushed away from another, so images that are alike may stay "
    "together, and the size of the batch matters little.",
    when="For data where many images resemble each other (scans, tiles, frames), and for small batches. In long runs "
    "often the most accurate of the simple methods; in the first epochs SimCLR and DCL are ahead. Costs a second "
    "network in memory.",
    collapse="A constant output would reach 0, so a low loss alone proves nothing: look at 'spread', the deviation of "
    "the vectors, which is near 1 when healthy and near 0 when everything collapsed. A loss that stays at 2 means "
    "that nothing is being predicted.",
    params=BYOLParams,
    build=BYOL,
    tags=("small batches", "momentum teacher", "no negatives"),
    min_batch=2,
    global_views=2,
    preset="byol",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.12,
        weight_decay=5e-4,
        short_rate=2e-3,
        source="lightly's CIFAR-10 benchmark, ResNet-18: SGD 0.06 per 128, projector and predictor 1024-256; "
        "momentum 0.99 to 1 as in solo-learn",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Switch the predictor on if it is off; otherwise lower the learning rate."),),
)
