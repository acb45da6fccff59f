"""The supervised baseline: the same backbone, views and budget, with labels."""

import math
from typing import Annotated

import torch
from torch import nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.losses.labels import accuracy, cross_entropy
from workbench.spec.catalog import Recipe
from workbench.spec.errors import CheckError
from workbench.spec.params import Params, param


class SupervisedParams(Params, frozen=True, kw_only=True):
    """Parameters of the supervised baseline."""

    label_smoothing: Annotated[
        float, param("Share of certainty that is spread over all classes, against overconfidence.", ge=0, le=0.9)
    ] = 0.0


class Supervised(Method):
    """Cross-entropy of a linear classifier on the features. Images without a label (−1) do not count."""

    def __init__(self, encoder: Encoder, params: SupervisedParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.dim, setting.classes)
        self.label_smoothing = params.label_smoothing

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The classification loss of all views."""
        del progress
        if batch.labels is None:
            raise CheckError("The supervised baseline was given images without labels.")
        logits = torch.cat([self.head(self.encoder(view)) for view in batch.views])
        labels = batch.labels.repeat(len(batch.views))
        value = cross_entropy(logits, labels, smoothing=self.label_smoothing)
        return Loss(value=value, parts=detached(accuracy=accuracy(logits, labels)))


def _chance(params: SupervisedParams, setting: Setting) -> float:
    del params
    return math.log(setting.classes)


METHOD = MethodInfo(
    name="supervised",
    title="Supervised baseline",
    family="baseline",
    paper="",
    year=2012,
    summary="Learns the classes from the labels, to compare with what is learned without them.",
    explanation="Not self-supervised: the network is trained on the labels of the training images, with the same "
    "backbone, augmentations and budget as the other methods. It says how far labels would have brought you, and so "
    "what an encoder trained without labels is worth.",
    when="Beside a self-supervised run, when labels are there. With few labels expect it to memorize them: that "
    "is what self-supervised training is meant to beat.",
    collapse="Stays at ln(classes) where nothing is learned: 2.30 for ten classes. Features of different images of one "
    "class grow alike, so a lower RankMe than that of other methods is normal here.",
    params=SupervisedParams,
    build=Supervised,
    tags=("needs labels", "one view"),
    uses_labels=True,
    min_batch=2,
    global_views=1,
    preset="rotation",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.2,
        weight_decay=5e-4,
        source="the usual CIFAR-10 recipe for ResNet-18: SGD 0.1 at a batch of 128, cosine, weight decay 5e-4",
    ),
    chance_loss=_chance,
)
