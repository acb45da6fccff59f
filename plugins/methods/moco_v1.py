"""MoCo v1: a queue of keys from a slowly following teacher, and batch norm that cannot tell which is the right one."""

import math
from typing import Annotated

from torch import nn

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import MethodInfo, Setting
from workbench.method.memory import Queue, fitting_size
from workbench.method.momentum_contrast import Contrast, MomentumContrast, outdated_queue
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class MoCoV1Params(Params, frozen=True, kw_only=True):
    """Parameters of MoCo v1."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.07
    queue: Annotated[
        int,
        param(
            "Vectors of past images to compare with; at most half of the training images are kept.",
            ge=1,
            le=1_048_576,
            unit="vectors",
            logarithmic=True,
        ),
    ] = 65_536
    momentum: Annotated[
        float,
        param(
            "How slowly the teacher follows; nearer to 1 is slower. In runs of a few thousand steps try 0.99.",
            ge=0,
            le=1,
        ),
    ] = 0.999
    groups: Annotated[
        int,
        param(
            "Parts of the batch that batch norm sees apart, the teacher's in another order than the student's, as on "
            "so many GPUs. A part has at least 2 images. Nothing changes in a backbone without batch norm.",
            ge=1,
            le=1024,
            advanced=True,
        ),
    ] = 8
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


def _build(encoder: Encoder, params: MoCoV1Params, setting: Setting) -> MomentumContrast:
    """A linear head, one view that asks and one that answers (He et al. 2020, section 3.3)."""
    how = Contrast(
        temperature=params.temperature,
        momentum=(params.momentum, params.momentum),
        symmetric=False,
        groups=params.groups,
    )
    queue = Queue(fitting_size(params.queue, setting.train_images), params.dim)
    return MomentumContrast(encoder, nn.Linear(encoder.dim, params.dim), queue, how)


def _chance(params: MoCoV1Params, setting: Setting) -> float:
    return math.log(fitting_size(params.queue, setting.train_images) + 1)


METHOD = MethodInfo(
    name="moco_v1",
    title="MoCo v1",
    family="contrastive",
    paper="arXiv:1911.05722",
    year=2020,
    summary="The first to compare with a long queue of remembered images, kept comparable by a slow teacher.",
    explanation="One altered copy of an image asks, another answers: of all vectors in a long queue of past images, "
    "which is mine? The answers, and the vectors in the queue, come from a teacher, a copy of the encoder that follows "
    "it slowly, so that old vectors still fit new ones. Batch norm could give the answer away, because both copies of "
    "an image would be normalized with the same neighbors; so the batch is split into groups, and the teacher sees "
    "other groups than the encoder.",
    when="As a reference, to see what its second version gained: that one adds a deeper head, stronger alterations and "
    "symmetry, and is better in nearly every case. A step is half the work of a step there. Works from a batch of 32.",
    collapse="Stays near ln(queue + 1) where nothing is learned: 11.09 for 65,536 vectors. A loss that jumps up early "
    "is normal, while the queue fills with real vectors in place of random ones. With momentum 0 it stays at chance. "
    "'spread' near 0 says that all images get the same vector.",
    params=MoCoV1Params,
    build=_build,
    tags=("small batches", "momentum teacher", "classic"),
    min_batch=2,
    global_views=2,
    preset="moco-v1",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.03,
        weight_decay=1e-4,
        source="He et al. 2020, section 4.1: SGD 0.03 at a batch of 256, weight decay 1e-4, T 0.07, momentum 0.999, "
        "queue 65,536; the authors' CIFAR-10 notebook: weight decay 5e-4, T 0.1, momentum 0.99, queue 4,096, 8 groups",
    ),
    chance_loss=_chance,
    symptoms=(
        outdated_queue(_chance),
        same_vectors("Raise the momentum, or lower the learning rate.", below=0.05),
    ),
)
