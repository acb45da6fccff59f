"""SimMIM: replace squares of the image by one learned token, and read the missing colors off the encoder itself."""

from typing import Annotated, cast

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.exhibit import Panel
from workbench.method.losses.masked import masked_l1
from workbench.method.masked_pictures import masked_panels
from workbench.method.masking import Draw, draw_of, fixed_draw, squares_mask
from workbench.method.patch_pixels import one_color, patchify
from workbench.method.token_decoder import small_start
from workbench.method.tokens import TokenEncoder
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class SimMIMParams(Params, frozen=True, kw_only=True):
    """Parameters of SimMIM."""

    ratio: Annotated[float, param("Share of the image that is hidden.", ge=0.1, le=0.95)] = 0.6
    unit: Annotated[
        int,
        param(
            "Side of the squares that are hidden; the paper's 32 px are 2 patches of 16.",
            ge=1,
            le=16,
            unit="patches",
        ),
    ] = 2


class SimMIM(Method):
    """L1 distance of the hidden pixels from what a linear layer makes of their tokens (Xie et al. 2022, section 3)."""

    encoder: TokenEncoder

    def __init__(self, encoder: Encoder, params: SimMIMParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = cast("TokenEncoder", encoder)
        self.patch = self.encoder.patch
        self.mask_token = nn.Parameter(torch.empty(1, 1, encoder.dim))
        self.head = nn.Linear(encoder.dim, self.patch**2 * setting.channels)
        nn.init.trunc_normal_(self.mask_token, std=0.02)
        small_start(self.head)
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The mean of all views; beside it, how it compares with one color for all that is hidden of an image."""
        losses, plain = [], []
        for number, view in enumerate(batch.views):
            mask, predicted = self._predict(view, draw_of(batch.indices, progress, number))
            patches = patchify(view, self.patch)
            losses.append(masked_l1(predicted, patches, mask))
            plain.append(masked_l1(one_color(patches, mask, view.shape[1]), patches, mask))
        value = torch.stack(losses).mean()
        beside = value.detach() / torch.stack(plain).mean().clamp(min=1e-6)
        return Loss(value=value, parts=detached(beside_one_color=beside))

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """What it sees, the image, and what it says of the hidden squares."""
        del progress
        view = batch.views[0]
        mask, predicted = self._predict(view, fixed_draw(batch.indices))
        return masked_panels(view, mask, predicted, self.patch)

    def _predict(self, view: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """The mask (B, N), and pixels for all patches (B, N, patch² · C)."""
        mask = squares_mask(draw, self.encoder.grid(view), self.params.unit, self.params.ratio)
        tokens = self.encoder.through(self.encoder.embedded(view, mask, self.mask_token[0, 0]))
        predicted: Tensor = self.head(tokens[:, self.encoder.prefix :])
        return mask, predicted


METHOD = MethodInfo(
    name="simmim",
    title="SimMIM",
    family="masked",
    paper="arXiv:2111.09886",
    year=2021,
    summary="Hides squares of the image behind one learned token, and reads their colors off the encoder.",
    explanation="Squares of the image, more than half of it, are replaced by one learned token before the transformer "
    "sees it. At the other end a single linear layer turns the tokens of these places into pixels, which should be "
    "those that were hidden. There is no decoder, so that the encoder itself does all the work; it sees every place, "
    "hidden or not, so that it is slower than MAE. The mask is the method's own: the masks among the augmentations "
    "hide patches from any method, and are not needed here.",
    when="With a transformer and labels to fine-tune with; the simplest of the masked methods, and steady. Like them "
    "all it is judged by fine-tuning, not by the linear probe or kNN. Larger squares ('unit') for smooth images, in "
    "which a small hole can be filled from its rim.",
    collapse="It cannot collapse, as the target is the image itself. 'beside one color' says how the loss compares "
    "with painting all that is hidden in the mean color of what is visible: near 1 nothing is learned yet, and "
    "0.5 is good.",
    params=SimMIMParams,
    build=SimMIM,
    tags=("one view", "simplest masked method", "fine-tune it", "small batches"),
    min_batch=1,
    global_views=1,
    needs=("tokens",),
    exhibits=True,
    preset="masked",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=8e-4,
        weight_decay=0.05,
        warmup=10.0,
        clip_gradient=5.0,
        beta2=0.999,
        source="Xie et al. 2022, section 4.1 and its code: AdamW with betas of 0.9 and 0.999, 2e-4 per 512 at a batch "
        "of 2,048, so 8e-4, here for batches of 256; weight decay 0.05, warm-up, clipping at 5; squares of "
        "32 px, ratio 0.6",
    ),
)
