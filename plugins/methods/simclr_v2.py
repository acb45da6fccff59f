"""SimCLR v2: a deeper projector, and if wanted a memory of past images beside the batch."""

import itertools
import math
from typing import Annotated

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import fitting_width, mlp
from workbench.method.losses.contrastive import nt_xent
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.method.memory import Queue, fitting_size
from workbench.method.momentum import Teacher
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class SimCLRv2Params(Params, frozen=True, kw_only=True):
    """Parameters of SimCLR v2."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.2
    queue: Annotated[
        int,
        param(
            "Vectors of past images to compare with beside the batch, at most half of the training images; 0 for none, "
            "which saves the second network. The paper gains little from it (65,536); at the start of a short run its "
            "random vectors push all images to one side.",
            ge=0,
            le=1_048_576,
            unit="vectors",
        ),
    ] = 0
    momentum: Annotated[
        float,
        param("How slowly the network follows that makes the remembered vectors.", ge=0, le=1, advanced=True),
    ] = 0.99
    layers: Annotated[int, param("Layers of the projector.", ge=1, le=5, advanced=True)] = 3
    hidden: Annotated[
        int,
        param(
            "Width of the projector, which only the loss sees; at most eight times the encoder's features.",
            ge=8,
            le=16_384,
            advanced=True,
        ),
    ] = 2048
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


class SimCLRv2(Method):
    """NT-Xent over the batch and a memory, behind a projector of three layers (Chen et al. 2020, section 2)."""

    def __init__(self, encoder: Encoder, params: SimCLRv2Params, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = mlp(encoder.dim, fitting_width(params.hidden, encoder.dim), params.dim, layers=params.layers)
        size = _memory(params, setting)
        self.teacher = Teacher(nn.Sequential(encoder, self.projector)) if size else None
        self.queue = Queue(size, params.dim) if size else None
        self.params = params
        self._fresh: list[Tensor] = []  # the teacher's vectors, which enter the memory once the step is done.

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The contrastive loss of all pairs of views, with the remembered vectors as further negatives."""
        del progress
        z = [gather(self.projector(self.encoder(view))) for view in batch.views]
        memory = None if self.queue is None else self.queue.vectors
        pairs = list(itertools.combinations(z, 2))
        losses = [nt_xent(one, other, temperature=self.params.temperature, memory=memory) for one, other in pairs]
        if self.teacher is not None:
            self._fresh.append(gather(torch.cat([self.teacher(view) for view in batch.views])))
        positive = torch.stack([torch.cosine_similarity(one, other).mean() for one, other in pairs]).mean()
        parts = detached(same_image=positive, other_images=mean_cosine(z[0]), spread=deviation(z[0]))
        return Loss(value=torch.stack(losses).mean(), parts=parts)

    def after_step(self, progress: Progress) -> None:
        """The memory's network follows, and its vectors of this step are remembered."""
        del progress
        if self.teacher is not None and self.queue is not None and self._fresh:
            self.teacher.follow(nn.Sequential(self.encoder, self.projector), self.params.momentum)
            self.queue.push(torch.cat(self._fresh))
            self._fresh.clear()


def _memory(params: SimCLRv2Params, setting: Setting) -> int:
    return fitting_size(params.queue, setting.train_images) if params.queue else 0


def _chance(params: SimCLRv2Params, setting: Setting) -> float:
    return math.log(2 * setting.batch_size - 1 + _memory(params, setting))


METHOD = MethodInfo(
    name="simclr_v2",
    title="SimCLR v2",
    family="contrastive",
    paper="arXiv:2006.10029",
    year=2020,
    summary="SimCLR for larger networks and few labels: a deeper projector and a memory of past images.",
    explanation="As in SimCLR, the two altered copies of an image attract each other and all others repel. The "
    "projector behind the encoder has one layer more, which leaves the encoder freer to keep what the comparison does "
    "not need, and past images can be remembered as further ones to compare with; a slow copy of the network makes "
    "their vectors. Its paper pairs it with large selective-kernel networks (SK-ResNet), which choose for each image "
    "how wide they look.",
    when="For deep backbones (the SK-ResNets are made for it) that are fine-tuned on few labels afterwards: the paper "
    "fine-tunes from the projector's first layer, not from the encoder's end, and then distills into a smaller "
    "network. Batches of 256 and more; the memory helps below that, and costs a second network.",
    collapse="Stays at ln(2 × batch − 1 + queue) where nothing is learned: 6.24 for a batch of 256, 8.44 with 4,096 "
    "remembered. The other images push apart, so a complete collapse ('spread' from near 1 to 0) is rare, but in short "
    "runs the random vectors of a queue can push all images to one side. Look at RankMe as well.",
    params=SimCLRv2Params,
    build=SimCLRv2,
    tags=("needs large batches", "robust", "few labels"),
    min_batch=2,
    no_accumulation="SimCLR v2 compares the images of a batch with each other: parts of it do not add up to the whole.",
    global_views=2,
    preset="simclr",
    recipe=Recipe(
        optimizer="lars",
        learning_rate=0.4,
        weight_decay=1e-4,
        warmup=10.0,
        short_rate=2e-3,
        source="solo-learn's SimCLR on CIFAR-10, ResNet-18: LARS 0.4 per 256, weight decay 1e-4, T 0.2, width 2048 "
        "(90.7 %); the paper's projector of three layers, and its memory, 64 thousand vectors there",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Lower the learning rate, or take a larger batch.", below=0.05),),
)
