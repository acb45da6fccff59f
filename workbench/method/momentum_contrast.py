"""What MoCo's first and second version share: a queue of keys that a slowly following teacher has made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, Progress, Setting, Symptom, detached, drawing
from workbench.method.gather import gather
from workbench.method.groups import in_groups
from workbench.method.losses.contrastive import info_nce
from workbench.method.losses.spread import deviation, mean_cosine
from workbench.method.memory import Queue
from workbench.method.momentum import Teacher, cosine_momentum

_LEAST_MOMENTUM = 0.9
"""The least that He et al. 2020 (section 4.1) found to learn; they tried nothing between it and 0, which fails."""
_NEAR = 0.02


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """How queries and keys are compared. momentum: that of the teacher at the start and at the end.

    symmetric: every view asks and answers; otherwise the first asks and the others answer. groups: parts of the batch
    that take batch-norm statistics of their own.
    """

    temperature: float
    momentum: tuple[float, float]
    symmetric: bool
    groups: int


class MomentumContrast(Method):
    """InfoNCE against a queue of a momentum teacher's keys (He et al. 2020, arXiv:1911.05722, algorithm 1).

    The paper shuffles the batch among GPUs before the teacher, so that a key does not share batch-norm statistics
    with its query, which would give it away. `groups` does the same within a process. Several processes synchronize
    their batch norms, so that with one group no smaller part of the batch shares anything.
    """

    def __init__(self, encoder: Encoder, projector: nn.Module, queue: Queue, how: Contrast) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = projector
        self.teacher = Teacher(nn.Sequential(encoder, projector))
        self.queue = queue
        self.how = how
        self._fresh: list[Tensor] = []  # this step's keys, which enter the queue once the step is done.

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """InfoNCE of every view that asks against the teacher's key of another."""
        how, views = self.how, batch.views
        generator = drawing(progress)
        student = nn.Sequential(self.encoder, self.projector)
        q = [in_groups(student, view, how.groups) for view in (views if how.symmetric else views[:1])]
        answering = range(0 if how.symmetric else 1, len(views))
        k = {place: in_groups(self.teacher, views[place], how.groups, shuffled=generator) for place in answering}
        pairs = [(one, k[place]) for asking, one in enumerate(q) for place in answering if asking != place]
        losses = [info_nce(one, other, self.queue.vectors, temperature=how.temperature) for one, other in pairs]
        self._fresh.append(gather(torch.cat(list(k.values()))))
        parts = {
            "same_image": torch.stack([torch.cosine_similarity(one, other).mean() for one, other in pairs]).mean(),
            "other_images": mean_cosine(q[0]),
            "spread": deviation(q[0]),
        }
        return Loss(value=torch.stack(losses).mean(), parts=detached(**parts))

    def after_step(self, progress: Progress) -> None:
        """The teacher follows, and this step's keys enter the queue."""
        momentum = cosine_momentum(*self.how.momentum, progress.fraction)
        self.teacher.follow(nn.Sequential(self.encoder, self.projector), momentum)
        if self._fresh:
            self.queue.push(torch.cat(self._fresh))
            self._fresh.clear()


def outdated_queue(chance: Callable[[Any, Setting], float]) -> Symptom[Any]:
    """That the loss stays at `chance` beside a 'momentum' too low for a queue: its failure, whatever the spread."""

    def is_sick(value: float, params: Any, setting: Setting) -> bool:
        expected = chance(params, setting)
        return bool(params.momentum < _LEAST_MOMENTUM and abs(value - expected) < _NEAR * expected)

    return Symptom(
        part="",
        is_sick=is_sick,
        title="The queue is out of date",
        text="The loss stands where it does when nothing is learned: with so low a momentum the vectors in the queue "
        "were made by networks that have changed since, so that they cannot be compared with new ones. Raise the "
        "momentum to 0.99 or more.",
    )
