"""Tuples of frames of one film: which images are frames of which clip, and windows of them in which something moves."""

from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.spec.errors import CheckError


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """What is known of N images that are frames of films; on the CPU.

    clip: (N,) int64, which one; position: (N,) int64, the place in it, without holes; motion: (N,) float32, how much
    changes until the next frame of the clip, as mean absolute difference in shares of the range of values; 0 for the
    last one.
    """

    clip: Tensor
    position: Tensor
    motion: Tensor

    def __len__(self) -> int:
        return len(self.clip)


class Windows:
    """All tuples of `length` frames of one clip, equally far apart: by 1 to `distance` frames, with enough motion.

    still: the share of each clip's windows, those with the least motion, that are passed over (Misra et al. 2016,
    section 3.1, take tuples from windows with much motion). Every frame stands for the windows that it is in; one
    that is in none stands for those of the nearest frame of its clip that is, or of any.
    """

    def __init__(self, frames: Frames, *, length: int, distance: int, still: float) -> None:
        self.length = length
        self._order = torch.argsort(frames.clip * (int(frames.position.max()) + 1) + frames.position)
        clip, motion = frames.clip[self._order], frames.motion[self._order]
        self._allowed = torch.stack(
            [_allowed(clip, motion, span=step * (length - 1), still=still) for step in range(1, distance + 1)]
        )
        self._steps = torch.arange(1, distance + 1)
        starts = torch.arange(len(clip))
        # Candidate (step, place): the window in which a frame has this place, if there is one.
        candidates = []
        for row, step in enumerate(range(1, distance + 1)):
            for place in range(length):
                start = starts - place * step
                candidates.append((start >= 0) & self._allowed[row][start.clamp(min=0)])
        found = torch.stack(candidates, dim=1)
        self._number = torch.empty(len(clip), dtype=torch.int64)
        self._number[self._order] = starts
        self._choices = torch.argsort((~found).int(), dim=1, stable=True)
        self._count = found.sum(dim=1)
        self._instead = _nearest(clip, self._count > 0)

    @property
    def any(self) -> bool:
        """Whether there is a window at all."""
        return bool((self._count > 0).any())

    def draw(self, indices: Tensor, generator: torch.Generator) -> Tensor:
        """(B,) images to the rows of a window for each: (B, length), in order of time.

        One number is drawn for each of all N frames, so that an image's window does not depend on its batch.
        """
        drawn = torch.rand(len(self._order), generator=generator)[indices]
        frame = self._instead[self._number[indices]]
        choice = (drawn * self._count[frame]).long().clamp(max=self._choices.shape[1] - 1)
        candidate = self._choices[frame, choice]
        step = self._steps[torch.div(candidate, self.length, rounding_mode="floor")]
        return self._rows(frame - candidate % self.length * step, step)

    def apart(self) -> Tensor:
        """(Q, length): windows no two of which overlap in time, with one step after the other, clip by clip."""
        chosen, steps, free, turn = [], [], 0, 0
        ahead = torch.cat([self._allowed, torch.zeros(len(self._steps), 1, dtype=torch.bool)], dim=1)
        for start in range(len(self._order)):
            row = turn % len(self._steps)
            if start < free or not ahead[row, start]:
                continue
            step = int(self._steps[row])
            chosen.append(start)
            steps.append(step)
            free, turn = start + (self.length - 1) * step + 1, turn + 1
        return self._rows(torch.tensor(chosen, dtype=torch.int64), torch.tensor(steps, dtype=torch.int64))

    def _rows(self, start: Tensor, step: Tensor) -> Tensor:
        return self._order[start[:, None] + step[:, None] * torch.arange(self.length)]


def training_windows(frames: Frames | None, *, length: int, distance: int, still: float) -> Windows:
    """The windows to learn from. Raises `CheckError` where the images are no frames, or no clip has enough of them."""
    if frames is None or not len(frames):
        raise CheckError("These images are not known as frames of films.")
    windows = Windows(frames, length=length, distance=distance, still=still)
    if not windows.any:
        raise CheckError(
            f"No clip has {length} frames to train on.",
            hint="Give longer clips, or let fewer images be left out (data.limit, data.test_fraction).",
        )
    return windows


def _allowed(clip: Tensor, motion: Tensor, *, span: int, still: float) -> Tensor:
    """(N,) whether a window of `span` + 1 frames of one clip starts here, and has enough motion for that clip."""
    allowed = torch.zeros(len(clip), dtype=torch.bool)
    starts = len(clip) - span
    if starts <= 0:
        return allowed
    inside = clip[:starts] == clip[span:]
    until = torch.cat([torch.zeros(1, dtype=torch.float64), motion.double().cumsum(0)])
    moved = (until[span : span + starts] - until[:starts]) / span
    for number in clip[:starts][inside].unique():
        here = inside & (clip[:starts] == number)
        allowed[:starts] |= here & (moved >= torch.quantile(moved[here], still))
    return allowed


def _nearest(clip: Tensor, usable: Tensor) -> Tensor:
    """(N,) for each frame the nearest usable one of its clip, itself if it is; of all where its clip has none."""
    rows = torch.arange(len(clip))
    good = rows[usable]
    if not len(good):
        return rows
    after = torch.searchsorted(good, rows).clamp(max=len(good) - 1)
    before = (torch.searchsorted(good, rows, right=True) - 1).clamp(min=0)
    far = 4 * len(clip)
    distances = torch.stack(
        [(rows - good[side]).abs() + far * (clip != clip[good[side]]).long() for side in (before, after)]
    )
    return torch.where(distances[0] <= distances[1], good[before], good[after])
