"""Inpainting (context encoder): cut a hole into an image, and paint what was there from what is around it."""

from typing import Annotated

import torch
from torch import Tensor, nn

from workbench.method.adversarial import Discriminator, discriminator_wins, play
from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.decoders import ImageDecoder
from workbench.method.exhibit import Panel
from workbench.method.holes import HoleKind, band_around, holes
from workbench.method.losses.rebuilding import squared_error
from workbench.method.masking import Draw, draw_of, fixed_draw
from workbench.method.rebuilding import figures, mean_of, only_the_mean, pictures
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param

_BAND_WEIGHT = 10.0
"""Of a pixel beside the hole, which is seen, so that what is painted joins what is around (section 3.2)."""


class InpaintingParams(Params, frozen=True, kw_only=True):
    """Parameters of inpainting."""

    hole: Annotated[
        HoleKind,
        param("Several blocks, one square anywhere, or one square always in the center (learns the least)."),
    ] = "blocks"
    share: Annotated[float, param("Share of the image that is cut out, at most.", ge=0.02, le=0.8)] = 0.25
    overlap: Annotated[
        float,
        param(
            "Width of the rim around the hole that is painted, too, and counts tenfold; a share of the image's side.",
            ge=0,
            le=0.2,
            advanced=True,
        ),
    ] = 0.03
    adversarial: Annotated[
        float,
        param(
            "Weight of looking real, against being right pixel by pixel: more is sharper and less stable; 0 has none.",
            ge=0,
            le=0.9,
        ),
    ] = 0.001
    bottleneck: Annotated[
        int,
        param(
            "Numbers that are left of an image before it is painted; 4,000 in the paper.",
            ge=2,
            le=8192,
            logarithmic=True,
        ),
    ] = 256
    width: Annotated[
        int,
        param("Channels of the decoder's smallest map; each doubling halves them.", ge=16, le=2048, advanced=True),
    ] = 128


class Inpainting(Method):
    """(1 − λ) squared error in the hole + λ adversarial loss (Pathak et al. 2016, eq. 1 to 3).

    As in the paper, the discriminator sees what is in the hole and not what is around it, where a seam would give
    the answer away. Its hole is blank elsewhere, so that it may have any shape.
    """

    def __init__(self, encoder: Encoder, params: InpaintingParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = ImageDecoder(
            encoder.dim, params.bottleneck, setting.channels, setting.image_size, width=params.width
        )
        self.discriminator: nn.Module | None = None
        if params.adversarial > 0:
            self.discriminator = Discriminator(setting.channels, setting.image_size, width=max(8, params.width // 4))
        self.reach = round(params.overlap * setting.image_size)
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The mean of all views, each with holes of its own."""
        losses, told = [], []
        for number, view in enumerate(batch.views):
            hole, painted = self._painted(view, draw_of(batch.indices, progress, number))
            weights = hole + _BAND_WEIGHT * band_around(hole, self.reach)
            value, parts = squared_error(painted, view, weights), figures(painted, view, hole)
            if self.discriminator is not None:
                game = play(self.discriminator, view * hole, painted.float() * hole)
                weight = self.params.adversarial
                value = (1 - weight) * value + weight * game.maker + game.discriminator
                parts |= detached(looks_real=game.maker, told_right=game.right)
            losses.append(value)
            told.append(parts)
        return Loss(value=torch.stack(losses).mean(), parts=mean_of(told))

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The image with its hole, the image, and the hole filled in."""
        del progress
        view = batch.views[0]
        hole, painted = self._painted(view, fixed_draw(batch.indices))
        filled = torch.where(hole > 0, painted.float(), view)
        return pictures(("With a hole", view * (1 - hole)), view, ("Filled in", filled))

    def _painted(self, view: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """The holes (B, 1, s, s), blank in the mean color, and the whole image as it is painted."""
        hole = holes(draw, view.shape[-1], kind=self.params.hole, share=self.params.share)
        painted: Tensor = self.decoder(self.encoder(view * (1 - hole)))
        return hole, painted


METHOD = MethodInfo(
    name="inpainting",
    title="Inpainting",
    family="rebuilding",
    paper="arXiv:1604.07379",
    year=2016,
    summary="Cuts holes into each image and learns to paint what was there from what is around.",
    explanation="A part of the image is cut out, and the network has to paint it from the rest: the missing eye "
    "of a face, the rest of a wing. That takes knowing what the thing is and where its parts lie. The squared error "
    "alone gives blurred fillings, the mean of everything that could be there; a second network, the discriminator, "
    "is trained beside it to tell painted holes from real ones, and the painter to fool it, which makes them "
    "sharper. Also known as context encoder; masked methods such as MAE do the same with transformers.",
    when="Where the arrangement of parts matters: faces, buildings, tissue, scans of one kind of object. It gives "
    "pictures that anybody understands. On varied photographs methods with two views get further. The "
    "adversarial part makes fillings look better and the encoder hardly so; at 0 a step is a third quicker.",
    collapse="The holes are filled with the mean of all images, blurred: 'variety' near 0 and 'explained' at 0. Where "
    "'told right' reaches 1 the discriminator has won, and the adversarial part no longer teaches.",
    params=InpaintingParams,
    build=Inpainting,
    tags=("one view", "easy to read", "adversarial", "small batches"),
    min_batch=1,
    global_views=1,
    exhibits=True,
    preset="rebuilding",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=1e-4,
        warmup=1.0,
        source="Pathak et al. 2016, section 4: λ 0.999 and 0.001, Adam; blocks of up to a quarter, overlap of 7 of 227 "
        "px (section 3). Their discriminator's rate is a tenth of the painter's, here it is the same. 1e-3 is ours",
    ),
    symptoms=(
        only_the_mean("Cut out less, or lower the learning rate."),
        discriminator_wins(
            "told_right",
            "The squared error goes on teaching; for sharper fillings raise the adversarial weight or lower the "
            "learning rate.",
            matters=lambda params: params.adversarial > 0,
        ),
    ),
)
