"""SiT: repaint an image of which parts were lost or mixed up, and recognize it beside others, in one transformer."""

import itertools
from typing import Annotated, cast

import torch
from torch import Tensor, nn

from workbench.augment.field import normal_field
from workbench.method.backbone import Encoder
from workbench.method.collapse import same_vectors
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.exhibit import Panel
from workbench.method.gather import gather
from workbench.method.heads import mlp
from workbench.method.losses.contrastive import in_batch
from workbench.method.losses.labels import accuracy, cross_entropy
from workbench.method.losses.masked import masked_l1
from workbench.method.losses.spread import deviation
from workbench.method.masked_pictures import repaired_panels
from workbench.method.masking import Draw, draw_of, fixed_draw, rectangles_mask
from workbench.method.momentum import Teacher, cosine_momentum
from workbench.method.patch_pixels import one_color, pasted, patchify
from workbench.method.token_decoder import small_start
from workbench.method.tokens import TokenEncoder
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param

_TURNS = 4


class SiTParams(Params, frozen=True, kw_only=True):
    """Parameters of SiT."""

    drop: Annotated[
        float, param("Share of an image that noise replaces, at most; at least half of it.", ge=0, le=0.9)
    ] = 0.5
    replace: Annotated[
        float,
        param("Share of an image that parts of another image replace, at most; at least half of it.", ge=0, le=0.9),
    ] = 0.3
    repainting: Annotated[
        float, param("How much the repainting counts beside the rest; 5 for small sets.", ge=0.01, le=100)
    ] = 1.0
    temperature: Annotated[
        float,
        param(
            "How hard the most similar other images are pushed away; lower is harder.", ge=0.01, le=5, logarithmic=True
        ),
    ] = 0.2
    rotation: Annotated[
        bool, param("Also turn each image by a quarter, a half or three quarters, and ask which.", advanced=True)
    ] = False
    momentum: Annotated[
        float,
        param("How slowly the teacher follows at the start; it ends at 1, standing still.", ge=0, le=1, advanced=True),
    ] = 0.996
    hidden: Annotated[int, param("Width of the projector.", ge=8, le=16_384, advanced=True)] = 1024
    dim: Annotated[int, param("Entries of the vectors that are compared.", ge=2, le=16_384, advanced=True)] = 256


