"""SupCon: SimCLR that knows the labels: images of one class attract each other, too."""

import math
from typing import Annotated

import torch

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.contrastive import supcon
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.spec.catalog import Recipe
from workbench.spec.errors import CheckError
from workbench.spec.params import Params, param


class SupConParams(Params, frozen=True, kw_only=True):
    """Parameters of SupCon."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.1
    hidden: Annotated[
        int, param("Width of the projector, the small network that only the loss sees.", ge=8, le=16_384, advanced=True)
    ] = 2048
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


class SupCon(Method):
    """Supervised contrastive loss over all views (Khosla et al. 2020, eq. 2). Unlabeled images have own views only.

    The projector has batch norm, which the paper's has not: many positives pull together before anything is told
    apart, and without it a small network stays at one point.
    """

    def __init__(self, encoder: Encoder, params: SupConParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.hidden, params.dim)
        self.temperature = params.temperature

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """All views of all images of the batch against each other."""
        del progress
        if batch.labels is None:
            raise CheckError("SupCon was given images without labels.")
        z = [gather(self.projector(self.encoder(view))) for view in batch.views]
        value = supcon(z, gather(batch.labels), temperature=self.temperature)
        same_image = torch.cosine_similarity(z[0], z[1]).mean()
        parts = detached(same_image=same_image, other_images=mean_cosine(z[0]), spread=deviation(z[0]))
        return Loss(value=value, parts=parts)


def _chance(params: SupConParams, setting: Setting) -> float:
    del params
    return math.log(2 * setting.batch_size - 1)


METHOD = MethodInfo(
    name="supcon",
    title="SupCon",
    family="contrastive",
    paper="arXiv:2004.11362",
    year=2020,
    summary="SimCLR with labels: copies of one image and images of one class attract each other, all others repel.",
    explanation="Every image of a batch is altered twice. The vectors of all copies of images with the same label are "
    "pulled together, and those with other labels pushed away. Images without a label take part as in SimCLR, with "
    "their own two copies as the only pair. It uses labels as the supervised baseline does, but learns vectors rather "
    "than answers, and often generalizes a little better.",
    when="When many images have labels and classes are what the encoder shall tell apart; with labels for some, the "
    "others help. Large batches, so that each holds several images of a class: 256 and more. Compare it with the "
    "supervised baseline, not with methods that see no labels.",
    collapse="Stays at ln(2 × batch − 1) where nothing is learned: 6.24 for a batch of 256. Its floor is not 0: with n "
    "images of a class in the batch it is about ln(2n − 1). 'spread' near 0 says that all images get the same vector. "
    "Images of one class grow alike, so a lower RankMe than that of other methods is normal.",
    params=SupConParams,
    build=SupCon,
    tags=("needs labels", "needs large batches"),
    uses_labels=True,
    min_batch=2,
    no_accumulation="SupCon compares the images of a batch with each other: parts of it do not add up to the whole.",
    global_views=2,
    preset="simclr",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.125,
        weight_decay=1e-4,
        warmup=10.0,
        source="Khosla et al. 2020 and the authors' CIFAR-10 setting, ResNet-50: SGD 0.5 at a batch of 1,024 for 1,000 "
        "epochs, T 0.1, weight decay 1e-4: 96.0 %",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Lower the learning rate, or take a larger batch.", below=0.05),),
)
