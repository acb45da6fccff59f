"""DINO: a student sorts small crops as its slow teacher sorts large ones, among prototypes nobody has named."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, MethodInfo, Progress, Setting, detached
from workbench.method.crops import by_size
from workbench.method.exhibit import Panel
from workbench.method.momentum import Teacher
from workbench.method.self_distillation import SelfDistillation, SelfDistillationParams, chance, collapses
from workbench.method.tokens import TokenEncoder
from workbench.spec.catalog import Recipe


class DINOParams(SelfDistillationParams, frozen=True, kw_only=True):
    """Parameters of DINO."""


class DINO(SelfDistillation):
    """Self-distillation with no labels (Caron et al. 2021, algorithm 1 and eq. 3).

    Student: all views. Teacher: the global ones, an average of past students; its logits lose their moving mean
    (eq. 4, no prototype takes all images) and are sharpened (nor do all take as much).
    """

    def __init__(self, encoder: Encoder, params: DINOParams, setting: Setting) -> None:
        super().__init__(encoder, params, setting)
        self.head = self.new_head()
        self.center = self.new_center()
        self.teacher = Teacher(self.student())

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Cross-entropy of all views with every other global view as the teacher sees it."""
        student = by_size(self.student(), (*batch.views, *batch.local_views))
        teacher = by_size(self.teacher, batch.views)
        value, parts = self.compared(student, teacher, self.center, progress)
        return Loss(value=value, parts=detached(**parts))

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """A small crop, what the teacher sees of the image, and for which of these images the student takes the crop.

        That is the one whose answer of the teacher is best foretold. Of a transformer also where its class token looks.
        """
        del progress
        whole, crop = batch.views[0], (*batch.local_views, *batch.views[1:])[0]
        said = torch.log_softmax(self.head(self.encoder(crop)) / self.params.student_temperature, dim=1)
        wanted = torch.softmax((self.teacher(whole) - self.center.value) / self.params.teacher_temperature, dim=1)
        taken = (said @ wanted.T).argmax(dim=1)
        right = tuple(one == own for own, one in enumerate(taken.tolist()))
        panels = (
            Panel(part="input", title="A crop", images=crop),
            Panel(part="target", title="What the teacher sees", images=whole),
            Panel(part="answer", title="The crop is taken for", images=whole[taken], right=right),
        )
        return (*panels, self._looks(whole)) if isinstance(self.encoder, TokenEncoder) else panels

    def _looks(self, view: Tensor) -> Panel:
        """How much the teacher's class token attends to each patch, the mean of its heads, as light."""
        attention = cast("TokenEncoder", self.teacher.net.get_submodule("0")).attention(view).mean(dim=1, keepdim=True)
        light = F.interpolate(attention / attention.amax((2, 3), keepdim=True), size=view.shape[2:], mode="nearest")
        return Panel(part="answer", title="Where it looks", images=light, normalized=False)


METHOD = MethodInfo(
    name="dino",
    title="DINO",
    family="distillation",
    paper="arXiv:2104.14294",
    year=2021,
    summary="A student that sees small crops sorts images the way its slow-moving teacher sorts the large ones.",
    explanation="A teacher looks at two large crops of an image and says how well each fits thousands of directions, "
    "the prototypes, which nobody has named. A student looks at all crops, the small ones too, and must say the same; "
    "so it learns to see the whole in a part. The teacher is the student's own running average. Two measures keep the "
    "answers from becoming the same for all images: what the teacher says on average is taken out of what it says "
    "(centering), and its answers are made surer than the student's (sharpening).",
    when="For Vision Transformers, whose attention then outlines objects without labels, and with many images (50,000 "
    "and more) and long runs; a GPU is wanted, as each image gives about ten crops. On a few thousand small images it "
    "learns too, with a convolutional network and more slowly than SimCLR. Batches of 64 suffice.",
    collapse="There are two. If the teacher cannot tell images apart, its entropy stays at ln(prototypes), 8.32 for "
    "4,096 (small sets get fewer: one for ten images), and so does the loss; if all images get the same answer, "
    "'information', what an answer tells of its image, goes to 0. In both 'divergence' goes to 0. An entropy that "
    "creeps up all through a run wants a lower temperature of the teacher.",
    params=DINOParams,
    build=DINO,
    tags=("multi-crop", "momentum teacher", "transformers", "small batches"),
    min_batch=2,
    global_views=2,
    local_views=True,
    exhibits=True,
    preset="dino",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=5e-4,
        weight_decay=0.04,
        weight_decay_factor=10.0,
        warmup=10.0,
        clip_gradient=3.0,
        short_rate=2e-3,
        source="Caron et al. 2021, section 3.2 and its code: AdamW 5e-4 per 256, weight decay 0.04 to 0.4, clip 3; "
        "4,096 prototypes as solo-learn has them for CIFAR-10; teacher temperature 0.04, the code's default, which its "
        "runs of 300 epochs raise to 0.07 over the first 30",
    ),
    chance_loss=chance,
    symptoms=collapses("teacher_entropy", "information", "images", DINOParams),
)
