"""What DINO, iBOT and EsViT share: a student that sorts views among prototypes as its slow, centered teacher does."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.centering import Center, rising
from workbench.method.contract import Method, Progress, Setting, Symptom
from workbench.method.gather import gather
from workbench.method.heads import PrototypeHead, fitting_width, has_batch_norm
from workbench.method.losses.distillation import dino
from workbench.method.momentum import Teacher, cosine_momentum
from workbench.method.prototypes import clusters_used, fitting_count, information
from workbench.spec.params import Params, param

LEAST_INFORMATION = 0.02
"""In nats, of DINO with TinyConv on small images: 0.4 to 1 at the start, 0.17 after three epochs of a run that learns,
0.01 in one that has collapsed."""


class SelfDistillationParams(Params, frozen=True, kw_only=True):
    """Parameters of DINO, and of what builds on it."""

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
        float,
        param(
            "How surely the teacher chooses, after the warm-up; lower is surer. 0.04 is safe; warmer, a short run's "
            "answers drift until they are spread evenly. Published runs of 300 epochs and more rise to 0.07.",
            ge=0.005,
            le=1,
        ),
    ] = 0.04
    first_temperature: Annotated[
        float,
        param(
            "The teacher's temperature at the start, from which it goes to the one above; published at 0.04.",
            ge=0.005,
            le=1,
            advanced=True,
        ),
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
    hidden: Annotated[
        int, param("Width of the head; at most eight times the encoder's features.", ge=8, le=16_384, advanced=True)
    ] = 2048
    bottleneck: Annotated[
        int, param("Entries of the vectors that are compared with the prototypes.", ge=2, le=4096, advanced=True)
    ] = 256


P = TypeVar("P", bound=SelfDistillationParams)


class SelfDistillation(Method):
    """A student with one or more heads, a teacher that is the average of past students, and centers.

    A subclass makes its heads (`new_head`) and centers (`new_center`) as attributes of its own, and last the teacher,
    of `student()`: they are found among the children.
    """

    teacher: Teacher

    def __init__(self, encoder: Encoder, params: SelfDistillationParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.params: SelfDistillationParams = params
        self.prototypes = fitting_count(params.prototypes, setting.train_images)

    def new_head(self) -> PrototypeHead:
        """From the encoder's vectors to cosines with prototypes."""
        params = self.params
        norm = has_batch_norm(self.encoder) if params.batch_norm == "auto" else params.batch_norm == "on"
        hidden = fitting_width(params.hidden, self.encoder.dim)
        return PrototypeHead(self.encoder.dim, hidden, params.bottleneck, self.prototypes, norm=norm)

    def new_center(self) -> Center:
        """For the logits of one head, or of one kind of its inputs."""
        return Center(self.prototypes, self.params.center_momentum)

    def student(self) -> nn.Sequential:
        """What the teacher follows: the encoder and the heads, in the order in which they were made."""
        return nn.Sequential(self.encoder, *self._heads())

    def temperature(self, progress: Progress) -> float:
        """The teacher's, at this step."""
        params = self.params
        return rising(
            params.first_temperature, params.teacher_temperature, params.temperature_warmup, progress.fraction
        )

    def compared(
        self, student: Sequence[Tensor], teacher: Sequence[Tensor], center: Center, progress: Progress
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """DINO's loss of whole views, and parts that tell how it fares; the center takes note of the teacher's logits.

        student, teacher: logits (B, prototypes) of each view, the teacher's views being the student's first ones.
        """
        temperature = self.temperature(progress)
        value, entropy = dino(
            student,
            teacher,
            center.value,
            student_temperature=self.params.student_temperature,
            teacher_temperature=temperature,
        )
        every = torch.cat(list(teacher))
        chosen = torch.softmax((gather(every).float() - center.value) / temperature, dim=1)
        center.note(every)
        return value, {
            "teacher_entropy": entropy,
            "divergence": value - entropy,
            "used_prototypes": clusters_used(chosen),
            "information": information(chosen),
        }

    def told(self, teacher: Tensor, center: Center, progress: Progress) -> Tensor:
        """What the teacher's answers (n, prototypes) to patches or regions of this process tell of them, in nats."""
        if not len(teacher):
            return teacher.new_zeros((), dtype=torch.float32)
        return information(torch.softmax((teacher.detach().float() - center.value) / self.temperature(progress), dim=1))

    def before_step(self, progress: Progress) -> None:
        """The prototypes stay still at first."""
        if progress.step * progress.total_epochs < self.params.freeze * progress.total_steps:
            for head in self._heads():
                head.prototypes.grad = None

    def after_step(self, progress: Progress) -> None:
        """The teacher follows, ever more slowly, and the centers too."""
        momentum = cosine_momentum(self.params.momentum, self.params.final_momentum, progress.fraction)
        self.teacher.follow(self.student(), momentum)
        for child in self.children():
            if isinstance(child, Center):
                child.move()

    def _heads(self) -> list[PrototypeHead]:
        return [child for child in self.children() if isinstance(child, PrototypeHead)]


def chance(params: SelfDistillationParams, setting: Setting) -> float:
    """ln(prototypes): the cross-entropy of answers that are spread evenly."""
    return math.log(fitting_count(params.prototypes, setting.train_images))


def collapses(entropy: str, told: str, of: str, params: type[P]) -> tuple[Symptom[P], Symptom[P]]:
    """The two ways in which the teacher's answers become the same, from the names of the parts that tell of them.

    of: what is sorted, in the plural.
    """
    del params

    def all_alike(value: float, params: P, setting: Setting) -> bool:
        return value > 0.999 * chance(params, setting)

    def all_the_same(value: float, params: P, setting: Setting) -> bool:
        del params, setting
        return value < LEAST_INFORMATION

    return (
        Symptom(
            part=entropy,
            is_sick=all_alike,
            title=f"The teacher cannot tell {of} apart",
            text=f"Its answers are spread evenly over all prototypes (an entropy of ln(prototypes)), whatever the {of} "
            "show. Lower the teacher's temperature, or raise the learning rate.",
        ),
        Symptom(
            part=told,
            is_sick=all_the_same,
            title=f"All {of} get the same answer",
            text=f"What the teacher says does not depend on the {of}, so there is nothing to learn from it. "
            "Lower center_momentum, raise the teacher's temperature, or lower the learning rate.",
        ),
    )