class SiT(Method):
    """L1 of what was lost, InfoNCE of class tokens with a teacher's, and rotation (Atito et al. 2021, section 3).

    The class token is the contrastive one, as it is what the encoder gives away; the rotation token is one more
    behind the patches.
    """

    encoder: TokenEncoder

    def __init__(self, encoder: Encoder, params: SiTParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = cast("TokenEncoder", encoder)
        self.patch, self.images, self.params = self.encoder.patch, setting.train_images, params
        last = nn.Linear(encoder.dim, self.patch**2 * setting.channels)
        small_start(last)
        self.painter = nn.Sequential(nn.Linear(encoder.dim, encoder.dim), nn.GELU(), last)
        self.projector = mlp(encoder.dim, params.hidden, params.dim, layers=3, last_norm=True)
        self.teacher = Teacher(nn.Sequential(encoder, self.projector))
        if params.rotation:
            self.rotation_token = nn.Parameter(torch.zeros(1, 1, encoder.dim))
            self.rotation_head = nn.Linear(encoder.dim, _TURNS)

    def tuples(self, indices: Tensor, progress: Progress) -> Tensor:
        """Each image with any other one, whose parts will stand in it."""
        further = 1 + Draw(indices, progress.epoch).integers("partner", max(1, self.images - 1))
        return torch.stack((indices, (indices + further) % self.images), dim=1)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """All views are spoiled and repainted; each is told from other images by the teacher's other views."""
        painted, plain, q, k, turned, told = [], [], [], [], [], []
        for number, (view, partner) in enumerate(zip(batch.views, batch.partner_views[0], strict=True)):
            whole, spoiled, lost, turns = self._spoil(view, partner, draw_of(batch.indices, progress, number))
            tokens, logits = self._tokens(spoiled)
            patches = patchify(whole, self.patch)
            painted.append(masked_l1(self._paint(tokens), patches, lost))
            plain.append(masked_l1(one_color(patches, lost, view.shape[1]), patches, lost))
            q.append(gather(self.projector(self.encoder.pooled(tokens))))
            k.append(gather(self.teacher(view)))
            turned.append(turns)
            told.append(logits)
        pairs = itertools.permutations(range(len(q)), 2)
        contrast = torch.stack([in_batch(q[a], k[b], temperature=self.params.temperature) for a, b in pairs]).mean()
        repaint = torch.stack(painted).mean()
        value = self.params.repainting * repaint + contrast
        beside = repaint.detach() / torch.stack(plain).mean().clamp(min=1e-6)
        parts = {"contrast": contrast, "beside_one_color": beside, "spread": deviation(q[0])}
        if self.params.rotation:
            logits, turns = torch.cat(told), torch.cat(turned)
            value = value + cross_entropy(logits, turns)
            parts["rotation_accuracy"] = accuracy(logits, turns)
        return Loss(value=value, parts=detached(**parts))

    def after_step(self, progress: Progress) -> None:
        """The teacher follows, ever more slowly."""
        self.teacher.follow(
            nn.Sequential(self.encoder, self.projector), cosine_momentum(self.params.momentum, 1.0, progress.fraction)
        )

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The spoiled image, what it was, and what it is repainted to."""
        del progress
        view, partner = batch.views[0], batch.partner_views[0][0]
        whole, spoiled, lost, _ = self._spoil(view, partner, fixed_draw(batch.indices))
        return repaired_panels(whole, spoiled, lost, self._paint(self._tokens(spoiled)[0]), self.patch)

    def _spoil(self, view: Tensor, partner: Tensor, draw: Draw) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The image, turned if that is asked; spoiled; which patches of it are (B, N); quarter turns (B,)."""
        turns = draw.integers("turn", _TURNS) if self.params.rotation else torch.zeros_like(draw.images)
        whole = _turned(view, turns) if self.params.rotation else view
        grid = self.encoder.grid(view)
        dropped = rectangles_mask(draw, grid, self.params.drop, name="drop")
        replaced = rectangles_mask(draw, grid, self.params.replace, name="replace")
        noise = normal_field(draw.keys("noise"), view[0].numel()).view_as(view)
        spoiled = pasted(whole, patchify(noise, self.patch), dropped, self.patch)
        spoiled = pasted(spoiled, patchify(partner, self.patch), replaced, self.patch)
        return whole, spoiled, dropped | replaced, turns

    def _tokens(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens (B, prefix + N, dim), and logits of the turn (B, 4), or (B, 0) without rotation."""
        patches = self.encoder.embedded(images)
        if not self.params.rotation:
            return self.encoder.through(patches), patches.new_zeros(len(patches), 0)
        token = self.rotation_token.expand(len(patches), -1, -1).to(patches.dtype)
        tokens = self.encoder.through(torch.cat((patches, token), dim=1))
        return tokens[:, :-1], self.rotation_head(tokens[:, -1])

    def _paint(self, tokens: Tensor) -> Tensor:
        """Pixels of all patches (B, N, patch² · C)."""
        painted: Tensor = self.painter(tokens[:, self.encoder.prefix :])
        return painted


def _turned(images: Tensor, turns: Tensor) -> Tensor:
    """Each image (square) by its own number of quarter turns."""
    ways = torch.stack([torch.rot90(images, turn, (2, 3)) for turn in range(_TURNS)])
    return ways[turns, torch.arange(len(images), device=images.device)]


METHOD = MethodInfo(
    name="sit",
    title="SiT",
    family="masked",
    paper="arXiv:2104.03602",
    year=2021,
    summary="Repaints what was dropped from an image or mixed in from another, and tells the image from others.",
    explanation="Groups of patches are replaced by noise or by parts of another image. The transformer must find them "
    "and paint what was there, for which it has to know what belongs together. Beside this local task stands one for "
    "the whole image: its class token must be near to what a slow teacher makes of the image's other view, and far "
    "from other images, as in contrastive learning. Each makes up for what the other overlooks. A question about "
    "rotation can be added. What it spoils it draws itself; the masks among the augmentations are not needed here.",
    when="With a transformer and few images: it was made to train transformers from small sets, where MAE starves. It "
    "costs three passes per view, and a second image beside each. Unlike MAE its features are good without "
    "fine-tuning as well, as the class token is trained; the gain is still largest when fine-tuned.",
    collapse="'beside one color' near 1 says that it paints the mean color; 'contrast' near ln B (4.85 at a batch of "
    "128) with 'spread' near 0, that all images are alike to it: lower the learning rate, or the weight of repainting.",
    params=SiTParams,
    build=SiT,
    tags=("two views", "small sets", "teacher"),
    min_batch=2,
    no_accumulation="SiT compares each image with the others of its batch: parts of it do not add up to the whole.",
    global_views=2,
    uses_tuples=True,
    needs=("tokens",),
    exhibits=True,
    preset="simclr",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=5e-4,
        weight_decay=0.04,
        weight_decay_factor=10.0,
        warmup=10.0,
        clip_gradient=3.0,
        source="Atito et al. 2021: AdamW 5e-4, drop 0.5, replace 0.3, temperature 0.2, momentum 0.996; weight decay, "
        "warm-up and clipping as DINO's on transformers",
    ),
    symptoms=(same_vectors("Lower the learning rate, or the weight of the repainting."),),
)
