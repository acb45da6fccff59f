"""SCAN: a finished encoder's neighbors are brought into the same cluster, then sure images teach the others."""

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, EncodeAll, Loss, Method, MethodInfo, Progress, Setting, Symptom, detached
from workbench.method.gather import as_leader, gather
from workbench.method.losses.clustering import scan, self_labeling
from workbench.method.neighbors import nearest_neighbors
from workbench.method.prototypes import clusters_used
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class SCANParams(Params, frozen=True, kw_only=True):
    """Parameters of SCAN."""

    clusters: Annotated[
        int, param("Groups that the images are divided into: as many as you expect kinds.", ge=2, le=10_000)
    ] = 10
    neighbors: Annotated[
        int,
        param("Nearest images, to the encoder that it starts from, that should share a cluster.", ge=1, le=1000),
    ] = 20
    entropy: Annotated[
        float, param("How hard images are spread over all clusters; 0 lets them all go into one.", ge=0, le=100)
    ] = 5.0
    self_labeling: Annotated[
        float,
        param("Share of the training, its last part, in which sure images are labels for the others.", ge=0, le=1),
    ] = 0.2
    confidence: Annotated[
        float, param("How sure of its cluster an image must be to serve as a label.", ge=0, le=1, advanced=True)
    ] = 0.99
    heads: Annotated[
        int,
        param("Divisions that are learned side by side; the one with the lowest loss counts.", ge=1, le=64),
    ] = 1


class SCAN(Method):
    """Clustering by adopting neighbors, then self-labeling (Van Gansbeke et al. 2020, eq. 2, sections 2.2 and 2.3).

    The loss is on pairs of an image and one of its neighbors, drawn anew in each epoch, both with gradient. As the
    neighbor is rarely in the batch, its views come beside it (`tuples`): a memory of past probabilities would be
    stale, and without gradient. The first view of the plan is the weak one, which self-labeling is sure by; the
    others are the strong ones, which everything else is learned from, as in the authors' recipe for CIFAR-10.
    """

    neighbors: Tensor
    standing: Tensor

    def __init__(self, encoder: Encoder, params: SCANParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.dim, params.heads * params.clusters)
        count = min(params.neighbors, setting.train_images - 1)
        self.register_buffer("neighbors", torch.zeros(setting.train_images, count, dtype=torch.int32))
        self.register_buffer("standing", torch.zeros(params.heads))  # each head's loss, averaged over past steps.
        self.params = params
        self._losses: Tensor | None = None

    def before_epoch(self, encode: EncodeAll, progress: Progress) -> None:
        """The neighbors, once: to the encoder as the run found it."""
        if progress.epoch == 0:
            found = nearest_neighbors(encode(self.encoder), self.neighbors.shape[1])
            self.neighbors[: len(found)] = as_leader(found)

    def tuples(self, indices: Tensor, progress: Progress) -> Tensor | None:
        """Each image with one of its neighbors: which, is drawn by the epoch and the image."""
        if self._is_self_labeling(progress):
            return None
        images, count = self.neighbors.shape
        chosen = torch.randint(count, (images,), generator=torch.Generator().manual_seed(progress.epoch))[indices]
        device = self.neighbors.device
        neighbors = self.neighbors[indices.to(device), chosen.to(device)].cpu().long()
        return torch.stack([indices, neighbors], dim=1)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """SCAN's loss of strong views and those of neighbors; at last the cross-entropy to the weak view's label."""
        strong = [self._logits(view) for view in batch.views[1:]]
        if self._is_self_labeling(progress):
            with torch.no_grad():
                weak = self._logits(batch.views[0])
            losses = torch.stack([self._taught(weak, one) for one in strong]).mean(dim=0)
        else:
            theirs = [self._logits(view) for view in batch.partner_views[0][1:]]
            pairs = zip(strong, theirs, strict=True)
            losses = torch.stack([self._adopted(one, other) for one, other in pairs]).mean(dim=0)
            self._losses = losses.detach()
        probability = torch.softmax(strong[0].detach()[self._best()].float(), dim=1)
        sure = (probability.amax(dim=1) > self.params.confidence).float().mean()
        return Loss(value=losses.mean(), parts=detached(clusters_used=clusters_used(probability), sure=sure))

    def _logits(self, images: Tensor) -> Tensor:
        """(heads, images of all processes, clusters)."""
        return self._divided(gather(self.head(self.encoder(images))))

    def _divided(self, logits: Tensor) -> Tensor:
        divided = logits.reshape(len(logits), self.params.heads, self.params.clusters)
        return divided.transpose(0, 1)

    def _adopted(self, logits: Tensor, neighbors: Tensor) -> Tensor:
        terms = [scan(one, other) for one, other in zip(logits, neighbors, strict=True)]
        return torch.stack([consistency - self.params.entropy * entropy for consistency, entropy in terms])

    def _taught(self, weak: Tensor, strong: Tensor) -> Tensor:
        pairs = zip(weak, strong, strict=True)
        return torch.stack([self_labeling(one, other, confidence=self.params.confidence)[0] for one, other in pairs])

    def after_step(self, progress: Progress) -> None:
        """How the heads stand, while they learn from neighbors."""
        del progress
        if self._losses is not None:
            self.standing.lerp_(self._losses, 0.01)
            self._losses = None

    def assign(self, features: Tensor) -> Tensor:
        """The cluster of each image, by the best head."""
        return self._divided(self.head(features))[self._best()].argmax(dim=1)

    def _best(self) -> int:
        return int(self.standing.argmin())

    def _is_self_labeling(self, progress: Progress) -> bool:
        return progress.fraction >= 1 - self.params.self_labeling


