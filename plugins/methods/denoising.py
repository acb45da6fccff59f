"""Denoising autoencoder: spoil an image with noise, and paint it as it was before."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting
from workbench.method.decoders import ImageDecoder
from workbench.method.exhibit import Panel
from workbench.method.losses.rebuilding import squared_error
from workbench.method.masking import Draw, draw_of, fixed_draw
from workbench.method.noise import NoiseKind, corrupted
from workbench.method.rebuilding import figures, mean_of, only_the_mean, pictures
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class DenoisingParams(Params, frozen=True, kw_only=True):
    """Parameters of the denoising autoencoder."""

    noise: Annotated[
        NoiseKind,
        param("Specks without anything in them (masking), noise on every pixel (gaussian), or black and white specks."),
    ] = "masking"
    amount: Annotated[
        float,
        param(
            "Share of the image that the specks cover; or the deviation of gaussian noise, of the image's.",
            ge=0.01,
            le=0.95,
        ),
    ] = 0.25
    grain: Annotated[
        int,
        param(
            "Side of a speck. Large ones cannot be filled from their neighbors, and teach more.", ge=1, le=64, unit="px"
        ),
    ] = 1
    bottleneck: Annotated[
        int,
        param("Numbers that are left of an image before it is painted.", ge=2, le=8192, logarithmic=True),
    ] = 128
    width: Annotated[
        int,
        param("Channels of the decoder's smallest map; each doubling halves them.", ge=16, le=2048, advanced=True),
    ] = 128


class Denoising(Method):
    """Squared error between an image and what is painted of it after noise (Vincent et al. 2008, section 2.3)."""

    def __init__(self, encoder: Encoder, params: DenoisingParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = ImageDecoder(
            encoder.dim, params.bottleneck, setting.channels, setting.image_size, width=params.width
        )
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The mean of all views, each with noise of its own."""
        losses, told = [], []
        for number, view in enumerate(batch.views):
            painted = self._painted(self._spoiled(view, draw_of(batch.indices, progress, number)))
            losses.append(squared_error(painted, view))
            told.append(figures(painted, view))
        return Loss(value=torch.stack(losses).mean(), parts=mean_of(told))

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The noisy image, the clean one, and what is painted."""
        del progress
        view = batch.views[0]
        spoiled = self._spoiled(view, fixed_draw(batch.indices))
        return pictures(("With noise", spoiled), view, ("Painted without", self._painted(spoiled)))

    def _spoiled(self, view: Tensor, draw: Draw) -> Tensor:
        params = self.params
        return corrupted(view, draw, kind=params.noise, amount=params.amount, grain=params.grain)

    def _painted(self, view: Tensor) -> Tensor:
        painted: Tensor = self.decoder(self.encoder(view))
        return painted


METHOD = MethodInfo(
    name="denoising",
    title="Denoising autoencoder",
    family="rebuilding",
    paper="arXiv:1206.5538",
    year=2008,
    summary="Spoils each image with noise and learns to paint it as it was.",
    explanation="An autoencoder may keep whatever it likes of an image. Here parts of the image are spoiled first: "
    "specks are blanked, or noise lies over it, and the image has to be painted as it was before. To do so, the "
    "encoder must know what usually belongs beside what, so that it learns regularities and not pixels, and stops "
    "caring for noise of that kind. Masked methods such as MAE are the same idea with large holes.",
    when="Where images are noisy in use (microscopy, low light, radiographs), with noise like theirs, and to see "
    "where masked modeling comes from. Small specks are filled from their neighbors, which teaches edges and textures; "
    "larger ones (grain of 4 px and more, an amount of 0.5) ask for more. For telling photographs apart, methods with "
    "two views get further.",
    collapse="It paints the mean of all images, blurred: 'variety' near 0 and 'explained' at 0. A loss that is low "
    "from the start means that the noise is too weak to ask for anything.",
    params=DenoisingParams,
    build=Denoising,
    tags=("one view", "easy to read", "classic", "small batches"),
    min_batch=1,
    global_views=1,
    exhibits=True,
    preset="rebuilding",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=1e-4,
        warmup=1.0,
        source="Vincent et al. 2008, section 4: masking noise of 0.25; 2010, section 4: Gaussian 0.1 to 0.5. Adam at "
        "1e-3 instead of their plain gradient descent, our own number",
    ),
    symptoms=(only_the_mean("Use less noise, or lower the learning rate."),),
)
