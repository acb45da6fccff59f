"""LeJEPA: all views of an image at one point, and the points of all images spread like a normal distribution."""

from typing import Annotated

import torch

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, Symptom, detached, drawing
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.sigreg import random_directions, sigreg, sigreg_of_a_point, to_the_center
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class LeJEPAParams(Params, frozen=True, kw_only=True):
    """Parameters of LeJEPA."""

    weight: Annotated[
        float,
        param("Share (λ) of the pressure towards a normal distribution in the loss.", ge=0, le=1, logarithmic=True),
    ] = 0.05
    directions: Annotated[
        int, param("Random directions per step, along which the distribution is looked at.", ge=1, le=16_384)
    ] = 256
    knots: Annotated[
        int, param("Points of the integral that tells how normal a distribution is.", ge=3, le=201, advanced=True)
    ] = 17
    limit: Annotated[
        float, param("Largest frequency of that integral; higher sees finer structure.", ge=0.5, le=20, advanced=True)
    ] = 3.0
    hidden: Annotated[
        int, param("Width of the projector, the small network that only the loss sees.", ge=8, le=16_384, advanced=True)
    ] = 2048
    dim: Annotated[int, param("Entries of the vectors that shall be normal.", ge=2, le=4096)] = 128


class LeJEPA(Method):
    """λ SIGReg + (1 − λ) distance to the center of the global views (Balestriero & LeCun 2025). No teacher."""

    def __init__(self, encoder: Encoder, params: LeJEPAParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = encoder
        self.projector = mlp(encoder.dim, params.hidden, params.dim, layers=3)
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The weighted sum over all views, local ones too, and its two terms."""
        params = self.params
        views = (*batch.views, *batch.local_views)
        z = torch.stack([gather(self.projector(self.encoder(view))) for view in views])
        directions = random_directions(params.dim, params.directions, drawing(progress)).to(z.device)
        normal = torch.stack([sigreg(view, directions, knots=params.knots, limit=params.limit) for view in z]).mean()
        distance = to_the_center(z, len(batch.views))
        return Loss(
            value=params.weight * normal + (1 - params.weight) * distance,
            parts=detached(distance=distance, not_normal=normal),
        )


def _a_point(value: float, params: LeJEPAParams, setting: Setting) -> bool:
    return value > 0.95 * sigreg_of_a_point(setting.batch_size, knots=params.knots, limit=params.limit)


METHOD = MethodInfo(
    name="lejepa",
    title="LeJEPA",
    family="redundancy reduction",
    paper="arXiv:2511.08544",
    year=2025,
    summary="Brings all views of an image to one point, while all points together form a normal distribution.",
    explanation="Every view of an image, large or small, shall lie where the large ones lie on average. So that "
    "images do not all end up at one place, their points shall be spread like a normal distribution, the same in "
    "every direction, which is what serves unknown later tasks best. That is checked along a few hundred directions, "
    "drawn anew each step, and along each it is a simple test. There is no teacher, no stopped gradient and one "
    "weight to set.",
    when="When you want few settings and a loss that tells how far training is: it falls as the encoder gets better. "
    "Works with transformers and convolutional networks, and with batches of 128 and more.",
    collapse="'not normal' near 0.4 × batch (with the defaults) and 'distance' near 0: all images lie at one point. "
    "Raise the weight λ.",
    params=LeJEPAParams,
    build=LeJEPA,
    tags=("multi-crop", "transformers", "no negatives"),
    min_batch=2,
    no_accumulation="LeJEPA looks at the distribution of the whole batch: parts of it do not add up to the whole.",
    global_views=2,
    local_views=True,
    preset="dino",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=5e-4,
        weight_decay=5e-4,
        warmup=1.0,
        short_rate=2e-3,
        source="Balestriero & LeCun 2025 and its code: AdamW 5e-4, weight decay 5e-4 for ResNets (5e-2 for "
        "transformers), λ 0.05, 17 knots",
    ),
    symptoms=(
        Symptom(
            part="not_normal",
            is_sick=_a_point,
            title="All images lie at one point",
            text="The term that asks for a spread is at the most that it can be for this batch. "
            "Raise its weight, or lower the learning rate.",
        ),
    ),
)
