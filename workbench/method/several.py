"""Several tasks at once on one encoder, each with its own head: the loss is their weighted sum.

Multi-task self-supervision (Doersch & Zisserman 2017, arXiv:1708.07860), and any task with a consistency between
views beside it (Howard 2020, "Self-supervised learning and computer vision").
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import (
    Batch,
    EncodeAll,
    Loss,
    Method,
    MethodInfo,
    Progress,
    Setting,
    Symptom,
    detached,
)
from workbench.method.exam import Answers
from workbench.method.exhibit import Panel
from workbench.method.frames import Frames
from workbench.spec.params import Params
from workbench.spec.tasks import joint_demands


class SeveralParams(Params, frozen=True, kw_only=True):
    """The parameters of each task, in their order."""

    tasks: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A method's record, and what its loss counts."""

    info: MethodInfo[Any]
    weight: float


class Several(Method):
    """Tasks that share the encoder. Every task sees of a batch what it would see alone."""

    def __init__(self, encoder: Encoder, tasks: Sequence[Task], params: SeveralParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.methods = nn.ModuleDict(
            {
                task.info.name: task.info.build(
                    encoder, own, setting if task.info.uses_frames else replace(setting, frames=None)
                )
                for task, own in zip(tasks, params.tasks, strict=True)
            }
        )
        self.tasks = tuple(tasks)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Parts: the loss of each task under its name, and its parts as NAME_PART."""
        total = torch.zeros((), device=batch.views[0].device)
        parts: dict[str, Tensor] = {}
        for task, method in self._each():
            loss = method.loss(narrowed(batch, task.info), progress)
            total = total + task.weight * loss.value
            parts |= {task.info.name: loss.value}
            parts |= {f"{task.info.name}_{name}": part for name, part in loss.parts.items()}
        return Loss(value=total, parts=detached(**parts))

    def before_epoch(self, encode: EncodeAll, progress: Progress) -> None:
        """Of all that want to see all images."""
        for _, method in self._each():
            method.before_epoch(encode, progress)

    def tuples(self, indices: Tensor, progress: Progress) -> Tensor | None:
        """Those of the one task that wants some; frames of a film come behind the image, which the others look at."""
        for task, method in self._each():
            if task.info.uses_tuples:
                named = method.tuples(indices, progress)
                if named is None or not task.info.uses_frames:
                    return named
                return torch.cat((indices[:, None], named), dim=1)
        return None

    def assign(self, features: Tensor) -> Tensor | None:
        """The clusters of the first task that makes some."""
        found = (method.assign(features) for _, method in self._each())
        return next((clusters for clusters in found if clusters is not None), None)

    def before_step(self, progress: Progress) -> None:
        """Of all."""
        for _, method in self._each():
            method.before_step(progress)

    def after_step(self, progress: Progress) -> None:
        """Of all."""
        for _, method in self._each():
            method.after_step(progress)

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The pictures of all tasks beside each other, with their names."""
        return tuple(
            replace(panel, title=f"{task.info.title}: {panel.title}")
            for task, method in self._each()
            for panel in method.exhibit(narrowed(batch, task.info), progress)
        )

    def exam(self, batch: Batch, progress: Progress) -> tuple[Answers, ...]:
        """The answers of the task about films, where frames come together; otherwise those of all others."""
        return tuple(
            answers
            for task, method in self._each()
            if task.info.uses_frames == bool(batch.partner_views)
            for answers in method.exam(narrowed(batch, task.info), progress)
        )

    def exam_tuples(self, frames: Frames) -> Tensor:
        """The questions of the one task about films, behind the first frame of each, as in `tuples`."""
        for task, method in self._each():
            if task.info.uses_frames:
                asked = method.exam_tuples(frames)
                return torch.cat((asked[:, :1], asked), dim=1)
        return super().exam_tuples(frames)

    def steady_parameters(self) -> Iterable[nn.Parameter]:
        """Of all."""
        for _, method in self._each():
            yield from method.steady_parameters()

    def _each(self) -> Iterable[tuple[Task, Method]]:
        for task in self.tasks:
            method = self.methods[task.info.name]
            assert isinstance(method, Method)
            yield task, method


def narrowed(batch: Batch, info: MethodInfo[Any]) -> Batch:
    """What a method alone would get of a batch that was made for several.

    Where one of them learns from films, its frames come behind the image (`Several.tuples`).
    """
    views, partners = batch.views, batch.partner_views
    if info.uses_frames and partners:
        views, partners = partners[0], partners[1:]
    return replace(
        batch,
        views=views,
        local_views=batch.local_views if info.local_views else (),
        labels=batch.labels if info.uses_labels else None,
        corners=batch.corners if info.uses_corners else (),
        partner_views=partners if info.uses_tuples else (),
    )


def several(tasks: Sequence[Task]) -> MethodInfo[SeveralParams]:
    """The record of tasks on one encoder: what they need together, and the symptoms of each."""
    infos = [task.info for task in tasks]
    first = infos[0]
    return MethodInfo(
        paper=first.paper,
        year=first.year,
        summary=first.summary,
        explanation=first.explanation,
        when=first.when,
        collapse=first.collapse,
        tags=first.tags,
        params=SeveralParams,
        build=lambda encoder, params, setting: Several(encoder, tasks, params, setting),
        uses_corners=any(info.uses_corners for info in infos),
        uses_tuples=any(info.uses_tuples for info in infos),
        same_draw=any(info.same_draw for info in infos),
        recipe=first.recipe,
        chance_loss=_chance(tasks) if all(info.chance_loss for info in infos) else None,
        symptoms=tuple(_of_one(number, info, one) for number, info in enumerate(infos) for one in info.symptoms),
        precautions=_precautions(infos),
        **joint_demands([info.card() for info in infos]),
    )


def _chance(tasks: Sequence[Task]) -> Callable[[SeveralParams, Setting], float]:
    def chance(params: SeveralParams, setting: Setting) -> float:
        found = 0.0
        for task, own in zip(tasks, params.tasks, strict=True):
            assert task.info.chance_loss
            found += task.weight * task.info.chance_loss(own, setting)
        return found

    return chance


def _precautions(infos: Sequence[MethodInfo[Any]]) -> Callable[[SeveralParams, Setting], tuple[str, ...]]:
    def left(params: SeveralParams, setting: Setting) -> tuple[str, ...]:
        return tuple(
            f"{info.title}: {words}"
            for info, own in zip(infos, params.tasks, strict=True)
            if info.precautions
            for words in info.precautions(own, setting)
        )

    return left


def _of_one(number: int, info: MethodInfo[Any], symptom: Symptom[Any]) -> Symptom[SeveralParams]:
    """A task's symptom, read from its own parts."""
    return Symptom(
        part=f"{info.name}_{symptom.part}" if symptom.part else info.name,
        is_sick=lambda value, params, setting: symptom.is_sick(value, params.tasks[number], setting),
        title=f"{info.title}: {symptom.title[:1].lower()}{symptom.title[1:]}",
        text=symptom.text,
    )
