"""SeLa: labels that divide all images evenly are made up to fit the network best; then it learns them."""

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, EncodeAll, Loss, Method, MethodInfo, Progress, Setting, Symptom, detached
from workbench.method.gather import as_leader, gather
from workbench.method.losses.labels import accuracy, cross_entropy
from workbench.method.losses.spread import deviation
from workbench.method.prototypes import clusters_used, fitting_count
from workbench.method.sinkhorn import balanced_labels
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class SeLaParams(Params, frozen=True, kw_only=True):
    """Parameters of SeLa."""

    prototypes: Annotated[
        int,
        param("Clusters of each head; at most one for ten training images.", ge=2, le=65_536, logarithmic=True),
    ] = 128
    heads: Annotated[int, param("Divisions into clusters that are learned together.", ge=1, le=64)] = 10
    relabelings: Annotated[
        int,
        param(
            "How often in the whole run new labels are made, before an epoch: often at first, ever less later.",
            ge=1,
            le=10_000,
        ),
    ] = 80
    sharpness: Annotated[
        float,
        param(
            "How closely the labels follow the predictions; more is closer, and takes longer.",
            ge=1,
            le=200,
            logarithmic=True,
            advanced=True,
        ),
    ] = 25.0


class SeLa(Method):
    """Cross-entropy to labels by optimal transport of the whole set (Asano et al. 2020, eq. 6 to 8, sec. 3.4).

    Each head is a linear layer on the encoder's features with a division of its own, as in the paper. New labels
    come from the whole images, not from views of them. The i-th of R relabelings falls at (i / R)² of the training, and
    is made before the epoch that follows.
    """

    labels: Tensor

    def __init__(self, encoder: Encoder, params: SeLaParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.clusters = fitting_count(params.prototypes, setting.train_images)
        self.heads = nn.Linear(encoder.dim, params.heads * self.clusters)
        self.register_buffer("labels", (torch.arange(setting.train_images) % self.clusters).repeat(params.heads, 1))
        self.params = params

    def before_epoch(self, encode: EncodeAll, progress: Progress) -> None:
        """New labels for all images, where they are due."""
        if not self._is_due(progress):
            return
        features = encode(self.encoder)
        weights, biases = (torch.split(one.detach(), self.clusters) for one in (self.heads.weight, self.heads.bias))
        for head, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            logits = nn.functional.linear(features, weight, bias)
            labels, _ = balanced_labels(logits, sharpness=self.params.sharpness)
            self.labels[head, : len(labels)] = as_leader(labels)

    def _is_due(self, progress: Progress) -> bool:
        def made(epoch: int) -> int:
            return math.floor(self.params.relabelings * math.sqrt(epoch / progress.total_epochs))

        return progress.epoch == 0 or made(progress.epoch) > made(progress.epoch - 1)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The label of each image, told from each of its views, for every head."""
        del progress
        features = [self.encoder(view) for view in batch.views]
        labels = self.labels[:, batch.indices].T.flatten()
        logits = [self.heads(one).unflatten(1, (-1, self.clusters)) for one in features]
        value = torch.stack([cross_entropy(one.flatten(0, 1), labels) for one in logits]).mean()
        right = torch.stack([accuracy(one.detach().flatten(0, 1), labels) for one in logits]).mean()
        used = clusters_used(torch.softmax(gather(logits[0][:, 0].detach()).float(), dim=1))
        spread = deviation(gather(features[0].detach()))
        return Loss(value=value, parts=detached(agreement=right, clusters_used=used, spread=spread))


def _chance(params: SeLaParams, setting: Setting) -> float:
    return math.log(fitting_count(params.prototypes, setting.train_images))


def _is_the_same(value: float, params: SeLaParams, setting: Setting) -> bool:
    del params, setting
    return value < 0.005


METHOD = MethodInfo(
    name="sela",
    title="SeLa",
    family="clustering",
    paper="arXiv:1911.05371",
    year=2020,
    summary="Makes up labels that divide the images evenly and learns them, again and again.",
    explanation="Nobody has labeled the images, so the method does it itself: from time to time it gives every image "
    "the label that the network finds most fitting, under the condition that all labels are used equally often. "
    "Between two such labelings it learns to tell the labels from views of the images. Ten divisions into 128 "
    "clusters are learned side by side, each seeing something else in the images.",
    when="A simple method for one view per image, for sets with many kinds of about equal size. Works with small "
    "batches and little memory. Slower to learn than SwAV, which shares the images out in every batch.",
    collapse="The loss stays at ln(clusters) where nothing is learned: 4.85 for 128. One cluster for all is ruled out "
    "by the even labels; a network that gives every image the same features stays there, with 'spread' near 0.",
    params=SeLaParams,
    build=SeLa,
    tags=("small batches", "one view", "no negatives"),
    min_batch=2,
    global_views=1,
    preset="moco-v1",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.06,
        weight_decay=5e-4,
        short_rate=2e-3,
        source="the authors' CIFAR-10 run: SGD 0.03 per 128, 10 heads of 128 clusters, 400 epochs, crops from 0.2",
    ),
    chance_loss=_chance,
    symptoms=(
        Symptom(
            part="spread",
            is_sick=_is_the_same,
            title="All images give the same features",
            text="Labels are dealt out, but nothing in the features can tell them. Lower the learning rate, or use "
            "fewer clusters.",
        ),
    ),
)
