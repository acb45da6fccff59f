"""W-MSE: make the vectors of a batch white, so that they cannot collapse, and bring the two views together."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, Symptom, detached, drawing
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.spread import deviation
from workbench.method.losses.whitening import w_mse
from workbench.spec.catalog import Recipe
from workbench.spec.errors import CheckError
from workbench.spec.params import Params, param


class WMSEParams(Params, frozen=True, kw_only=True):
    """Parameters of W-MSE."""

    dim: Annotated[
        int, param("Entries of the vectors that are made white; at most half of the slice.", ge=2, le=4096)
    ] = 64
    slice: Annotated[
        int, param("Images that are whitened together, a part of the batch drawn anew each step.", ge=2, le=65_536)
    ] = 128
    rounds: Annotated[
        int, param("How often a batch is cut into slices in a step; more is less noisy.", ge=1, le=64, advanced=True)
    ] = 1
    shrinkage: Annotated[
        float,
        param(
            "Share of the identity in the covariance, which keeps its root stable; 0 is the paper.",
            ge=0,
            le=0.5,
            advanced=True,
        ),
    ] = 1e-4
    hidden: Annotated[
        int, param("Width of the projector, the small network that only the loss sees.", ge=8, le=16_384, advanced=True)
    ] = 1024


class WMSE(Method):
    """Squared distance of white unit vectors, over all pairs of views (Ermolov et al. 2021)."""

    def __init__(self, encoder: Encoder, params: WMSEParams, setting: Setting) -> None:
        super().__init__()
        if min(params.slice, setting.batch_size) < params.dim:
            raise CheckError(
                f"W-MSE cannot whiten vectors of {params.dim} entries with "
                f"{min(params.slice, setting.batch_size)} images at a time.",
                hint="Take a larger batch and slice (twice as many images as entries), or a smaller method.dim.",
            )
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.hidden, params.dim)
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The distance after whitening, and the spread of the vectors before it."""
        z = [gather(self.projector(self.encoder(view))) for view in batch.views]
        slices = self._slices(gather(batch.indices), progress)
        value = w_mse(z, slices, shrinkage=self.params.shrinkage)
        return Loss(value=value, parts=detached(spread=deviation(z[0])))

    def _slices(self, indices: Tensor, progress: Progress) -> list[Tensor]:
        """Rows to whiten together, about `slice` each.

        They are drawn among the images in the order of their numbers: it does not matter which process holds which.
        """
        generator = drawing(progress)
        rows = indices.argsort()
        slices: list[Tensor] = []
        for _ in range(self.params.rounds):
            order = torch.randperm(len(rows), generator=generator).to(rows.device)
            slices.extend(rows[order].tensor_split(max(1, len(rows) // self.params.slice)))
        return slices


def _nothing_in_common(value: float, params: WMSEParams, setting: Setting) -> bool:
    del params, setting
    return value > 1.95


METHOD = MethodInfo(
    name="w_mse",
    title="W-MSE",
    family="redundancy reduction",
    paper="arXiv:2007.06346",
    year=2021,
    summary="Spreads the vectors of a batch evenly by whitening, then only has to bring the two views together.",
    explanation="If all that is asked is that two altered copies of an image get the same vector, the same vector for "
    "all images is the easiest answer. W-MSE makes that impossible before it compares: over the batch the vectors are "
    "centered, turned and stretched until every entry varies by 1 and no two vary together (whitening). What is left "
    "is a plain distance between the two views. There is no teacher, no negative and no second term to weigh.",
    when="With batches of 256 and more; 128 is the least with the defaults, as whitening 64 entries needs at least "
    "twice as many images. Quick and with one setting less than VICReg; a wide vector is out of reach.",
    collapse="Stays near 2 where nothing is learned. Whitened vectors cannot all be the same; if those before the "
    "whitening are ('spread' near 0), it only enlarges noise, and the loss returns to 2.",
    params=WMSEParams,
    build=WMSE,
    tags=("needs large batches", "no negatives"),
    min_batch=128,
    no_accumulation="W-MSE whitens the images of a batch together: parts of it do not add up to the whole.",
    global_views=2,
    preset="simclr",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=1e-6,
        warmup=2.0,
        source="Ermolov et al. 2021, CIFAR-10, ResNet-18: Adam 2e-3, batch 512, 64 entries, slices of 128; the same in "
        "solo-learn at a batch of 256 (88.7 %)",
    ),
    symptoms=(
        Symptom(
            part="",
            is_sick=_nothing_in_common,
            title="The two views' vectors have nothing in common",
            text="The loss is near 2, where it stands for vectors that are noise. Raise the batch and the slice, "
            "choose views that are less hard, or change the learning rate.",
        ),
        same_vectors("Raise the batch and the slice, or lower the learning rate."),
    ),
)
