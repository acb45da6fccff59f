"""DeepCluster v2: all images are clustered before each epoch, and every view must tell its image's cluster."""

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import (
    Batch,
    EncodeAll,
    Loss,
    Method,
    MethodInfo,
    Progress,
    Setting,
    Symptom,
    detached,
    drawing,
)
from workbench.method.crops import by_size
from workbench.method.gather import as_leader, gather
from workbench.method.heads import fitting_width, mlp
from workbench.method.kmeans import spherical_kmeans
from workbench.method.losses.labels import accuracy, cross_entropy
from workbench.method.losses.precision import float32
from workbench.method.losses.spread import deviation
from workbench.method.prototypes import clusters_used, fitting_count
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class DeepClusterParams(Params, frozen=True, kw_only=True):
    """Parameters of DeepCluster v2."""

    prototypes: Annotated[
        int,
        param(
            "Clusters that the images are divided into; at most one for ten training images.",
            ge=2,
            le=65_536,
            logarithmic=True,
        ),
    ] = 3000
    heads: Annotated[
        int, param("Divisions into clusters, each begun at random, that are learned together.", ge=1, le=32)
    ] = 3
    temperature: Annotated[
        float, param("How sharp predictions are; lower is sharper.", ge=0.01, le=5, logarithmic=True)
    ] = 0.1
    iterations: Annotated[
        int, param("Rounds of k-means before each epoch.", ge=1, le=1000, unit="rounds", advanced=True)
    ] = 10
    hidden: Annotated[
        int,
        param(
            "Width of the projector, which only the loss sees; at most eight times the encoder's features.",
            ge=8,
            le=16_384,
            advanced=True,
        ),
    ] = 2048
    dim: Annotated[int, param("Entries of the vectors that are clustered.", ge=2, le=16_384, advanced=True)] = 128


class DeepCluster(Method):
    """Cross-entropy of cosines with centroids to the cluster of the image (Caron et al. 2018; 2020, appendix C).

    The centroids of a spherical k-means are the prototypes until the next one; no gradient moves them. The authors
    cluster the vectors that the views of the epoch before happened to give; here they are those of the whole images,
    by the network as it is, so that nothing stale is clustered.
    """

    prototypes: Tensor
    labels: Tensor

    def __init__(self, encoder: Encoder, params: DeepClusterParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = mlp(encoder.dim, fitting_width(params.hidden, encoder.dim), params.dim)
        count = fitting_count(params.prototypes, setting.train_images)
        self.register_buffer("prototypes", F.normalize(torch.randn(params.heads, count, params.dim), dim=2))
        self.register_buffer("labels", (torch.arange(setting.train_images) % count).repeat(params.heads, 1))
        self.params = params

    def before_epoch(self, encode: EncodeAll, progress: Progress) -> None:
        """New clusters, as many divisions as there are heads."""
        z = encode(nn.Sequential(self.encoder, self.projector))
        generator = drawing(progress)
        for head, prototypes in enumerate(self.prototypes):
            centroids, labels = spherical_kmeans(
                z, len(prototypes), iterations=self.params.iterations, generator=generator
            )
            prototypes.copy_(as_leader(centroids))
            self.labels[head, : len(labels)] = as_leader(labels)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The cluster of each image, told from each of its views, for every head."""
        del progress
        z = by_size(lambda view: self.projector(self.encoder(view)), (*batch.views, *batch.local_views))
        labels = self.labels[:, batch.indices].flatten()
        losses, right = [], []
        for view in z:
            logits = self._logits(view)
            losses.append(cross_entropy(logits.flatten(0, 1), labels))
            right.append(accuracy(logits.detach().flatten(0, 1), labels))
        every = gather(z[0].detach())
        used = clusters_used(torch.softmax(self._logits(every)[0], dim=1))
        parts = {"agreement": torch.stack(right).mean(), "clusters_used": used, "spread": deviation(every)}
        return Loss(value=torch.stack(losses).mean(), parts=detached(**parts))

    def _logits(self, z: Tensor) -> Tensor:
        """(heads, B, K)."""
        with float32(z):
            return F.normalize(z.float(), dim=1) @ self.prototypes.mT / self.params.temperature


def _chance(params: DeepClusterParams, setting: Setting) -> float:
    return math.log(fitting_count(params.prototypes, setting.train_images))


def _points_one_way(value: float, params: DeepClusterParams, setting: Setting) -> bool:
    del params, setting
    return value < 0.02


def _is_in_one(value: float, params: DeepClusterParams, setting: Setting) -> bool:
    del params, setting
    return value < 1.5


METHOD = MethodInfo(
    name="deepcluster_v2",
    title="DeepCluster v2",
    family="clustering",
    paper="arXiv:2006.09882",
    year=2020,
    summary="Divides all images into clusters before every epoch, and learns to tell an image's cluster from a view.",
    explanation="Before each epoch the encoder looks at all training images, and k-means divides them into clusters of "
    "images that look alike to it. During the epoch these clusters are the classes: every view, however it was cropped "
    "or recolored, must tell the cluster of its image. Better features give better clusters, which give better "
    "features. Several divisions, each begun differently, are learned at once, so that no single one misleads.",
    when="For sets of a few thousand to a million images. Good where views must stay weak, as the images themselves "
    "decide what belongs together. Works with small batches; needs one more look at all images per epoch.",
    collapse="The loss stays at ln(clusters) where nothing is learned: 8.01 for 3,000. In a collapse all vectors point "
    "the same way: 'spread' falls to 0, k-means divides noise, and 'agreement' with the clusters stays near 0.",
    params=DeepClusterParams,
    build=DeepCluster,
    tags=("small batches", "multi-crop", "no negatives"),
    min_batch=2,
    global_views=2,
    local_views=True,
    preset="swav",
    recipe=Recipe(
        optimizer="lars",
        learning_rate=0.6,
        weight_decay=1e-6,
        warmup=11,
        short_rate=2e-3,
        source="solo-learn's CIFAR-10, ResNet-18: LARS 0.6 per 256, weight decay 1e-6, 3 × 3,000 prototypes, T 0.1, "
        "projector 2048-128, warm-up of 11 epochs (88.9 %)",
    ),
    chance_loss=_chance,
    symptoms=(
        Symptom(
            part="spread",
            is_sick=_points_one_way,
            title="All vectors point the same way",
            text="k-means has nothing to divide when all images give one vector. Lower the learning rate or use "
            "stronger views.",
        ),
        Symptom(
            part="clusters_used",
            is_sick=_is_in_one,
            title="Nearly all images in one cluster",
            text="One cluster holds everything, so that its name is always the right answer. Use more prototypes, or "
            "a lower learning rate.",
        ),
    ),
)
