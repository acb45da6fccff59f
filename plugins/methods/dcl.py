"""DCL: SimCLR without the positive pair in the sum of the others, so that small batches learn as fast."""

import itertools
import math
from typing import Annotated

import torch

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.contrastive import dcl
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class DCLParams(Params, frozen=True, kw_only=True):
    """Parameters of DCL."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.1
    sigma: Annotated[
        float,
        param(
            "Weighs pairs of views that are far apart more (DCLW); lower does so more sharply, 0.5 in the paper. "
            "0 weighs all pairs alike (DCL).",
            ge=0,
            le=10,
        ),
    ] = 0.0
    hidden: Annotated[
        int, param("Width of the projector, the small network that only the loss sees.", ge=8, le=16_384, advanced=True)
    ] = 1024
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


class DCL(Method):
    """Decoupled contrastive loss of the projected views (Yeh et al. 2022, eq. 6); the mean over pairs of views."""

    def __init__(self, encoder: Encoder, params: DCLParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.hidden, params.dim, norm=False)
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The decoupled loss of all pairs of views."""
        del progress
        z = [gather(self.projector(self.encoder(view))) for view in batch.views]
        pairs = list(itertools.combinations(z, 2))
        how = {"temperature": self.params.temperature, "sigma": self.params.sigma}
        value = torch.stack([dcl(one, other, **how) for one, other in pairs]).mean()
        positive = torch.stack([torch.cosine_similarity(one, other).mean() for one, other in pairs]).mean()
        parts = detached(same_image=positive, other_images=mean_cosine(z[0]), spread=deviation(z[0]))
        return Loss(value=value, parts=parts)


def _chance(params: DCLParams, setting: Setting) -> float:
    del params
    return math.log(2 * setting.batch_size - 2)


METHOD = MethodInfo(
    name="dcl",
    title="DCL",
    family="contrastive",
    paper="arXiv:2110.06848",
    year=2022,
    summary="SimCLR with one term less in its loss, which lets small batches learn as well as large ones.",
    explanation="In SimCLR, two copies of an image attract each other and all others repel; but once the two are near, "
    "the pull of the pair also weakens the push of the others, the more so the fewer others there are. DCL takes the "
    "pair out of that sum, so that both go on. Everything else is as in SimCLR. With a sigma, pairs that are "
    "still far apart count more (DCLW).",
    when="Wherever SimCLR is a candidate and the batch is below 512; from 32 on it works. Same memory, same time. "
    "Expect a clear gain with few epochs and small batches, and little with large ones.",
    collapse="Stays at ln(2 × batch − 2) where nothing is learned: 6.23 for a batch of 256. It may go below 0, which "
    "is healthy, as this loss has no floor. The other images push apart, so a complete collapse is rare; 'spread' "
    "would show it, near 1 when healthy and 0 then.",
    params=DCLParams,
    build=DCL,
    tags=("small batches", "robust"),
    first_choice=True,
    min_batch=2,
    no_accumulation="DCL compares the images of a batch with each other: parts of it do not add up to the whole.",
    global_views=2,
    preset="simclr",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.06,
        weight_decay=5e-4,
        source="Yeh et al. 2022, section 4: CIFAR-10, ResNet-18, SGD 0.03 at a batch of 256 for 200 epochs, "
        "weight decay 5e-4; doubled for shorter runs, T 0.1 as lightly's default",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Lower the learning rate, or take a larger batch.", below=0.05),),
)
