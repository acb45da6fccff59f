"""PIRL: an image and its shuffled pieces must both be recognized as that image."""

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached, drawing
from workbench.method.gather import gather
from workbench.method.heads import PatchesHead
from workbench.method.losses.bank import bank_nce
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.method.memory import Bank
from workbench.method.patches import tiles
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param

_ROWS = 3


class PIRLParams(Params, frozen=True, kw_only=True):
    """Parameters of PIRL."""

    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.07
    jigsaw: Annotated[
        float,
        param("Weight (λ) of recognizing the shuffled pieces; the rest is for the whole image.", ge=0.01, le=0.99),
    ] = 0.5
    negatives: Annotated[
        int,
        param(
            "Remembered images, drawn anew in each step, to compare with; all if there are no more.",
            ge=16,
            le=1_048_576,
            unit="images",
            logarithmic=True,
        ),
    ] = 32_000
    bank_momentum: Annotated[
        float,
        param("How much of an image's remembered vector stays when it is seen again.", ge=0, le=1, advanced=True),
    ] = 0.5
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 128


class PIRL(Method):
    """λ L(m, g(shuffled patches)) + (1 − λ) L(m, f(image)) against a bank (Misra & van der Maaten 2020, eq. 5).

    Every view serves as image and, cut into 3 × 3 patches, as jigsaw. Which order the patches come in is drawn once
    per step. Patches below 16 px are enlarged.
    """

    def __init__(self, encoder: Encoder, params: PIRLParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.dim, params.dim)
        self.jigsaw_head = PatchesHead(encoder.dim, params.dim, patches=_ROWS**2)
        self.bank = Bank(setting.train_images, params.dim)
        self.params = params
        self._fresh: list[tuple[Tensor, Tensor]] = []  # what is written into the bank once the step is done.

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Both terms, each the mean over the views."""
        generator = drawing(progress)
        compared = self.bank.beside(batch.indices, self.bank.draw(self.params.negatives, generator))

        def nce(z: list[Tensor]) -> Tensor:
            return torch.stack([bank_nce(one, *compared, temperature=self.params.temperature) for one in z]).mean()

        whole = [F.normalize(self.head(self.encoder(view)).float(), dim=1) for view in batch.views]
        pieces = [self._of_pieces(view, generator) for view in batch.views]
        image, jigsaw = nce(whole), nce(pieces)
        self._fresh.append((gather(batch.indices), gather(torch.stack(whole).mean(dim=0).detach())))
        share = self.params.jigsaw
        parts = detached(image=image, jigsaw=jigsaw, other_images=mean_cosine(whole[0]), spread=deviation(whole[0]))
        return Loss(value=share * jigsaw + (1 - share) * image, parts=parts)

    def _of_pieces(self, view: Tensor, generator: torch.Generator) -> Tensor:
        """(B, dim): the vectors of the view's patches, put together in a drawn order."""
        patches = tiles(view, _ROWS)
        features = self.encoder(patches.flatten(0, 1)).unflatten(0, patches.shape[:2])
        order = torch.randperm(_ROWS**2, generator=generator).to(view.device)
        vectors: Tensor = self.jigsaw_head(features[:, order])
        return vectors

    def after_step(self, progress: Progress) -> None:
        """The images of this step are remembered as they look now, halfway."""
        del progress
        for indices, z in self._fresh:
            self.bank.move(indices, z, momentum=self.params.bank_momentum)
        self._fresh.clear()


def _chance(params: PIRLParams, setting: Setting) -> float:
    others = min(params.negatives, setting.train_images - 1)
    return math.log(others + 1) + others * math.log(1 + 1 / others)


METHOD = MethodInfo(
    name="pirl",
    title="PIRL",
    family="contrastive",
    paper="arXiv:1912.01991",
    year=2020,
    summary="Recognizes an image among all others from the whole, and also from its nine pieces in any order.",
    explanation="A memory bank holds one vector for every training image. The encoder sees an image as a whole, and "
    "also cut into nine pieces that are put together in a shuffled order; both must be near the image's own vector in "
    "the bank and far from those of other images. The older jigsaw puzzle asked in which order the pieces are; here "
    "the order is what the vector must not depend on, which makes better features.",
    when="When objects should be known by their parts (close-ups, crops, occlusion), and for comparing with the jigsaw "
    "puzzle. A step costs about twice that of NPID, more for images below 48 px, whose pieces are enlarged to 16 px. "
    "The bank takes 0.5 KB for each image; any batch size will do.",
    collapse="Stays near ln(negatives) + 1 where nothing is learned: 11.4 for 32,000. The bank starts at random, so "
    "the loss rises in the first epoch and falls only then. If 'jigsaw' stays while 'image' falls, lower λ. 'spread' "
    "near 0 says that all images get the same vector.",
    params=PIRLParams,
    build=PIRL,
    tags=("small batches", "memory bank", "one view", "classic"),
    min_batch=2,
    global_views=1,
    preset="moco-v1",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.06,
        weight_decay=1e-4,
        short_rate=2e-3,
        source="Misra & van der Maaten 2020, section 4: SGD 0.03 per 256 for 800 epochs, cosine, weight decay 1e-4, "
        "T 0.07, λ 0.5, 32,000 negatives, bank momentum 0.5; learning rate doubled for shorter runs",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Lower the learning rate.", below=0.05),),
)
