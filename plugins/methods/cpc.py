"""CPC: from the upper part of an image, foretell what the patches below it look like to the encoder."""

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import RowContext
from workbench.method.losses.contrastive import in_batch
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.method.patches import overlapping
from workbench.spec.catalog import Recipe
from workbench.spec.errors import CheckError
from workbench.spec.params import Params, param


class CPCParams(Params, frozen=True, kw_only=True):
    """Parameters of CPC."""

    grid: Annotated[
        int,
        param(
            "Rows and columns of patches, which overlap by a half. Fewer are quicker and larger.",
            ge=3,
            le=12,
            unit="patches",
        ),
    ] = 7
    steps: Annotated[
        int, param("How many rows further down is foretold; fewer than there are rows.", ge=1, le=11, unit="rows")
    ] = 3
    temperature: Annotated[
        float,
        param(
            "How hard the most similar other patches are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.1
    dim: Annotated[int, param("Entries of a patch's vector and of its context.", ge=2, le=16_384, advanced=True)] = 256
    layers: Annotated[
        int, param("Layers of the context network, each of which sees one row more.", ge=1, le=12, advanced=True)
    ] = 5


class CPC(Method):
    """InfoNCE of W_k c(r, c) and the patch k rows below, over all r, c, k (van den Oord et al. 2018, section 3.2).

    A patch is told from all others of its row in the grid, over the whole batch. Vectors are of unit norm and there is
    a temperature, as in later methods; the paper has neither. Patches below 16 px are enlarged.
    """

    def __init__(self, encoder: Encoder, params: CPCParams, setting: Setting) -> None:
        super().__init__()
        del setting
        if params.steps >= params.grid:
            raise CheckError(
                f"CPC cannot foretell {params.steps} rows ahead in a grid of {params.grid} rows.",
                hint=f"Set method.params.steps to {params.grid - 1} at most, or raise method.params.grid.",
            )
        self.encoder = encoder
        self.embed = nn.Linear(encoder.dim, params.dim)
        self.context = RowContext(params.dim, layers=params.layers)
        self.foretell = nn.ModuleList(nn.Conv2d(params.dim, params.dim, 1) for _ in range(params.steps))
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The mean over views, steps and rows."""
        del progress
        grids = [self._grid(view) for view in batch.views]
        z = [gather(grid) for grid in grids]
        losses = torch.stack([self._foretold(grid, every) for grid, every in zip(grids, z, strict=True)])
        middle = z[0][:, :, self.params.grid // 2, self.params.grid // 2]
        return Loss(value=losses.mean(), parts=detached(spread=deviation(middle), other_images=mean_cosine(middle)))

    def _grid(self, view: Tensor) -> Tensor:
        """(B, dim, grid, grid): a vector for every patch."""
        patches = overlapping(view, self.params.grid)
        features: Tensor = self.embed(self.encoder(patches.flatten(0, 1)))
        shape = (len(view), self.params.grid, self.params.grid, self.params.dim)
        return features.reshape(shape).permute(0, 3, 1, 2)

    def _foretold(self, grid: Tensor, every: Tensor) -> Tensor:
        """The mean loss over all rows that can be foretold; `every` holds the patches of all processes."""
        context = self.context(grid)
        losses = []
        for ahead, foretell in enumerate(self.foretell, start=1):
            guesses = gather(foretell(context[:, :, :-ahead]))
            for row in range(self.params.grid - ahead):
                q, k = (_as_rows(one) for one in (guesses[:, :, row], every[:, :, row + ahead]))
                losses.append(in_batch(q, k, temperature=self.params.temperature))
        return torch.stack(losses).mean()


def _as_rows(patches: Tensor) -> Tensor:
    """(B, dim, columns) to (B · columns, dim)."""
    return patches.transpose(1, 2).flatten(0, 1)


def _chance(params: CPCParams, setting: Setting) -> float:
    return math.log(setting.batch_size * params.grid)


METHOD = MethodInfo(
    name="cpc",
    title="CPC",
    family="contrastive",
    paper="arXiv:1807.03748",
    year=2018,
    summary="Cuts an image into patches and foretells from the upper rows which patches come further down.",
    explanation="The image is cut into a grid of overlapping patches, and the encoder turns each into a vector. A "
    "small network reads them from the top down, never looking ahead, and must pick the patches that come some "
    "rows further down, among the patches of all images of the batch. To know what belongs below, the encoder has to "
    "understand what a patch is a part of. One view is enough; the alterations need not be strong.",
    when="As a classic, to see where the contrastive loss comes from. It is slow: with a grid of 7 the encoder sees 49 "
    "patches per view, of 16 px at least, so an image of 32 px costs about twelve times as much as in SimCLR, in time "
    "and in memory. Smaller grids (4) are quicker. The encoder never sees a whole image in training, so later methods "
    "with whole images get further.",
    collapse="Stays at ln(batch × grid) where nothing is learned: 7.49 for a batch of 256 and a grid of 7. A loss that "
    "falls at once can be a shortcut, as neighboring patches overlap by a half: keep 'steps' at 2 and more, so that "
    "rows without anything in common are foretold as well. 'spread' near 0 says that all patches get the same vector.",
    params=CPCParams,
    build=CPC,
    tags=("one view", "slow", "classic"),
    min_batch=2,
    no_accumulation="CPC compares the patches of a batch with each other: parts of it do not add up to the whole.",
    global_views=1,
    preset="rotation",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=1e-4,
        source="Adam as in the paper (2e-4 at a batch of 128, section 3.2); larger for small networks, our own number",
    ),
    chance_loss=_chance,
    symptoms=(same_vectors("Lower the learning rate.", below=0.05),),
)
