"""MoCo v2: SimCLR with a long memory, so that small batches suffice."""

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.contrastive import info_nce
from workbench.method.losses.spread import mean_cosine
from workbench.method.memory import Queue
from workbench.method.momentum import Teacher, cosine_momentum
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class MoCoParams(Params, frozen=True, kw_only=True):
    """Parameters of MoCo v2."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.1
    queue: Annotated[
        int,
        param(
            "Vectors of past images to compare with. At most half of the training images are kept, "
            "as an image should not often meet its own past.",
            ge=1,
            le=1_048_576,
            unit="vectors",
            logarithmic=True,
        ),
    ] = 4096
    momentum: Annotated[
        float, param("How slowly the teacher follows at the start; nearer to 1 is slower.", ge=0, le=1)
    ] = 0.99
    final_momentum: Annotated[
        float, param("How slowly the teacher follows at the end of training.", ge=0, le=1, advanced=True)
    ] = 0.999
    symmetric: Annotated[
        bool, param("Let each view be the question once and the answer once; twice the work per step.", advanced=True)
    ] = True
    hidden: Annotated[
        int, param("Width of the projector, the small network that only the loss sees.", ge=8, le=16_384, advanced=True)
    ] = 512
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


class MoCo(Method):
    """InfoNCE against a queue of a momentum teacher's keys (He et al. 2020; Chen et al. 2020).

    The papers shuffle the batch among GPUs before the teacher, so that a key does not share batch-norm
    statistics with its query. Here it is not shuffled: one process has one batch to take statistics of, and
    several synchronize their batch norm, so that no smaller group of images gives a key away.
    """

    def __init__(self, encoder: Encoder, params: MoCoParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.hidden, params.dim, norm=False)
        self.teacher = Teacher(nn.Sequential(encoder, self.projector))
        self.queue = Queue(_queue_size(params, setting), params.dim)
        self.params = params
        self._fresh: list[Tensor] = []  # this step's keys, which enter the queue once the step is done.

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """InfoNCE of every view against the teacher's key of another."""
        del progress
        symmetric = self.params.symmetric
        q = [self.projector(self.encoder(view)) for view in (batch.views if symmetric else batch.views[:1])]
        k = [self.teacher(view) for view in (batch.views if symmetric else batch.views[1:])]
        pairs = [
            (one, other)
            for asking, one in enumerate(q)
            for answering, other in enumerate(k, start=0 if symmetric else 1)
            if asking != answering
        ]
        losses = [info_nce(one, other, self.queue.vectors, temperature=self.params.temperature) for one, other in pairs]
        self._fresh.append(gather(torch.cat(k).detach()))
        positive = torch.stack([torch.cosine_similarity(one, other).mean() for one, other in pairs]).mean()
        return Loss(
            value=torch.stack(losses).mean(), parts=detached(same_image=positive, other_images=mean_cosine(q[0]))
        )

    def after_step(self, progress: Progress) -> None:
        """The teacher follows, and this step's keys enter the queue."""
        momentum = cosine_momentum(self.params.momentum, self.params.final_momentum, progress.fraction)
        self.teacher.follow(nn.Sequential(self.encoder, self.projector), momentum)
        if self._fresh:
            self.queue.push(torch.cat(self._fresh))
            self._fresh.clear()


def _queue_size(params: MoCoParams, setting: Setting) -> int:
    return max(1, min(params.queue, setting.train_images // 2))


def _chance(params: MoCoParams, setting: Setting) -> float:
    return math.log(_queue_size(params, setting) + 1)


METHOD = MethodInfo(
    name="moco_v2",
    title="MoCo v2",
    family="contrastive",
    paper="arXiv:2003.04297",
    year=2020,
    summary="Like SimCLR, but compares with thousands of remembered images instead of a huge batch.",
    explanation="Two altered copies of an image must be recognized as the same among many others. Those others do "
    "not have to be in the batch: a queue remembers the vectors of the last few thousand images. So that "
    "remembered vectors stay comparable, they come from a teacher, a copy of the encoder that follows it slowly.",
    when="When memory allows only small batches, or the images are large (X-rays, microscopy): it works from a batch "
    "of 32. With few images (under 2,000) the queue is short and SimCLR does as well.",
    collapse="Stays near ln(queue + 1) where nothing is learned: 8.32 for 4,096 vectors. A loss that jumps up early is "
    "normal, while the queue fills with real vectors in place of random ones.",
    params=MoCoParams,
    build=MoCo,
    tags=("small batches", "momentum teacher"),
    first_choice=True,
    min_batch=2,
    global_views=2,
    preset="moco-v2",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.12,
        weight_decay=5e-4,
        source="lightly's CIFAR-10 benchmark, ResNet-18: SGD 0.06 per 128, T 0.1, queue 4096, momentum 0.99",
    ),
    chance_loss=_chance,
)
