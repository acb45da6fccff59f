"""Autoencoder: squeeze an image through a few numbers, and paint it again from them."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting
from workbench.method.decoders import ImageDecoder
from workbench.method.exhibit import Panel
from workbench.method.losses.rebuilding import squared_error
from workbench.method.rebuilding import figures, mean_of, only_the_mean, pictures
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class AutoencoderParams(Params, frozen=True, kw_only=True):
    """Parameters of the autoencoder."""

    bottleneck: Annotated[
        int,
        param(
            "Numbers that are left of an image before it is painted again; fewer leave out more detail.",
            ge=2,
            le=8192,
            logarithmic=True,
        ),
    ] = 64
    width: Annotated[
        int,
        param("Channels of the decoder's smallest map; each doubling halves them.", ge=16, le=2048, advanced=True),
    ] = 128


class Autoencoder(Method):
    """Mean squared error between an image and what a decoder paints from its code (Hinton & Salakhutdinov 2006;
    Bengio et al. 2013, section 7.1).
    """

    def __init__(self, encoder: Encoder, params: AutoencoderParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = ImageDecoder(
            encoder.dim, params.bottleneck, setting.channels, setting.image_size, width=params.width
        )

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The mean of all views."""
        del progress
        answers = [self._painted(view) for view in batch.views]
        pairs = list(zip(answers, batch.views, strict=True))
        value = torch.stack([squared_error(answer, view) for answer, view in pairs]).mean()
        return Loss(value=value, parts=mean_of([figures(answer, view) for answer, view in pairs]))

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The image, which is also the target, and what is painted of it."""
        del progress
        view = batch.views[0]
        given, _, answer = pictures(("The image", view), view, ("Painted from its code", self._painted(view)))
        return given, answer

    def _painted(self, view: Tensor) -> Tensor:
        painted: Tensor = self.decoder(self.encoder(view))
        return painted


METHOD = MethodInfo(
    name="autoencoder",
    title="Autoencoder",
    family="rebuilding",
    paper="arXiv:1206.5538",
    year=2006,
    summary="Squeezes each image through a few numbers and learns to paint it again from them.",
    explanation="The encoder describes an image in a few numbers (the bottleneck), and a decoder paints the image from "
    "them. To be painted well again, the image must be described by what differs most from image to image: where it is "
    "bright, which color the background has, where the large things are. It is the oldest way to learn from images "
    "without labels, and a picture shows at any time what the encoder has kept and what it has dropped.",
    when="To see what a code of so many numbers can hold, for images that are alike up to some variation (aligned "
    "scans, faces, parts on a belt), for finding odd images (those that are painted badly), and as the baseline of all "
    "methods that rebuild. Not for telling things apart in photographs: the squared error cares for large flat areas "
    "and hardly for a small thing that decides the class.",
    collapse="It paints the mean of all images, blurred: 'variety' near 0 and 'explained' at 0. A blur that still "
    "differs from image to image is no fault: details that the bottleneck cannot hold are painted as their mean.",
    params=AutoencoderParams,
    build=Autoencoder,
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
        source="Adam at 1e-3, as small convolutional autoencoders are usually trained; those of 2006 were pretrained "
        "layer by layer. Our own numbers",
    ),
    symptoms=(only_the_mean("Raise the bottleneck, or lower the learning rate."),),
)
