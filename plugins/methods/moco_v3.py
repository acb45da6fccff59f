"""MoCo v3: momentum contrast within a large batch, with a predictor and without a queue; made for transformers."""

import itertools
import math
from typing import Annotated

import torch
from torch import nn

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import fitting_width, mlp
from workbench.method.losses.contrastive import in_batch
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.method.momentum import Teacher, cosine_momentum
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class MoCoV3Params(Params, frozen=True, kw_only=True):
    """Parameters of MoCo v3."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.2
    momentum: Annotated[
        float, param("How slowly the teacher follows at the start; nearer to 1 is slower.", ge=0, le=1)
    ] = 0.99
    final_momentum: Annotated[
        float, param("How slowly the teacher follows at the end; 1 holds it still.", ge=0, le=1, advanced=True)
    ] = 1.0
    frozen_patches: Annotated[
        bool,
        param(
            "Keep the encoder's first layer as it was drawn. Makes a Vision Transformer, whose first layer cuts the "
            "patches, train more steadily; leave it off for other backbones."
        ),
    ] = False
    layers: Annotated[
        int, param("Layers of the projector: 2 as for a ResNet, 3 as for a ViT.", ge=1, le=5, advanced=True)
    ] = 2
    hidden: Annotated[
        int,
        param(
            "Width of the projector and of the predictor; at most eight times the encoder's features.",
            ge=8,
            le=16_384,
            advanced=True,
        ),
    ] = 4096
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 256


class MoCoV3(Method):
    """2T · InfoNCE of each view's prediction among the teacher's keys of the batch (Chen et al. 2021, algorithm 1)."""

    def __init__(self, encoder: Encoder, params: MoCoV3Params, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        if params.frozen_patches:
            _first_layer(encoder).requires_grad_(requires_grad=False)
        hidden = fitting_width(params.hidden, encoder.dim)
        self.projector = mlp(encoder.dim, hidden, params.dim, layers=params.layers, last_norm=True)
        self.predictor = mlp(params.dim, hidden, params.dim)
        self.teacher = Teacher(nn.Sequential(encoder, self.projector))
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The sum over the two directions; with more views, twice the mean over all ordered pairs."""
        del progress
        temperature = self.params.temperature
        q = [gather(self.predictor(self.projector(self.encoder(view)))) for view in batch.views]
        k = [gather(self.teacher(view)) for view in batch.views]
        pairs = [(q[a], k[b]) for a, b in itertools.permutations(range(len(q)), 2)]
        losses = [2 * temperature * in_batch(one, other, temperature=temperature) for one, other in pairs]
        positive = torch.stack([torch.cosine_similarity(one, other).mean() for one, other in pairs]).mean()
        parts = detached(same_image=positive, other_images=mean_cosine(q[0]), spread=deviation(q[0]))
        return Loss(value=2 * torch.stack(losses).mean(), parts=parts)

    def after_step(self, progress: Progress) -> None:
        """The teacher follows, ever more slowly."""
        momentum = cosine_momentum(self.params.momentum, self.params.final_momentum, progress.fraction)
        self.teacher.follow(nn.Sequential(self.encoder, self.projector), momentum)


def _first_layer(encoder: Encoder) -> nn.Module:
    return next(part for part in encoder.modules() if isinstance(part, nn.Conv2d))


def _chance(params: MoCoV3Params, setting: Setting) -> float:
    return 4 * params.temperature * math.log(setting.batch_size)


METHOD = MethodInfo(
    name="moco_v3",
    title="MoCo v3",
    family="contrastive",
    paper="arXiv:2104.02057",
    year=2021,
    summary="Momentum contrast for large batches, with BYOL's predictor; the steady way to train a Vision Transformer.",
    explanation="Two altered copies of each image go to two networks: the encoder, and a teacher that is its running "
    "average. From one copy's vector a small network (the predictor) must find the teacher's vector of the other copy "
    "among those of all images of the batch. There is no queue: a large batch holds enough other images. In a Vision "
    "Transformer the first layer, which cuts the image into patches, is where training becomes unsteady; left as it "
    "was drawn at random (frozen patches), the rest learns better.",
    when="With a Vision Transformer (switch frozen patches on, choose AdamW) or a ResNet, and batches of 256 and more; "
    "the paper uses 4,096. Costs a second network in memory. With small batches MoCo v2 or BYOL are the better choice.",
    collapse="Stays at 4 × T × ln(batch) where nothing is learned: 4.44 for T 0.2 and a batch of 256. 'spread' near 0 "
    "says that all images get the same vector. A ViT's kNN curve that dips and recovers is the unsteadiness that the "
    "frozen patches are against.",
    params=MoCoV3Params,
    build=MoCoV3,
    tags=("needs large batches", "momentum teacher", "for transformers"),
    min_batch=2,
    no_accumulation="MoCo v3 compares the images of a batch with each other: parts of it do not add up to the whole.",
    global_views=2,
    preset="byol",
    recipe=Recipe(
        optimizer="lars",
        learning_rate=0.3,
        weight_decay=1e-6,
        warmup=10.0,
        short_rate=2e-3,
        source="solo-learn, CIFAR-10, ResNet-18: LARS 0.3 per 256, T 0.2, momentum 0.99 to 1, projector 4096-256, "
        "predictor 4096: 93.1 %. For a ViT the paper has AdamW 1.5e-4 per 256, weight decay 0.1, T 0.2, projector of 3",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Lower the learning rate; with a ViT freeze the patches.", below=0.05),),
)
