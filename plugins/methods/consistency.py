"""Consistency: two views of one image shall have the same features. A task to put beside another one."""

from itertools import pairwise
from typing import Annotated, Literal

import torch
import torch.nn.functional as F

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.losses.contrastive import nt_xent
from workbench.method.losses.spread import deviation
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class ConsistencyParams(Params, frozen=True, kw_only=True):
    """Parameters of consistency."""

    distance: Annotated[
        Literal["cosine", "squared", "contrast"],
        param(
            "How far two views are from each other: the angle of their features, the squared distance of the features "
            "themselves, or whether they are nearer to each other than to those of other images."
        ),
    ] = "cosine"
    temperature: Annotated[
        float,
        param("With contrast: how sharply others are told apart.", ge=0.01, le=5, logarithmic=True, advanced=True),
    ] = 0.2


class Consistency(Method):
    """The distance of the features of two views, with no head between (Howard 2020; with contrast as in PIRL).

    cosine: 1 − cos(f1, f2). squared: the mean over entries of (f1 − f2)². contrast: NT-Xent (Chen et al. 2020, eq. 1).
    """

    def __init__(self, encoder: Encoder, params: ConsistencyParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The mean over all pairs of views that follow each other."""
        del progress
        features = [self.encoder(view).float() for view in batch.views]
        value = torch.stack([self._distance(one, other) for one, other in pairwise(features)]).mean()
        spread = deviation(gather(F.normalize(features[0])))
        return Loss(value=value, parts=detached(spread=spread))

    def _distance(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        if self.params.distance == "cosine":
            return 1 - F.cosine_similarity(one, other).mean()
        if self.params.distance == "squared":
            return F.mse_loss(one, other)
        return nt_xent(gather(F.normalize(one)), gather(F.normalize(other)), temperature=self.params.temperature)


METHOD = MethodInfo(
    name="consistency",
    title="Consistency",
    family="puzzle",
    paper="arXiv:1912.01991",
    year=2019,
    summary="Asks that two views of an image get the same features; a task to put beside another one.",
    explanation="A puzzle such as rotation teaches a network to look at what an image shows, and nothing tells it "
    "that a brighter or smaller copy shows the same. This task does: the features of two views of one image must be "
    "close. It has no head of its own and no way to keep images apart, so that alone all images would end up at one "
    "point; the task beside it keeps them apart.",
    when="Never alone, but beside a puzzle or a rebuilding task, with a weight of 0.5 to 1, where views differ by what "
    "should not matter: color, brightness, a little crop. Leave out of the views what should matter.",
    collapse="If its weight is too high it wins over the task beside it: its loss goes to 0, and so does 'spread', as "
    "all images get the same features.",
    params=ConsistencyParams,
    build=Consistency,
    tags=("beside another task",),
    min_batch=2,
    global_views=2,
    beside_only=True,
    preset="simclr",
    recipe=Recipe(source="Howard 2020 (consistency loss); Misra & van der Maaten 2019 (PIRL): weights of 0.5 to 1"),
    symptoms=(same_vectors("Lower the weight of consistency, or take a larger batch.", below=0.05),),
)
