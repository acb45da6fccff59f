"""Triplet loss: a view must be nearer to its other view than to another image, by a margin."""

import itertools
from typing import Annotated, Literal

import torch
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, Symptom, detached, drawing
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.method.losses.triplet import hardest, semi_hard, squared_distances, triplet
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class TripletParams(Params, frozen=True, kw_only=True):
    """Parameters of the triplet loss."""

    margin: Annotated[
        float,
        param(
            "By how much (squared distance, at most 4) another image must be farther than the own view.", ge=0.01, le=4
        ),
    ] = 0.2
    mining: Annotated[
        Literal["semi-hard", "hard", "random"],
        param(
            "Which other image of the batch is pushed away: the nearest that is farther than the own view (semi-hard), "
            "the nearest of all (hard: learns fast or collapses), or any (random: soon too easy)."
        ),
    ] = "semi-hard"
    hidden: Annotated[
        int, param("Width of the projector, the small network that only the loss sees.", ge=8, le=16_384, advanced=True)
    ] = 1024
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


class Triplet(Method):
    """FaceNet's hinge over ordered pairs of views, negatives from the whole batch (Schroff et al. 2015, eq. 3)."""

    def __init__(self, encoder: Encoder, params: TripletParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.hidden, params.dim)
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The hinge of all ordered pairs of views, in the order of the images' rows."""
        order = gather(batch.indices).argsort()  # so that a draw means the same in any number of processes.
        z = [gather(self.projector(self.encoder(view)))[order] for view in batch.views]
        generator = drawing(progress)
        losses, active = [], []
        for anchor, positive in itertools.permutations(z, 2):
            distances = squared_distances(anchor, positive)
            chosen = self._mine(distances, generator)
            losses.append(triplet(distances, chosen, margin=self.params.margin))
            active.append(self._too_near(distances, chosen))
        parts = {
            "active": torch.stack(active).mean(),
            "other_images": mean_cosine(z[0]),
            "spread": deviation(z[0]),
        }
        return Loss(value=torch.stack(losses).mean(), parts=detached(**parts))

    def _mine(self, distances: Tensor, generator: torch.Generator) -> Tensor:
        """(B,): the column of each row's negative."""
        match self.params.mining:
            case "semi-hard":
                return semi_hard(distances)
            case "hard":
                return hardest(distances)
            case "random":
                count = len(distances)
                away = torch.randint(1, count, (count,), generator=generator)
                return ((torch.arange(count) + away) % count).to(distances.device)

    def _too_near(self, distances: Tensor, chosen: Tensor) -> Tensor:
        """Share of the triplets that the hinge still acts on."""
        slack = distances.gather(1, chosen[:, None])[:, 0] - distances.diagonal()
        return (slack < self.params.margin).float().mean()


def _chance(params: TripletParams, setting: Setting) -> float:
    del setting
    return params.margin


def _is_one_point(value: float, params: TripletParams, setting: Setting) -> bool:
    del params, setting
    return value < 0.05


METHOD = MethodInfo(
    name="triplet",
    title="Triplet loss",
    family="contrastive",
    paper="arXiv:1503.03832",
    year=2015,
    summary="A view must be nearer to the other view of its image than to another image, by a margin.",
    explanation="Three vectors at a time: a view of an image, another view of it, and a view of some other image. If "
    "the other image is not farther away than the own view by a margin, it is pushed and the own view pulled; "
    "otherwise nothing happens. What is learned depends on which other image is taken: one that is too easy teaches "
    "nothing, and the very nearest ones can make everything collapse to one point. Semi-hard is the middle way.",
    when="As the plain ancestor of contrastive learning, easy to explain, and where a margin is wanted. Works from "
    "small batches (64). Each image learns from one other at a time, so it learns more slowly than SimCLR.",
    collapse="When everything falls onto one point the loss stands exactly at the margin (0.2), most often with 'hard' "
    "mining: look at 'spread', near 1 when healthy, 0 then. 'active' near 0 says that the negatives are too easy.",
    params=TripletParams,
    build=Triplet,
    tags=("small batches", "classic"),
    min_batch=2,
    no_accumulation="Triplet loss takes its negatives from the whole batch: parts of it do not add up to the whole.",
    global_views=2,
    preset="simclr",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.06,
        weight_decay=5e-4,
        source="SimCLR's recipe for CIFAR-10 (SGD 0.06 per 256), as there is no published one for this loss; margin "
        "0.2 on the unit sphere as in Schroff et al. 2015",
    ),
    chance_loss=_chance,
    symptoms=(
        Symptom(
            part="spread",
            is_sick=_is_one_point,
            title="All images at one point",
            text="Every image has the same vector, so that no other image can be told from the own view, and the loss "
            "stands at the margin. Choose semi-hard negatives, or lower the learning rate.",
        ),
    ),
)
