"""NPID: every image is a class of its own, and a memory bank holds the classes."""

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached, drawing
from workbench.method.gather import gather
from workbench.method.losses.bank import bank_softmax
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.method.memory import Bank
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class NPIDParams(Params, frozen=True, kw_only=True):
    """Parameters of instance discrimination."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.1
    negatives: Annotated[
        int,
        param(
            "Remembered images, drawn anew in each step, to compare with; 0 for all. Draw some (4,096) when there are "
            "hundreds of thousands.",
            ge=0,
            le=1_048_576,
            unit="images",
        ),
    ] = 0
    bank_momentum: Annotated[
        float,
        param("How much of an image's remembered vector stays when it is seen again.", ge=0, le=1, advanced=True),
    ] = 0.5
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


class NPID(Method):
    """Non-parametric softmax over the training images (Wu et al. 2018, eq. 2), a linear head, a bank.

    With `negatives` the softmax is over the image and as many drawn others. The paper estimates the full softmax from
    such a draw by noise-contrastive estimation (eq. 4 to 8), whose constant is a guess from the first batch.
    """

    def __init__(self, encoder: Encoder, params: NPIDParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.dim, params.dim)
        self.bank = Bank(setting.train_images, params.dim)
        self.params = params
        self._fresh: list[tuple[Tensor, Tensor]] = []  # what is written into the bank once the step is done.

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Each view against the bank; the mean over the views."""
        z = [F.normalize(self.head(self.encoder(view)).float(), dim=1) for view in batch.views]
        rows = self.bank.draw(self.params.negatives, drawing(progress))
        compared = self.bank.beside(batch.indices, rows)
        losses = [bank_softmax(one, *compared, temperature=self.params.temperature) for one in z]
        mean = torch.stack(z).mean(dim=0).detach()
        self._fresh.append((gather(batch.indices), gather(mean)))
        parts = {
            "own_memory": (mean * compared[0]).sum(dim=1).mean(),
            "other_images": mean_cosine(z[0]),
            "spread": deviation(z[0]),
        }
        return Loss(value=torch.stack(losses).mean(), parts=detached(**parts))

    def after_step(self, progress: Progress) -> None:
        """The images of this step are remembered as they look now, halfway."""
        del progress
        for indices, z in self._fresh:
            self.bank.move(indices, z, momentum=self.params.bank_momentum)
        self._fresh.clear()


def _chance(params: NPIDParams, setting: Setting) -> float:
    drawn = 0 < params.negatives < setting.train_images
    return math.log(params.negatives + 1 if drawn else setting.train_images)


METHOD = MethodInfo(
    name="npid",
    title="Instance discrimination",
    family="contrastive",
    paper="arXiv:1805.01978",
    year=2018,
    summary="Takes every single image for a class of its own, and learns to recognize it among all the others.",
    explanation="A memory bank holds one vector for every training image: what the encoder made of it when it last saw "
    "it. An altered copy of an image must be nearest to its own vector in the bank, and far from those of all other "
    "images. To tell thousands of images apart the encoder finds what is typical of each, and images that are alike "
    "end up near each other all the same. SimCLR, MoCo and PIRL all come from this idea.",
    when="For small and medium sets (up to some hundred thousand images: the bank takes 0.5 KB for each) and any batch "
    "size. It needs one view per image and no second network, so it is cheap; but an image is compared with memories "
    "that are an epoch old, so many epochs are needed, and MoCo v2 gets further.",
    collapse="Stays near ln(images) where nothing is learned: 10.8 for 50,000. The bank starts at random, so the loss "
    "rises in the first epoch, while the other images' vectors come near, and falls only then. 'spread' near 0 says "
    "that all images get the same vector.",
    params=NPIDParams,
    build=NPID,
    tags=("small batches", "memory bank", "one view", "classic"),
    min_batch=2,
    global_views=1,
    preset="moco-v1",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.06,
        weight_decay=5e-4,
        short_rate=2e-3,
        source="the authors' CIFAR-10 setting, ResNet-18: SGD 0.03 at a batch of 128 for 200 epochs, T 0.1, "
        "128 entries, full softmax: kNN about 80.5 %",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Lower the learning rate.", below=0.05),),
)
