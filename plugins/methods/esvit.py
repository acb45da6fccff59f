"""EsViT: DINO for the whole image, and for each of its regions with the most similar one of another view."""

from dataclasses import dataclass
from typing import Annotated, cast

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.coloring import mosaic, place_colors, tinted
from workbench.method.contract import Batch, Loss, MethodInfo, Progress, Setting, detached
from workbench.method.exhibit import Panel
from workbench.method.losses.distillation import matched_regions
from workbench.method.losses.local import most_alike
from workbench.method.momentum import Teacher
from workbench.method.self_distillation import SelfDistillation, SelfDistillationParams, chance, collapses
from workbench.spec.catalog import Recipe
from workbench.spec.params import param


class EsViTParams(SelfDistillationParams, frozen=True, kw_only=True):
    """Parameters of EsViT: those of DINO, and of regions."""

    region_weight: Annotated[
        float, param("Share of the regions in the loss; what is left is that of whole views.", ge=0, le=1)
    ] = 0.5


class EsViT(SelfDistillation):
    """Efficient self-supervised Vision Transformers (Li et al. 2021, arXiv:2106.09785, eq. 1 to 3).

    A region is a place of the encoder's last map. Views and regions have a head and a center each. A region of the
    student's view is matched, by the cosine of the encoders' vectors, with one of the teacher's view.
    """

    def __init__(self, encoder: Encoder, params: EsViTParams, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        self.region_weight = params.region_weight
        self.head = self.new_head()
        self.region_head = self.new_head()
        self.center = self.new_center()
        self.region_center = self.new_center()
        self.teacher = Teacher(self.student())

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The weighted mean of the losses of views and of regions."""
        student = [_read(self.student(), view) for view in (*batch.views, *batch.local_views)]
        with torch.no_grad():
            teacher = [_read(self.teacher.net, view) for view in batch.views]
        value, parts = self.compared(
            [one.whole for one in student], [one.whole for one in teacher], self.center, progress
        )
        regions, entropy, told = self._compare_regions(student, teacher, progress)
        parts |= {"views": value, "regions": regions, "region_entropy": entropy, "region_information": told}
        weight = self.region_weight
        return Loss(value=(1 - weight) * value + weight * regions, parts=detached(**parts))

    def _compare_regions(
        self, student: list["_Read"], teacher: list["_Read"], progress: Progress
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The loss of regions, the teacher's entropy, and what its answers tell."""
        matches = {
            (seen, view): most_alike(mine.vectors, theirs.vectors)
            for seen, theirs in enumerate(teacher)
            for view, mine in enumerate(student)
            if view != seen
        }
        value, entropy = matched_regions(
            [one.regions for one in student],
            [one.regions for one in teacher],
            matches,
            self.region_center.value,
            student_temperature=self.params.student_temperature,
            teacher_temperature=self.temperature(progress),
        )
        every = torch.cat([one.regions.flatten(0, 1) for one in teacher])
        self.region_center.note(every)
        return value, entropy, self.told(every, self.region_center, progress)

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """Which region of the second view the student takes for each of the first: by color, and put in its place."""
        del progress
        first, second = batch.views[:2]
        mine, theirs = _read(self.student(), first), _read(self.teacher.net, second)
        matches = most_alike(mine.vectors, theirs.vectors)
        colors = place_colors(*theirs.grid).to(second.device)
        return (
            Panel(part="input", title="First view", images=first),
            Panel(
                part="input",
                title="Second view, by place",
                images=tinted(second, colors.view(*theirs.grid, 3).expand(len(second), -1, -1, -1)),
                normalized=False,
            ),
            Panel(
                part="answer",
                title="Where it finds the first",
                images=tinted(first, colors[matches].view(len(first), *mine.grid, 3)),
                normalized=False,
                captions=tuple(f"{len(set(row))} of {len(row)} places" for row in matches.tolist()),
            ),
            Panel(
                part="answer", title="The first, of the second", images=mosaic(second, theirs.grid, matches, mine.grid)
            ),
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """What a network says of a view: logits (B, K) and (B, regions, K), and the vectors of the regions (B, regions, d).

    grid: rows and columns of regions.
    """

    whole: Tensor
    regions: Tensor
    vectors: Tensor
    grid: tuple[int, int]


def _read(net: nn.Module, view: Tensor) -> _Read:
    """net: an encoder, the head of views, and that of regions."""
    encoder, head, region_head = net.children()
    features, maps = cast("Encoder", encoder).features_and_maps(view)
    vectors = maps.flatten(2).transpose(1, 2)
    regions: Tensor = region_head(vectors.flatten(0, 1)).unflatten(0, vectors.shape[:2])
    return _Read(head(features), regions, vectors, (maps.shape[2], maps.shape[3]))


METHOD = MethodInfo(
    name="esvit",
    title="EsViT",
    family="distillation",
    paper="arXiv:2106.09785",
    year=2021,
    summary="DINO twice: for the whole image, and for every region with its most similar one in another view.",
    explanation="As in DINO, a student sorts all views of an image among nameless prototypes as its slow-moving "
    "teacher sorts the large ones. EsViT asks the same of regions, the places of the last feature map: for each "
    "region of the student's view the region of the teacher's view is found whose vector is most like it, and the "
    "student must sort its region as the teacher sorts that one. Nobody says which regions belong together; that "
    "they come to be parts of the same thing is what the method learns. It was made for Swin Transformers, which "
    "have such maps and lose this correspondence with DINO alone.",
    when="With Swin Transformers (and other backbones with maps), where parts of the image matter: finding and "
    "outlining things. The last map should have 4 × 4 places and more. Many images, long runs and a GPU, as for DINO, "
    "whose steps cost hardly less.",
    collapse="As in DINO, for views and for regions: 'teacher entropy' or 'region entropy' at ln(prototypes), 8.32 for "
    "4,096 (small sets get fewer: one for ten images), says that all answers are spread evenly; 'information' or "
    "'region information' at 0 that there is one answer for everything.",
    params=EsViTParams,
    build=EsViT,
    tags=("multi-crop", "momentum teacher", "transformers", "keeps what is where"),
    min_batch=2,
    global_views=2,
    local_views=True,
    needs=("maps",),
    exhibits=True,
    preset="dino",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=5e-4,
        weight_decay=0.04,
        weight_decay_factor=10.0,
        warmup=10.0,
        clip_gradient=3.0,
        source="Li et al. 2021, section 4 and its code (Swin-T): AdamW 5e-4 per 256, weight decay 0.04 to 0.4, clip 3, "
        "teacher temperature 0.04 to 0.07, here held at 0.04 for short runs; 4,096 prototypes in place of 65,536, for "
        "smaller sets",
    ),
    chance_loss=chance,
    symptoms=(
        *collapses("teacher_entropy", "information", "images", EsViTParams),
        *collapses("region_entropy", "region_information", "regions", EsViTParams),
    ),
)
