"""iBOT: DINO for the whole image, and the same for every patch that was hidden from the student."""

from typing import Annotated, cast

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.blockwise import blockwise_mask
from workbench.method.coloring import number_colors, tinted
from workbench.method.contract import Batch, Loss, MethodInfo, Progress, Setting, detached
from workbench.method.crops import by_size
from workbench.method.exhibit import Panel
from workbench.method.losses.distillation import hidden_patches
from workbench.method.masked_pictures import shares
from workbench.method.masking import Draw, draw_of, fixed_draw
from workbench.method.momentum import Teacher
from workbench.method.patch_pixels import blanked
from workbench.method.self_distillation import SelfDistillation, SelfDistillationParams, chance, collapses
from workbench.method.tokens import TokenEncoder
from workbench.spec.catalog import Recipe
from workbench.spec.params import param


class IBOTParams(SelfDistillationParams, frozen=True, kw_only=True):
    """Parameters of iBOT: those of DINO, and of what is hidden."""

    masked_share: Annotated[float, param("Share of the large views that have hidden patches.", ge=0.05, le=1)] = 0.5
    hidden_least: Annotated[
        float, param("Share of the patches that are hidden at least, in a view with hidden ones.", ge=0, le=0.9)
    ] = 0.1
    hidden_most: Annotated[
        float, param("Share of the patches that are hidden at most, in a view with hidden ones.", ge=0, le=0.9)
    ] = 0.5
    patch_weight: Annotated[
        float, param("How much the hidden patches count beside the whole image, which counts 1.", ge=0, le=10)
    ] = 1.0


