"""NNCLR: the positive is not the image's other view, but the nearest neighbor of it among past images."""

import itertools
import math
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import fitting_width, mlp
from workbench.method.losses.contrastive import in_batch
from workbench.method.losses.precision import float32
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.method.memory import Queue, fitting_size
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class NNCLRParams(Params, frozen=True, kw_only=True):
    """Parameters of NNCLR."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.2
    queue: Annotated[
        int,
        param(
            "Vectors of past images among which neighbors are looked for; at most half of the training images are "
            "kept, as the nearest neighbor should seldom be the image itself.",
            ge=1,
            le=1_048_576,
            unit="vectors",
            logarithmic=True,
        ),
    ] = 65_536
    layers: Annotated[int, param("Layers of the projector.", ge=1, le=5, advanced=True)] = 3
    hidden: Annotated[
        int,
        param("Width of the projector; at most eight times the encoder's features.", ge=8, le=16_384, advanced=True),
    ] = 2048
    bottleneck: Annotated[
        int,
        param(
            "Width of the predictor's middle; at most eight times the encoder's features.",
            ge=1,
            le=16_384,
            advanced=True,
        ),
    ] = 4096
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 256


class NNCLR(Method):
    """−log exp(nn(z_i)·p_i / T) / Σ_k exp(nn(z_i)·p_k / T), symmetric (Dwibedi et al. 2021, eq. 4 and appendix A)."""

    def __init__(self, encoder: Encoder, params: NNCLRParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        hidden, bottleneck = (fitting_width(asked, encoder.dim) for asked in (params.hidden, params.bottleneck))
        self.projector = mlp(encoder.dim, hidden, params.dim, layers=params.layers, last_norm=True)
        self.predictor = mlp(params.dim, bottleneck, params.dim)
        self.queue = Queue(fitting_size(params.queue, setting.train_images), params.dim)
        self.temperature = params.temperature
        self._fresh: list[Tensor] = []  # this step's vectors, which enter the queue once the step is done.

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Each view's neighbors against the predictions of the other views of all images."""
        del progress
        own = [self.projector(self.encoder(view)) for view in batch.views]
        p = [gather(self.predictor(one)) for one in own]
        z = [gather(one.detach()) for one in own]
        neighbors = [self._nearest(one) for one in z]
        pairs = [(neighbors[a], p[b]) for a, b in itertools.permutations(range(len(p)), 2)]
        losses = [in_batch(one, other, temperature=self.temperature) for one, other in pairs]
        self._fresh.append(z[0])
        parts = {
            "neighbor": torch.cosine_similarity(z[0], neighbors[0]).mean(),
            "other_images": mean_cosine(z[0]),
            "spread": deviation(z[0]),
        }
        return Loss(value=torch.stack(losses).mean(), parts=detached(**parts))

    @torch.no_grad()
    def _nearest(self, z: Tensor) -> Tensor:
        """(B, dim): for each vector the one of the queue with the largest cosine."""
        past = self.queue.vectors
        with float32(z):
            return past[(F.normalize(z.float(), dim=1) @ past.T).argmax(dim=1)]

    def after_step(self, progress: Progress) -> None:
        """The first view's vectors enter the queue."""
        del progress
        if self._fresh:
            self.queue.push(torch.cat(self._fresh))
            self._fresh.clear()


def _chance(params: NNCLRParams, setting: Setting) -> float:
    del params
    return math.log(setting.batch_size)


METHOD = MethodInfo(
    name="nnclr",
    title="NNCLR",
    family="contrastive",
    paper="arXiv:2104.14548",
    year=2021,
    summary="Like SimCLR, but an image must foretell the nearest neighbor of its other view, a different image.",
    explanation="Two altered copies of an image can only differ by what the alterations change. Another image of the "
    "same thing differs in pose, light and background as well. So the vector of one copy is replaced by its nearest "
    "neighbor among the vectors of many past images, and the other copy must find that neighbor among those of the "
    "whole batch. The encoder learns from true variety, and depends less on strong alterations.",
    when="When the right alterations are unclear or must stay weak, and images have many relatives in the set "
    "(tens of thousands of photographs, some of each kind). Batches of 256 and more. With few images the neighbors "
    "are wrong too often: then SimCLR or MoCo v2.",
    collapse="Stays at ln(batch) where nothing is learned: 5.55 for a batch of 256. 'neighbor' is the cosine with the "
    "nearest past image: it rises above that of other images as neighbors become meaningful. 'spread' near 0 says that "
    "all images get the same vector.",
    params=NNCLRParams,
    build=NNCLR,
    tags=("needs large batches", "learns from other images"),
    min_batch=2,
    no_accumulation="NNCLR compares the images of a batch with each other: parts of it do not add up to the whole.",
    global_views=2,
    preset="simclr",
    recipe=Recipe(
        optimizer="lars",
        learning_rate=0.4,
        weight_decay=1e-5,
        warmup=10.0,
        short_rate=2e-3,
        source="solo-learn, CIFAR-10, ResNet-18: LARS 0.4 per 256, weight decay 1e-5, T 0.2, queue 65,536, "
        "projector 2048-256, predictor 4096: 91.9 %",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Lower the learning rate, or take a larger batch.", below=0.05),),
)
