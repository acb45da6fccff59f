"""SimSiam: BYOL without the teacher. A predictor and a stopped gradient are enough."""

import itertools
from collections.abc import Iterable
from typing import Annotated

import torch
from torch import nn

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.heads import mlp
from workbench.method.losses.distillation import negative_cosine
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class SimSiamParams(Params, frozen=True, kw_only=True):
    """Parameters of SimSiam."""

    dim: Annotated[
        int, param("Width of the projector and entries of the vectors that are predicted.", ge=2, le=16_384)
    ] = 2048
    bottleneck: Annotated[
        int, param("Width of the predictor's middle; narrower than the vectors.", ge=1, le=16_384)
    ] = 512
    layers: Annotated[
        int, param("Layers of the projector: 2 for small images, 3 for large sets.", ge=1, le=5, advanced=True)
    ] = 2
    stop_gradient: Annotated[
        bool,
        param("Let only the side that predicts learn. Without it everything collapses: an experiment.", advanced=True),
    ] = True


class SimSiam(Method):
    """Negative cosine of prediction and projection, symmetric, gradient stopped (Chen & He 2021, eq. 4).

    Its switch is the paper's ablation (section 4.1).
    """

    def __init__(self, encoder: Encoder, params: SimSiamParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.dim, params.dim, layers=params.layers, last_norm=True)
        self.predictor = mlp(params.dim, params.bottleneck, params.dim)
        self.stop_gradient = params.stop_gradient

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Each view's prediction against the projections of the other views."""
        del progress
        z = [self.projector(self.encoder(view)) for view in batch.views]
        p = [self.predictor(one) for one in z]
        pairs = list(itertools.permutations(range(len(p)), 2))
        losses = [negative_cosine(p[a], z[b], stop_gradient=self.stop_gradient) for a, b in pairs]
        return Loss(
            value=torch.stack(losses).mean(), parts=detached(spread=deviation(z[0]), other_images=mean_cosine(z[0]))
        )

    def steady_parameters(self) -> Iterable[nn.Parameter]:
        """The predictor's: it must keep up with the encoder, so its rate does not fall (section 4.2 of the paper)."""
        return self.predictor.parameters()


def _chance(params: SimSiamParams, setting: Setting) -> float:
    del params, setting
    return 0.0


METHOD = MethodInfo(
    name="simsiam",
    title="SimSiam",
    family="distillation",
    paper="arXiv:2011.10566",
    year=2021,
    summary="The simplest of the modern methods: one network predicts its own output for another view.",
    explanation="Two altered copies of an image pass through the same encoder. From the vector of one copy a small "
    "network (the predictor) foretells the vector of the other, and the gradient flows only through the side that "
    "predicts. There are no negatives, no memory and no second network; that it does not collapse to a constant is "
    "owed to the predictor and to the stopped gradient.",
    when="When memory is short and batches are small: 64 is enough. It learns more slowly at first than SimCLR or "
    "BYOL, so give it more epochs before judging it.",
    collapse="A constant output reaches exactly −1, so look at 'spread', the deviation of the vectors: near 1 when "
    "healthy, well below when collapsing. A loss that stays at 0 means that nothing is being predicted.",
    params=SimSiamParams,
    build=SimSiam,
    tags=("small memory", "no negatives"),
    min_batch=2,
    global_views=2,
    preset="simclr",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.06,
        weight_decay=5e-4,
        short_rate=2e-3,
        source="Chen & He 2021, appendix D (CIFAR-10, SGD 0.03 per 256 for 800 epochs), doubled for shorter runs",
    ),
    chance_loss=_chance,
    # Batch norm centers the projections, so that they cannot all be the same: healthy runs stay above 0.9, and those
    # without the stopped gradient fall below 0.7 within some hundred steps.
    symptoms=(same_vectors("Switch stop_gradient on if it is off; otherwise lower the learning rate.", below=0.75),),
)