class IBOT(SelfDistillation):
    """Image BERT pre-training with an online tokenizer (Zhou et al. 2021, arXiv:2111.07832, eq. 2 and algorithm 1).

    The class token and the patches share a head, and have a center each. As in DINOv2 only hidden patches go through
    the heads, and into the center of patches; the paper's center takes all of them, at several times the cost.
    """

    encoder: TokenEncoder

    def __init__(self, encoder: Encoder, params: IBOTParams, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        self.hiding = params
        self.mask_token = nn.Parameter(torch.zeros(encoder.dim))
        self.head = self.new_head()
        self.center = self.new_center()
        self.patch_center = self.new_center()
        self.teacher = Teacher(self.student())

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The loss of whole views, plus that of hidden patches, the mean over the global views."""
        student, teacher, of_patches = [], [], []
        for number, view in enumerate(batch.views):
            mask = self._mask(view, draw_of(batch.indices, progress, number), share=self.hiding.masked_share)
            hidden = mask.flatten().nonzero().squeeze(1)
            whole, said = _read(self.student(), view, hidden, mask, self.mask_token)
            with torch.no_grad():
                seen, wanted = _read(self.teacher.net, view, hidden)
            student.append(whole)
            teacher.append(seen)
            of_patches.append(self._compare_patches(said, wanted, mask, progress))
        student += by_size(lambda view: self.head(self.encoder(view)), batch.local_views)
        value, parts = self.compared(student, teacher, self.center, progress)
        patches, entropy, told = torch.stack(of_patches).mean(dim=0)
        parts |= {"patches": patches, "patch_entropy": entropy, "patch_information": told}
        return Loss(value=value + self.hiding.patch_weight * patches, parts=detached(**parts))

    def _mask(self, view: Tensor, draw: Draw, *, share: float) -> Tensor:
        """(B, patches) bool: what is hidden of each image, of `share` of them at least one patch."""
        rows, columns = self.encoder.grid(view)
        least, most = self.hiding.hidden_least, max(self.hiding.hidden_least, self.hiding.hidden_most)
        chosen, ratio = (draw.uniform(name, 1)[:, 0] for name in ("is masked", "hidden share"))
        counts = ((least + (most - least) * ratio) * rows * columns).round().long().clamp(min=1)
        return blockwise_mask(draw, (rows, columns), counts * (chosen < share))

    def _compare_patches(self, said: Tensor, wanted: Tensor, mask: Tensor, progress: Progress) -> Tensor:
        """(3,): the loss of a view's hidden patches, the teacher's entropy, and what its answers tell."""
        value, entropy = hidden_patches(
            said,
            wanted,
            self.patch_center.value,
            mask,
            student_temperature=self.params.student_temperature,
            teacher_temperature=self.temperature(progress),
        )
        self.patch_center.note(wanted)
        return torch.stack((value, entropy, self.told(wanted, self.patch_center, progress)))

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """An image with hidden patches, and to which prototypes teacher and student sort them, as colors."""
        del progress
        view, patch = batch.views[0], self.encoder.patch
        mask = self._mask(view, fixed_draw(batch.indices), share=1.0)
        every = torch.arange(mask.numel(), device=view.device)
        said = _read(self.student(), view, every, mask, self.mask_token)[1].argmax(dim=1).view_as(mask)
        wanted = (_read(self.teacher.net, view, every)[1] - self.patch_center.value).argmax(dim=1).view_as(mask)
        sorted_by = [
            tinted(view, number_colors(one).view(len(view), *self.encoder.grid(view), 3)) for one in (wanted, said)
        ]
        counts, right = mask.sum(dim=1).tolist(), (mask & (said == wanted)).sum(dim=1).tolist()
        same = tuple(f"{agreed} of {count} the same" for agreed, count in zip(right, counts, strict=True))
        return (
            Panel(part="input", title="Patches hidden", images=blanked(view, mask, patch), captions=shares(mask)),
            Panel(part="target", title="What the teacher sees", images=view),
            Panel(part="answer", title="Sorted by the teacher", images=sorted_by[0], normalized=False),
            Panel(
                part="answer",
                title="The hidden, by the student",
                images=blanked(sorted_by[1], ~mask, patch),
                normalized=False,
                captions=same,
            ),
        )


def _read(
    net: nn.Module, view: Tensor, chosen: Tensor, mask: Tensor | None = None, mask_token: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Logits of whole images (B, prototypes), and of those patches that are `chosen` among all of the batch's.

    net: an encoder and a head. Both go through the head at once, as batch norm would see a single patch otherwise.
    """
    first, head = net.children()
    encoder = cast("TokenEncoder", first)
    tokens = encoder.through(encoder.embedded(view, mask, mask_token))
    patches = tokens[:, encoder.prefix :].flatten(0, 1)[chosen]
    logits: Tensor = head(torch.cat((encoder.pooled(tokens), patches)))
    return logits[: len(view)], logits[len(view) :]


def _chance(params: IBOTParams, setting: Setting) -> float:
    """Evenly spread answers, to whole images and to the patches of those that have hidden ones."""
    return (1 + params.patch_weight * params.masked_share) * chance(params, setting)


METHOD = MethodInfo(
    name="ibot",
    title="iBOT",
    family="masked",
    paper="arXiv:2111.07832",
    year=2021,
    summary="DINO, with patches hidden from the student, who must say of them what the teacher sees there.",
    explanation="As in DINO, a student sorts all views of an image among nameless prototypes as its slow-moving "
    "teacher sorts the large ones. In half of the large views blocks of patches are hidden from the student besides, "
    "and for each of these it must say to which prototype the teacher, who sees everything, sorts that patch. So the "
    "patches get a meaning of their own, in context: not what color is beneath, as in rebuilding, but what kind of "
    "thing. Patches and images share the prototypes.",
    when="For Vision Transformers, where the parts of an image matter as well as the whole (finding, outlining, "
    "counting). Many images, long runs and a GPU, as for DINO, whose steps take about as long. Patches must be small "
    "enough to hide some: 8 × 8 of them and more.",
    collapse="As in DINO, for whole images and for patches: 'teacher entropy' or 'patch entropy' at ln(prototypes), "
    "8.32 for 4,096 (small sets get fewer: one for ten images), says that all answers are spread evenly; 'information' "
    "or 'patch information' at 0 that there is one answer for everything. 'Patches' is half as large as the loss of a "
    "patch, as half of the views hide none.",
    params=IBOTParams,
    build=IBOT,
    tags=("multi-crop", "momentum teacher", "transformers", "masked patches"),
    min_batch=2,
    global_views=2,
    local_views=True,
    needs=("tokens",),
    exhibits=True,
    preset="dino",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=5e-4,
        weight_decay=0.04,
        weight_decay_factor=10.0,
        warmup=10.0,
        clip_gradient=3.0,
        source="Zhou et al. 2021, section 4.1 and its code (ViT-S): AdamW 5e-4 per 256, weight decay 0.04 to 0.4, "
        "clip 3, patches hidden with ratios 0 and 0.3 ± 0.2; 4,096 prototypes in place of 8,192, for smaller sets, "
        "and the teacher's temperature held at 0.04, where theirs goes to 0.07 in 30 epochs",
    ),
    chance_loss=_chance,
    symptoms=(
        *collapses("teacher_entropy", "information", "images", IBOTParams),
        *collapses("patch_entropy", "patch_information", "patches", IBOTParams),
    ),
)