def _chance(params: SCANParams, setting: Setting) -> float:
    del setting
    return (1 - params.entropy) * math.log(params.clusters)


def _is_in_one(value: float, params: SCANParams, setting: Setting) -> bool:
    del params, setting
    return value < 1.2


def _teaches_nobody(value: float, params: SCANParams, setting: Setting) -> bool:
    """Exactly 0 is the loss of self-labeling without a single label."""
    del params, setting
    return abs(value) < 1e-6


METHOD = MethodInfo(
    name="scan",
    title="SCAN",
    family="clustering",
    paper="arXiv:2005.12320",
    year=2020,
    summary="Divides the images into as many groups as you name, starting from the encoder of a finished run.",
    explanation="An encoder trained before (with SimCLR, say) already puts images of one kind near each other. "
    "Its nearest neighbors are looked up once for every image. Then a small layer behind the encoder learns to give an "
    "image and its neighbors the same group, with the condition that all groups are used. In the last part of the "
    "training, images that are nearly certain of their group teach the group to strongly altered views.",
    when="As a second step after SimCLR or MoCo, whose finished run is named as the backbone's weights, when you want "
    "groups and not only features: it reports how well they match the labels, where there are some (accuracy, NMI, "
    "ARI). Large batches help (128 and more), so that each holds all groups. The better the run that it starts from, "
    "the better the groups.",
    collapse="The loss stands at −4 × ln(groups) where nothing is learned, −9.2 for 10, and nears −5 × ln(groups) "
    "when it succeeds. 'clusters used' near 1 is a collapse into one group: the entropy weight is too low.",
    params=SCANParams,
    build=SCAN,
    tags=("starts from a run", "gives groups"),
    min_batch=2,
    no_accumulation="SCAN spreads a whole batch over the clusters: parts of it do not add up to that.",
    global_views=2,
    uses_tuples=True,
    starts_from_run=True,
    preset="scan",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=2e-4,
        weight_decay=1e-4,
        source="the authors' CIFAR-10 recipe: Adam 1e-4 at a batch of 128, 20 neighbors, entropy weight 5, RandAugment "
        "and cutout; then self-labeling above 0.99 (88.3 % of the images in the right group)",
    ),
    chance_loss=_chance,
    symptoms=(
        Symptom(
            part="clusters_used",
            is_sick=_is_in_one,
            title="Nearly all images in one group",
            text="One group holds everything. Raise the entropy weight, or use a larger batch.",
        ),
        Symptom(
            part="",
            is_sick=_teaches_nobody,
            title="No image is sure of its group",
            text="Self-labeling learns from images that are, and there is none, so that nothing is learned any more. "
            "Train for more epochs or with a higher learning rate, or lower the confidence that is asked for.",
        ),
    ),
)
