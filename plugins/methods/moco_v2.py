"""MoCo v2: SimCLR with a long memory, so that small batches suffice."""

import math
from typing import Annotated

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import MethodInfo, Setting
from workbench.method.heads import mlp
from workbench.method.memory import Queue, fitting_size
from workbench.method.momentum_contrast import Contrast, MomentumContrast, outdated_queue
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class MoCoParams(Params, frozen=True, kw_only=True):
    """Parameters of MoCo v2 (Chen et al. 2020)."""

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
    groups: Annotated[
        int,
        param(
            "Parts of the batch that batch norm sees apart, the teacher's in another order than the student's; 1 for "
            "none. A part has at least 2 images. Nothing changes in a backbone without batch norm.",
            ge=1,
            le=1024,
            advanced=True,
        ),
    ] = 1
    hidden: Annotated[
        int, param("Width of the projector, the small network that only the loss sees.", ge=8, le=16_384, advanced=True)
    ] = 512
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


def _build(encoder: Encoder, params: MoCoParams, setting: Setting) -> MomentumContrast:
    how = Contrast(
        temperature=params.temperature,
        momentum=(params.momentum, params.final_momentum),
        symmetric=params.symmetric,
        groups=params.groups,
    )
    projector = mlp(encoder.dim, params.hidden, params.dim, norm=False)
    queue = Queue(fitting_size(params.queue, setting.train_images), params.dim)
    return MomentumContrast(encoder, projector, queue, how)


def _chance(params: MoCoParams, setting: Setting) -> float:
    return math.log(fitting_size(params.queue, setting.train_images) + 1)


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
    "normal, while the queue fills with real vectors in place of random ones. With momentum 0 (and final momentum 0) "
    "it stays there: the vectors in the queue were made by networks that are gone. 'spread' near 0 says that all "
    "images get the same vector.",
    params=MoCoParams,
    build=_build,
    tags=("small batches", "momentum teacher"),
    first_choice=True,
    min_batch=2,
    global_views=2,
    preset="moco-v2",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.12,
        weight_decay=5e-4,
        short_rate=2e-3,
        source="lightly's CIFAR-10 benchmark, ResNet-18: SGD 0.06 per 128, T 0.1, queue 4096, momentum 0.99",
    ),
    chance_loss=_chance,
    symptoms=(
        outdated_queue(_chance),
        same_vectors("Raise the momentum, or lower the learning rate.", below=0.05),
    ),
)
