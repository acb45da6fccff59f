"""DINO: a student sorts small crops as its slow teacher sorts large ones, among prototypes nobody has named."""

import math
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, Symptom, detached
from workbench.method.gather import gather
from workbench.method.heads import PrototypeHead, has_batch_norm
from workbench.method.losses.distillation import dino
from workbench.method.momentum import Teacher, cosine_momentum, fitting_momentum
from workbench.method.prototypes import clusters_used, fitting_count, information
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param

LEAST_INFORMATION = 0.02
"""In nats: an untrained encoder's teacher tells 0.2 and more, a healthy one 1 and more, a collapsed one 0.01."""


class DINOParams(Params, frozen=True, kw_only=True):
    """Parameters of DINO."""

    prototypes: Annotated[
        int,
        param(
            "Directions among which images are sorted; at most one for ten training images. 65,536 for ImageNet.",
            ge=2,
            le=262_144,
            logarithmic=True,
        ),
    ] = 4096
    teacher_temperature: Annotated[
        float, param("How surely the teacher chooses, after the warm-up; lower is surer.", ge=0.005, le=1)
    ] = 0.07
    first_temperature: Annotated[
        float, param("How surely the teacher chooses at the start; lower is surer.", ge=0.005, le=1, advanced=True)
    ] = 0.04
    temperature_warmup: Annotated[
        float,
        param(
            "Share of the run in which the teacher's temperature goes from the first to the last.",
            ge=0,
            le=1,
            advanced=True,
        ),
    ] = 0.3
    student_temperature: Annotated[
        float, param("How surely the student chooses; higher than the teacher's.", ge=0.01, le=1, advanced=True)
    ] = 0.1
    momentum: Annotated[
        float, param("How slowly the teacher follows at the start; nearer to 1 is slower.", ge=0, le=1)
    ] = 0.996
    final_momentum: Annotated[
        float, param("How slowly the teacher follows at the end; 1 holds it still.", ge=0, le=1, advanced=True)
    ] = 1.0
    center_momentum: Annotated[
        float,
        param(
            "How slowly the mean that is taken from the teacher's choices moves; 1 takes none, and all images end "
            "up with one prototype.",
            ge=0,
            le=1,
            advanced=True,
        ),
    ] = 0.9
    freeze: Annotated[
        float,
        param("How long the prototypes stay as they are at the start.", ge=0, le=1000, unit="epochs", advanced=True),
    ] = 1.0
    batch_norm: Annotated[
        Literal["auto", "off", "on"],
        param(
            "Batch norm in the head: auto has it where the encoder has it, as convolutional networks do and "
            "transformers do not.",
            advanced=True,
        ),
    ] = "auto"
    hidden: Annotated[int, param("Width of the head.", ge=8, le=16_384, advanced=True)] = 2048
    bottleneck: Annotated[
        int, param("Entries of the vectors that are compared with the prototypes.", ge=2, le=4096, advanced=True)
    ] = 256


