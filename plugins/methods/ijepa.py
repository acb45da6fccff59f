"""I-JEPA: from a part of the image predict what a slow teacher makes of other parts, as vectors and not as pixels."""

from typing import Annotated, cast

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached, drawing
from workbench.method.exhibit import Panel
from workbench.method.gather import gather
from workbench.method.losses.masked import latent_distance
from workbench.method.losses.spread import deviation
from workbench.method.masked_pictures import block_panels
from workbench.method.masking import Blocks, BlockShape, Draw, draw_of, fixed_draw, multi_block, take
from workbench.method.momentum import Teacher
from workbench.method.token_decoder import TokenDecoder
from workbench.method.tokens import TokenEncoder
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class IJEPAParams(Params, frozen=True, kw_only=True):
    """Parameters of I-JEPA."""

    blocks: Annotated[int, param("Parts of the image that are predicted.", ge=1, le=16)] = 4
    target: Annotated[
        float,
        param("Size of such a part, as a share of the image, at most; at least three quarters of it.", ge=0.05, le=0.5),
    ] = 0.2
    context: Annotated[
        float,
        param("Size of the part that is seen, at least, before the others are cut out of it.", ge=0.3, le=1),
    ] = 0.85
    momentum: Annotated[
        float, param("How slowly the teacher follows at the start; it ends at 1, standing still.", ge=0, le=1)
    ] = 0.996
    hidden: Annotated[
        int,
        param("Width of the predictor, narrower than the encoder; 384 for ImageNet.", ge=16, le=2048, advanced=True),
    ] = 96
    layers: Annotated[int, param("Blocks of the predictor; 12 for ImageNet.", ge=1, le=24, advanced=True)] = 4


class IJEPA(Method):
    """Smooth L1 distance of predicted tokens and the teacher's (Assran et al. 2023, section 3)."""

    encoder: TokenEncoder

    def __init__(self, encoder: Encoder, params: IJEPAParams, setting: Setting) -> None:
        super().__init__()
        del setting
        self.encoder = cast("TokenEncoder", encoder)
        self.teacher = Teacher(_Tokens(self.encoder))
        self.predictor = TokenDecoder(
            encoder.dim, params.hidden, encoder.dim, layers=params.layers, prefix=self.encoder.prefix
        )
        self.params = params
        self.shapes = (
            BlockShape(least=0.75 * params.target, most=params.target, ratios=(0.75, 1.5)),
            BlockShape(least=params.context, most=1.0),
        )

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The mean of all views and blocks; beside it the spread of the teacher's images."""
        losses, spreads = [], []
        generator = drawing(progress)
        for number, view in enumerate(batch.views):
            blocks = self._blocks(view, draw_of(batch.indices, progress, number), generator)
            tokens = self.teacher(view)
            losses.append(latent_distance(self._predict(view, blocks), take(tokens, blocks.targets.flatten(1))))
            spreads.append(deviation(gather(tokens.float().mean(dim=1))))
        return Loss(value=torch.stack(losses).mean(), parts=detached(spread=torch.stack(spreads).mean()))

    def after_step(self, progress: Progress) -> None:
        """The teacher follows, ever more slowly."""
        momentum = self.params.momentum + (1 - self.params.momentum) * progress.fraction
        self.teacher.follow(_Tokens(self.encoder), momentum)

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """What is seen, what is asked for, and of all patches of these images those that are most like the answer."""
        del progress
        view = batch.views[0]
        blocks = self._blocks(view, fixed_draw(batch.indices), torch.Generator().manual_seed(0))
        return block_panels(view, blocks, self._predict(view, blocks), self.teacher(view), self.encoder.patch)

    def _blocks(self, view: Tensor, draw: Draw, generator: torch.Generator) -> Blocks:
        target, context = self.shapes
        return multi_block(
            draw, generator, self.encoder.grid(view), blocks=self.params.blocks, target=target, context=context
        )

    def _predict(self, view: Tensor, blocks: Blocks) -> Tensor:
        """Tokens (B, blocks · K, dim): each block is predicted for itself."""
        seen = self.encoder.through(take(self.encoder.embedded(view), blocks.context))
        count = blocks.targets.shape[1]
        predicted: Tensor = self.predictor(
            seen.repeat_interleave(count, dim=0),
            blocks.context.repeat_interleave(count, dim=0),
            blocks.targets.flatten(0, 1),
            self.encoder.grid(view),
        )
        return predicted.reshape(len(view), -1, predicted.shape[2])


class _Tokens(nn.Module):
    """An encoder that gives its patches' tokens (B, N, dim)."""

    def __init__(self, encoder: TokenEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        return self.encoder.tokens(images)


METHOD = MethodInfo(
    name="ijepa",
    title="I-JEPA",
    family="masked",
    paper="arXiv:2301.08243",
    year=2023,
    summary="From one part of an image predicts what a slow teacher makes of four other parts: vectors, not pixels.",
    explanation="A transformer sees a part of the image. A small predictor is told where four other parts lie, and "
    "must say what a teacher, which has seen the whole image, makes of them. The teacher is a slow average of the "
    "transformer itself. As no pixels are asked for, nothing is spent on textures that nobody can foresee, and as "
    "the parts are large, what is foreseen is what is there. No second view and no color changes, so that nothing is "
    "taught to be ignored. The block mask among the augmentations hides blocks from any method and is not needed here.",
    when="With a transformer and many images, where color and texture matter and must not be augmented away. It wants "
    "far more images than MAE: on CIFAR-10 it reaches 45 to 55 %, so expect little from small sets. Judge it by "
    "fine-tuning first, like all masked methods; here the linear probe tells something too.",
    collapse="All images can end up alike, as in BYOL: 'spread' near 0 with a loss near 0. Then a slower teacher "
    "(higher momentum), a lower learning rate, or a longer warm-up.",
    params=IJEPAParams,
    build=IJEPA,
    tags=("one view", "no color changes", "teacher", "fine-tune it"),
    min_batch=2,
    global_views=1,
    needs=("tokens",),
    exhibits=True,
    preset="masked",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=0.04,
        weight_decay_factor=10.0,
        warmup=15.0,
        beta2=0.999,
        source="Assran et al. 2023, appendix A and its code: AdamW with betas of 0.9 and 0.999, 1e-3, weight decay "
        "0.04 to 0.4, warm-up of 15 epochs, momentum 0.996 to 1; predictor of 96 and 4 blocks as in reproductions "
        "on CIFAR-10",
    ),
    symptoms=(same_vectors("A slower teacher (higher momentum), a lower learning rate, or a longer warm-up."),),
)
