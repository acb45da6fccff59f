"""VICReg: three plain demands on the vectors of a batch: invariant, varied, and without repetition."""

import itertools
from typing import Annotated

import torch

from workbench.method.backbone import Encoder
from workbench.method.collapse import no_variance
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import fitting_width, mlp
from workbench.method.losses.redundancy import vicreg
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class VICRegParams(Params, frozen=True, kw_only=True):
    """Parameters of VICReg."""

    invariance: Annotated[float, param("Weight of: both views give the same vector.", ge=0, le=1000)] = 25.0
    variance: Annotated[float, param("Weight of: every entry differs between images.", ge=0, le=1000)] = 25.0
    covariance: Annotated[float, param("Weight of: no two entries say the same.", ge=0, le=1000)] = 1.0
    dim: Annotated[
        int,
        param(
            "Width of the projector and entries of the vectors; at most eight times the encoder's features.",
            ge=2,
            le=16_384,
        ),
    ] = 2048
    layers: Annotated[int, param("Layers of the projector.", ge=1, le=5, advanced=True)] = 3


class VICReg(Method):
    """Weighted sum of the three terms, over all pairs of views (Bardes et al. 2022, eq. 6)."""

    def __init__(self, encoder: Encoder, params: VICRegParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        width = fitting_width(params.dim, encoder.dim)
        self.projector = mlp(encoder.dim, width, width, layers=params.layers)
        self.weights = (params.invariance, params.variance, params.covariance)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The loss, and its three weighted terms."""
        del progress
        z = [gather(self.projector(self.encoder(view))) for view in batch.views]
        terms = [torch.stack(vicreg(one, other)) for one, other in itertools.combinations(z, 2)]
        weighted = torch.stack(terms).mean(dim=0) * terms[0].new_tensor(self.weights)
        invariance, variance, covariance = weighted
        return Loss(
            value=weighted.sum(), parts=detached(invariance=invariance, variance=variance, covariance=covariance)
        )


METHOD = MethodInfo(
    name="vicreg",
    title="VICReg",
    family="redundancy reduction",
    paper="arXiv:2105.04906",
    year=2022,
    summary="Three rules and nothing else: stay the same under alterations, differ between images, repeat nothing.",
    explanation="Two altered copies of each image give two vectors, and three demands are made of them. Invariance: "
    "the two are the same. Variance: over the batch every entry varies by at least 1, so that images cannot all "
    "become the same. Covariance: no two entries vary together, so that none is wasted. There is no teacher, no "
    "negative and no normalization of the vectors, and the three curves tell directly which demand is not met.",
    when="When you want to see what goes on: each term has its own curve and weight. Medium batches (128 and more), "
    "and a wide projector, which costs memory rather than time. It trains well with LARS and may diverge with SGD.",
    collapse="'variance' near its weight (24.75 with the defaults) with 'invariance' near 0: all vectors are the same. "
    "'covariance' rising while the loss stands still: entries repeat each other; raise its weight.",
    params=VICRegParams,
    build=VICReg,
    tags=("no negatives", "uses all dimensions"),
    first_choice=True,
    min_batch=2,
    no_accumulation="VICReg takes its statistics over the whole batch: parts of it do not add up to the whole.",
    global_views=2,
    preset="vicreg",
    recipe=Recipe(
        optimizer="lars",
        learning_rate=0.3,
        weight_decay=1e-4,
        warmup=10.0,
        short_rate=2e-3,
        source="solo-learn, CIFAR-10, ResNet-18: LARS 0.3 per 256, weights 25, 25 and 1, projector of 2048: 92.1 %; "
        "its three layers are the paper's",
    ),
    symptoms=(no_variance(lambda params: params.variance),),
)