class DINO(Method):
    """Self-distillation with no labels (Caron et al. 2021, algorithm 1 and eq. 3).

    Student: all views. Teacher: the global ones, an average of past students; its logits lose their moving mean
    (eq. 4, no prototype takes all images) and are sharpened (nor do all take as much).
    """

    center: Tensor

    def __init__(self, encoder: Encoder, params: DINOParams, setting: Setting) -> None:
        super().__init__()
        prototypes = fitting_count(params.prototypes, setting.train_images)
        self.encoder = encoder
        norm = has_batch_norm(encoder) if params.batch_norm == "auto" else params.batch_norm == "on"
        self.head = PrototypeHead(encoder.dim, params.hidden, params.bottleneck, prototypes, norm=norm)
        self.teacher = Teacher(nn.Sequential(encoder, self.head))
        self.register_buffer("center", torch.zeros(prototypes))
        self.params = params
        self._means: list[Tensor] = []  # of this step's logits, which enter the center once the step is done.

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Cross-entropy of all views with every other global view as the teacher sees it."""
        temperature = self._temperature(progress)
        student = [self.head(self.encoder(view)) for view in (*batch.views, *batch.local_views)]
        teacher = [self.teacher(view) for view in batch.views]
        value, entropy = dino(
            student,
            teacher,
            self.center,
            student_temperature=self.params.student_temperature,
            teacher_temperature=temperature,
        )
        chosen = torch.softmax((gather(torch.cat(teacher)).float() - self.center) / temperature, dim=1)
        self._means.append(gather(torch.stack(teacher).float().mean(dim=(0, 1))[None]).mean(dim=0))
        parts = {
            "teacher_entropy": entropy,
            "divergence": value - entropy,
            "used_prototypes": clusters_used(chosen),
            "information": information(chosen),
        }
        return Loss(value=value, parts=detached(**parts))

    def before_step(self, progress: Progress) -> None:
        """The prototypes stay still at first."""
        if progress.step * progress.total_epochs < self.params.freeze * progress.total_steps:
            self.head.prototypes.grad = None

    def after_step(self, progress: Progress) -> None:
        """The teacher follows, ever more slowly, and the center too."""
        first = fitting_momentum(self.params.momentum, progress.total_steps)
        momentum = cosine_momentum(first, self.params.final_momentum, progress.fraction)
        self.teacher.follow(nn.Sequential(self.encoder, self.head), momentum)
        if self._means:
            self.center.lerp_(torch.stack(self._means).mean(dim=0), 1 - self.params.center_momentum)
            self._means.clear()

    def _temperature(self, progress: Progress) -> float:
        first, last, share = (
            self.params.first_temperature,
            self.params.teacher_temperature,
            self.params.temperature_warmup,
        )
        return last if progress.fraction >= share else first + (last - first) * progress.fraction / share


def _all_alike(value: float, params: DINOParams, setting: Setting) -> bool:
    return value > 0.999 * math.log(fitting_count(params.prototypes, setting.train_images))


def _all_the_same(value: float, params: DINOParams, setting: Setting) -> bool:
    del params, setting
    return value < LEAST_INFORMATION


def _chance(params: DINOParams, setting: Setting) -> float:
    return math.log(fitting_count(params.prototypes, setting.train_images))


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
    "and more) and long runs; a GPU is wanted, as each image gives about ten crops. Batches of 64 suffice. With a "
    "convolutional network switch batch norm in the head on.",
    collapse="There are two. If the teacher cannot tell images apart, its entropy stays at ln(prototypes), 8.32 for "
    "4,096, and so does the loss; if all images get the same prototype, 'used prototypes' goes to 1 and the loss to "
    "0. In both 'divergence' goes to 0.",
    params=DINOParams,
    build=DINO,
    tags=("multi-crop", "momentum teacher", "transformers", "small batches"),
    min_batch=2,
    global_views=2,
    local_views=True,
    preset="dino",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=5e-4,
        weight_decay=0.04,
        weight_decay_factor=10.0,
        warmup=10.0,
        clip_gradient=3.0,
        source="Caron et al. 2021, section 3.2 and its code: AdamW 5e-4 per 256, weight decay 0.04 to 0.4, clip 3; "
        "4,096 prototypes as solo-learn has them for CIFAR-10",
    ),
    chance_loss=_chance,
    symptoms=(
        Symptom(
            part="teacher_entropy",
            is_sick=_all_alike,
            title="The teacher cannot tell images apart",
            text="Its answers are spread evenly over all prototypes (an entropy of ln(prototypes)), whatever the "
            "image. Lower the teacher's temperature, or raise the learning rate.",
        ),
        Symptom(
            part="information",
            is_sick=_all_the_same,
            title="All images get the same answer",
            text="What the teacher says does not depend on the image, so there is nothing to learn from it. "
            "Lower center_momentum, raise the teacher's temperature, or lower the learning rate.",
        ),
    ),
)
