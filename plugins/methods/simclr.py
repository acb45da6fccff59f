"""SimCLR: two views of an image attract each other, all other images of the batch repel."""

import itertools
import math
from typing import Annotated

import torch

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.contrastive import nt_xent
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class SimCLRParams(Params, frozen=True, kw_only=True):
    """Parameters of SimCLR."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.5
    hidden: Annotated[
        int, param("Width of the projector, the small network that only the loss sees.", ge=8, le=16_384, advanced=True)
    ] = 1024
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128
    layers: Annotated[
        int, param("Layers of the projector: 2 as in SimCLR, 3 as in its second version.", ge=1, le=5, advanced=True)
    ] = 2


class SimCLR(Method):
    """NT-Xent over the projected views (Chen et al. 2020). More than two views: the mean over their pairs."""

    def __init__(self, encoder: Encoder, params: SimCLRParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.hidden, params.dim, layers=params.layers, norm=False)
        self.temperature = params.temperature

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The contrastive loss of all pairs of views."""
        del progress
        z = [gather(self.projector(self.encoder(view))) for view in batch.views]
        pairs = list(itertools.combinations(z, 2))
        value = torch.stack([nt_xent(one, other, temperature=self.temperature) for one, other in pairs]).mean()
        positive = torch.stack([torch.cosine_similarity(one, other).mean() for one, other in pairs]).mean()
        parts = detached(same_image=positive, other_images=mean_cosine(z[0]), spread=deviation(z[0]))
        return Loss(value=value, parts=parts)


def _chance(params: SimCLRParams, setting: Setting) -> float:
    del params
    return math.log(2 * setting.batch_size - 1)


METHOD = MethodInfo(
    name="simclr",
    title="SimCLR",
    family="contrastive",
    paper="arXiv:2002.05709",
    year=2020,
    summary="Learns to recognize two altered copies of the same image among the copies of all others.",
    explanation="Every image of a batch is altered twice: cropped, recolored, flipped. The encoder turns each copy "
    "into a vector, and the loss asks that the two copies of one image point the same way while those of all "
    "other images point elsewhere. To manage that, the encoder must find what the copies share, which is the "
    "content, and ignore what the alterations change. A small network behind the encoder (the projector) takes the "
    "strain of the comparison and is thrown away afterwards.",
    when="A sound first choice, easy to understand and hard to break. It likes large batches, as the other images of "
    "the batch are what it compares with: 256 and more. With a small GPU prefer MoCo v2, BYOL or SimSiam.",
    collapse="Stays at ln(2 × batch − 1) where nothing is learned: 6.24 for a batch of 256. The other images push "
    "apart, so a complete collapse ('spread' from near 1 to 0) is rare; many unused dimensions (low RankMe) are the "
    "more common trouble.",
    params=SimCLRParams,
    build=SimCLR,
    tags=("needs large batches", "robust"),
    first_choice=True,
    min_batch=2,
    no_accumulation="SimCLR compares the images of a batch with each other: parts of it do not add up to the whole.",
    global_views=2,
    preset="simclr",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.06,
        weight_decay=5e-4,
        source="CIFAR-10, ResNet-18, T 0.5, projector 1024-128 without norm: SGD 0.03 per 256 for 1,000 epochs "
        "(91.9 %), 0.06 for 100 (dkobak)",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Lower the learning rate, or take a larger batch.", below=0.05),),
)
