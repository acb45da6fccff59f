"""MAE: hide most of an image, show the encoder the rest alone, and let a small decoder paint what is missing."""

from typing import Annotated, cast

import torch
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.exhibit import Panel
from workbench.method.losses.masked import patch_mse
from workbench.method.masked_pictures import masked_panels
from workbench.method.masking import Draw, Split, draw_of, fixed_draw, put, random_split, take
from workbench.method.patch_pixels import normalized, patchify
from workbench.method.token_decoder import TokenDecoder, small_start
from workbench.method.tokens import TokenEncoder
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class MAEParams(Params, frozen=True, kw_only=True):
    """Parameters of MAE."""

    ratio: Annotated[
        float,
        param("Share of the patches that is hidden; so much that copying from a neighbor fails.", ge=0.1, le=0.95),
    ] = 0.75
    normalize: Annotated[
        bool,
        param("Ask for the pattern of each patch, without its own brightness and contrast: better features."),
    ] = True
    hidden: Annotated[
        int, param("Width of the decoder; 512 for ImageNet.", ge=16, le=2048, logarithmic=True, advanced=True)
    ] = 128
    layers: Annotated[
        int,
        param("Blocks of the decoder; 8 where the encoder stays frozen afterwards, for ImageNet.", ge=1, le=16),
    ] = 2


class MAE(Method):
    """Mean squared error of the hidden patches, from those that are left (He et al. 2022, section 3)."""

    encoder: TokenEncoder

    def __init__(self, encoder: Encoder, params: MAEParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = cast("TokenEncoder", encoder)
        self.patch = self.encoder.patch
        self.decoder = TokenDecoder(
            encoder.dim,
            params.hidden,
            self.patch**2 * setting.channels,
            layers=params.layers,
            prefix=self.encoder.prefix,
        )
        small_start(self.decoder.leave)
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The mean of all views, each with a mask of its own."""
        losses = []
        for number, view in enumerate(batch.views):
            split, predicted = self._predict(view, draw_of(batch.indices, progress, number))
            patches = patchify(view, self.patch)
            wanted = normalized(patches)[0] if self.params.normalize else patches
            losses.append(patch_mse(predicted, take(wanted, split.hidden)))
        value = torch.stack(losses).mean()
        return Loss(value=value, parts=detached(explained=1 - value))

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """What it sees, the image, and what it paints; normalized patches get their true brightness and contrast."""
        del progress
        view = batch.views[0]
        split, predicted = self._predict(view, fixed_draw(batch.indices))
        patches = patchify(view, self.patch)
        painted = put(predicted.float(), split.hidden, patches.shape[1])
        if not self.params.normalize:
            return masked_panels(view, split.mask(), painted, self.patch)
        _, mean, deviation = normalized(patches)
        painted = painted * deviation + mean
        return masked_panels(view, split.mask(), painted, self.patch, answer="Filled in, shades given")

    def _predict(self, view: Tensor, draw: Draw) -> tuple[Split, Tensor]:
        """What was hidden, and the decoder's answer (B, hidden, patch² · C)."""
        patches = self.encoder.embedded(view)
        split = random_split(draw, patches.shape[1], self.params.ratio)
        tokens = self.encoder.through(take(patches, split.visible))
        return split, self.decoder(tokens, split.visible, split.hidden, self.encoder.grid(view))


def _chance(params: MAEParams, setting: Setting) -> float:
    """The variance of what is asked for: normalized patches', or that of the normalized images."""
    del params, setting
    return 1.0


METHOD = MethodInfo(
    name="mae",
    title="MAE",
    family="masked",
    paper="arXiv:2111.06377",
    year=2021,
    summary="Hides three quarters of the patches and paints them in from the rest.",
    explanation="The image is cut into patches, and three of four are taken away. The transformer sees only those that "
    "are left, which makes it fast; a small decoder, thrown away after training, must paint the missing ones. So much "
    "is missing that this takes more than continuing a line: to complete a wheel or a nucleus, the encoder must know "
    "what it is looking at. No second view, no negatives, no teacher. The mask is the method's own: the random mask "
    "among the augmentations hides patches from any method, and is not needed here.",
    when="With a transformer, many images, a long run, and labels to fine-tune with: judge it by fine-tuning, not by "
    "the linear probe or kNN, where masked methods look weak (on ImageNet kNN 11 % beside 81 % fine-tuned) because "
    "what they learn is not sorted by class. Works for any kind of image, and needs no augmentation but crops.",
    collapse="It cannot collapse, as the target is the image itself. A loss that stays at 1.0 ('explained' at 0) says "
    "that it paints every patch in its mean color: learning rate too low, or far too few steps. On photographs it "
    "should fall below 0.8 within some thousand steps.",
    params=MAEParams,
    build=MAE,
    tags=("one view", "fast on transformers", "fine-tune it", "small batches"),
    min_batch=1,
    global_views=1,
    needs=("tokens",),
    exhibits=True,
    preset="masked",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1.5e-3,
        weight_decay=0.05,
        warmup=10.0,
        beta2=0.95,
        source="He et al. 2022, table 8: AdamW with betas of 0.9 and 0.95, weight decay 0.05, warm-up, and 1.5e-4 per "
        "256 at a batch of 4,096, so 2.4e-3; here the rate is for batches of 256. Decoder of 128 and 2 "
        "blocks: table 1, as good when fine-tuned",
    ),
    chance_loss=_chance,
)
