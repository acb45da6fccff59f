"""A method asked its own questions about held-out images: the same ones at every probe."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.data.prepare import Prepared
from workbench.method.contract import Batch, Method, Progress
from workbench.method.frames import Frames
from workbench.training.devices import autocast
from workbench.training.feed import Drawn
from workbench.training.frames import frames_of
from workbench.training.step import Stepper

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Grade:
    """What became of one task. right: the sum over `images` of their shares of right answers."""

    task: str
    right: float
    images: int
    chance: float


Examine = Callable[[Rows], tuple[Grade, ...]]
"""From rows of the pixel store, none of them trained on, to a grade per task; to none where a method has no task."""


@dataclass(frozen=True, kw_only=True)
class Examiner:
    """An `Examine`: makes views as the training does, as those of an epoch 0, so that they never change."""

    stepper: Stepper
    data: Prepared
    batch_size: int
    of_images: bool = True
    """Whether somebody asks about single images."""
    of_films: bool = False
    """Whether somebody asks about tuples of frames: about those of all held-out clips."""

    @torch.no_grad()
    def __call__(self, rows: Rows) -> tuple[Grade, ...]:
        """Asks in eval mode; the method is left in the mode it was in."""
        method, grades = self.stepper.method, dict[str, Grade]()
        if type(method).exam is Method.exam:
            return ()
        training = method.training
        method.eval()
        try:
            for batch, progress in self._batches(rows):
                with autocast(self.stepper.device, self.stepper.precision):
                    answers = method.exam(batch, progress)
                for one in answers:
                    before = grades.get(one.task, Grade(task=one.task, right=0.0, images=0, chance=one.chance))
                    right, images = before.right + float(one.right.double().sum()), before.images + len(one.right)
                    grades[one.task] = Grade(task=one.task, right=right, images=images, chance=one.chance)
        finally:
            method.train(training)
        return tuple(grade for grade in grades.values() if grade.images)

    def _batches(self, rows: Rows) -> Iterator[tuple[Batch, Progress]]:
        for held_out, asked in self._questions(rows):
            total = -(-len(asked) // self.batch_size)
            for number in range(total):
                progress = Progress(step=number, total_steps=total, epoch=0, total_epochs=1)
                tuples = asked[number * self.batch_size : (number + 1) * self.batch_size]
                drawn, *others = (self._drawn(held_out, column) for column in tuples.T)
                yield self.stepper.views(replace(drawn, partners=tuple(others)), 0), progress

    def _questions(self, rows: Rows) -> Iterator[tuple[Rows, Rows]]:
        """Held-out images, and the tuples of them (Q, T) that are asked about, at most as many as `rows`."""
        if self.of_images:
            yield rows, np.arange(len(rows))[:, None]
        if self.of_films and len(self.data.test_rows):
            asked, most = self.stepper.method.exam_tuples(self._films).numpy(), len(rows)
            if len(asked) > most:
                asked = asked[np.linspace(0, len(asked) - 1, most).astype(np.int64)]
            yield self.data.test_rows, asked

    @cached_property
    def _films(self) -> Frames:
        return frames_of(self.data.store.pixels, self.data.table.paths, self.data.test_rows)

    def _drawn(self, rows: Rows, indices: Rows) -> Drawn:
        chosen, device = rows[indices], self.stepper.device
        return Drawn(
            step=0,
            pixels=torch.from_numpy(np.ascontiguousarray(self.data.store.pixels[chosen])).to(device),
            ids=torch.from_numpy(self.data.ids[chosen]),
            indices=torch.from_numpy(indices).to(device),
            labels=torch.from_numpy(self.data.labels[chosen]).to(device),
        )
