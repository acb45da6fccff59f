"""Barlow Twins: every entry of the vector says the same in both views, and no two entries say the same."""

import itertools
from typing import Annotated

import torch

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, Symptom, detached
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.redundancy import barlow_twins
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class BarlowTwinsParams(Params, frozen=True, kw_only=True):
    """Parameters of Barlow Twins."""

    redundancy: Annotated[
        float, param("Weight (λ) of the pressure that entries differ from each other.", ge=0, le=1, logarithmic=True)
    ] = 5e-3
    scale: Annotated[
        float,
        param(
            "Factor of the whole loss; goes with the learning rate.", ge=1e-4, le=100, logarithmic=True, advanced=True
        ),
    ] = 0.1
    dim: Annotated[
        int, param("Width of the projector and entries of the vectors; more is better here.", ge=2, le=16_384)
    ] = 2048
    layers: Annotated[int, param("Layers of the projector.", ge=1, le=5, advanced=True)] = 3


class BarlowTwins(Method):
    """Cross-correlation of the two views' vectors towards the identity (Zbontar et al. 2021, eq. 1)."""

    def __init__(self, encoder: Encoder, params: BarlowTwinsParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.dim, params.dim, layers=params.layers)
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The scaled loss of all pairs of views, and its two terms."""
        del progress
        z = [gather(self.projector(self.encoder(view))) for view in batch.views]
        terms = [
            torch.stack(barlow_twins(one, other, redundancy=self.params.redundancy))
            for one, other in itertools.combinations(z, 2)
        ]
        invariance, redundancy = self.params.scale * torch.stack(terms).mean(dim=0)
        return Loss(value=invariance + redundancy, parts=detached(invariance=invariance, redundancy=redundancy))


def _views_unlike(value: float, params: BarlowTwinsParams, setting: Setting) -> bool:
    del setting
    return value > 0.97 * params.scale * params.dim


def _entries_alike(value: float, params: BarlowTwinsParams, setting: Setting) -> bool:
    del setting
    return params.redundancy > 0 and value > 0.7 * params.scale * params.redundancy * params.dim * (params.dim - 1)


def _chance(params: BarlowTwinsParams, setting: Setting) -> float:
    del setting
    return params.scale * params.dim


METHOD = MethodInfo(
    name="barlow_twins",
    title="Barlow Twins",
    family="redundancy reduction",
    paper="arXiv:2103.03230",
    year=2021,
    summary="Makes every number of the vector stable under alterations and different from every other number.",
    explanation="Two altered copies of each image give two vectors. Over the batch, each entry of one vector is "
    "correlated with each entry of the other. The same entry should agree in both (it then ignores the alterations), "
    "and different entries should not agree at all (the vector then wastes no space). Nothing is compared "
    "between images, and nothing needs a teacher.",
    when="When you want an embedding that uses all its dimensions, with medium batches (128 and more). "
    "The projector is wide, which costs memory rather than time.",
    collapse="Stays near scale × dim where nothing is learned: 204.8 with the defaults. Collapse to fewer dimensions "
    "is what the second term prevents; if 'invariance' falls and 'redundancy' rises, raise λ.",
    params=BarlowTwinsParams,
    build=BarlowTwins,
    tags=("no negatives", "uses all dimensions"),
    first_choice=True,
    min_batch=2,
    no_accumulation="Barlow Twins takes its statistics over the whole batch: parts of it do not add up to the whole.",
    global_views=2,
    preset="barlow",
    recipe=Recipe(
        optimizer="lars",
        learning_rate=0.3,
        weight_decay=1e-4,
        warmup=10.0,
        short_rate=2e-3,
        source="solo-learn, CIFAR-10, ResNet-18: LARS 0.3 per 256, λ 0.005, scale 0.1, projector 3 × 2048: 92.1 %",
    ),
    chance_loss=_chance,
    symptoms=(
        Symptom(
            part="invariance",
            is_sick=_views_unlike,
            title="The two views' vectors have nothing in common",
            text="The first term stands at scale × dim, as with vectors that are constant or noise. "
            "Lower the learning rate, or choose views that are less hard.",
        ),
        Symptom(
            part="redundancy",
            is_sick=_entries_alike,
            title="All entries of the vector say the same",
            text="The second term is near scale × λ × dim², as if there were only one entry, repeated. "
            "Raise λ (redundancy), or use a larger batch.",
        ),
    ),
)
