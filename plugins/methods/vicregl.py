"""VICRegL: VICReg for whole images and for their places, so that the encoder keeps what is where."""

import itertools
from typing import Annotated

import torch
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.collapse import no_variance
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.gather import gather
from workbench.method.heads import fitting_width, mlp
from workbench.method.losses.local import cell_positions, matching_pairs
from workbench.method.losses.redundancy import vicreg
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class VICRegLParams(Params, frozen=True, kw_only=True):
    """Parameters of VICRegL."""

    alpha: Annotated[
        float, param("Weight of the whole image; the rest goes to its places. 1 is VICReg.", ge=0, le=1)
    ] = 0.75
    matches: Annotated[
        int, param("Places of a view that are compared with those of the other, the best matches.", ge=1, le=1024)
    ] = 20
    invariance: Annotated[
        float, param("Weight of: what belongs together has the same vector.", ge=0, le=1000, advanced=True)
    ] = 25.0
    variance: Annotated[
        float, param("Weight of: every entry differs between images.", ge=0, le=1000, advanced=True)
    ] = 25.0
    covariance: Annotated[float, param("Weight of: no two entries say the same.", ge=0, le=1000, advanced=True)] = 1.0
    dim: Annotated[
        int,
        param(
            "Width of the projector and entries of the vectors of whole images; at most eight times the encoder's "
            "features.",
            ge=2,
            le=16_384,
        ),
    ] = 2048
    hidden: Annotated[
        int, param("Width of the projector and entries of the vectors of places.", ge=2, le=16_384, advanced=True)
    ] = 512


class VICRegL(Method):
    """α VICReg of the features + (1 − α) VICReg of matching cells of the feature maps (Bardes et al. 2022, VICRegL).

    Cells match by where they lie on the image, and by their vectors; both directions of both count, as in the authors'
    setting for ResNets, which has no local views.
    """

    def __init__(self, encoder: Encoder, params: VICRegLParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        width = fitting_width(params.dim, encoder.dim)
        self.projector = mlp(encoder.dim, width, width, layers=3)
        self.place_projector = mlp(encoder.dim, params.hidden, params.hidden, layers=3)
        self.params = params
        # The authors' code takes the mean of both views' covariance here, and the sum in VICReg.
        self.weights = (params.invariance, params.variance, params.covariance / 2)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The weighted sum of both losses, each of them, and the variance term of the whole images."""
        del progress
        z, cells, positions = [], [], []
        for view, corners in zip(batch.views, batch.corners, strict=True):
            features, maps = self.encoder.features_and_maps(view)
            z.append(gather(self.projector(features)))
            cells.append(self._project_cells(maps))
            positions.append(cell_positions(corners, *maps.shape[-2:]))
        pairs = list(itertools.combinations(range(len(z)), 2))
        whole = torch.stack([torch.stack(vicreg(z[a], z[b])) for a, b in pairs]).mean(dim=0)
        places = torch.stack([self._places(cells, positions, a, b) for a, b in pairs]).mean(dim=0)
        weights = whole.new_tensor(self.weights)
        of_images, of_places = (weights * whole).sum(), (weights * places).sum()
        return Loss(
            value=self.params.alpha * of_images + (1 - self.params.alpha) * of_places,
            parts=detached(whole_images=of_images, places=of_places, variance=weights[1] * whole[1]),
        )

    def _project_cells(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) to (B, h × w, hidden)."""
        rows = maps.flatten(2).transpose(1, 2)
        return self.place_projector(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])  # type: ignore[no-any-return]

    def _places(self, cells: list[Tensor], positions: list[Tensor], a: int, b: int) -> Tensor:
        """The three terms of matching cells: by place plus by vector, each the mean of its two directions."""
        pairs = matching_pairs(cells[a], cells[b], positions[a], positions[b], matches=self.params.matches)
        return torch.stack([torch.stack(vicreg(gather(mine), gather(theirs))) for mine, theirs in pairs]).sum(dim=0) / 2


METHOD = MethodInfo(
    name="vicregl",
    title="VICRegL",
    family="redundancy reduction",
    paper="arXiv:2210.01571",
    year=2022,
    summary="VICReg twice: for the whole image, and for every place that both views show.",
    explanation="A vector for the whole image says what is in it and forgets where. VICRegL makes VICReg's three "
    "demands of whole images and also of their places: the last feature map of each view is a small grid of "
    "vectors, and those of the two views that lie at the same place of the image, or that are most alike, must agree. "
    "The encoder's feature maps then keep what is where.",
    when="When the encoder shall find or outline things (cells, lesions, objects) and not only name the image. It "
    "needs feature maps of some size: images of 96 px and more, since a small one has only a few places. Memory and "
    "batches as for VICReg.",
    collapse="As in VICReg: 'variance' near its weight (24.75 with the defaults) means that all images have the same "
    "vector. 'places' at 49.5, twice that as places are matched in two ways, says the same of places. Raise the weight "
    "of the variance, or lower the learning rate.",
    params=VICRegLParams,
    build=VICRegL,
    tags=("keeps what is where", "no negatives"),
    min_batch=2,
    no_accumulation="VICRegL takes its statistics over the whole batch: parts of it do not add up to the whole.",
    global_views=2,
    uses_corners=True,
    needs=("maps",),
    preset="vicreg",
    recipe=Recipe(
        optimizer="lars",
        learning_rate=0.3,
        weight_decay=1e-4,
        warmup=10.0,
        short_rate=2e-3,
        source="as VICReg in solo-learn (CIFAR-10, LARS 0.3 per 256); α 0.75, 20 matches and places of 512 from the "
        "paper's ResNet-50",
    ),
    symptoms=(no_variance(lambda params: params.variance),),
)
