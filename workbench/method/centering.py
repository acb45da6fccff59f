"""What is taken from a teacher's answers, and how they are made surer, so that they do not become the same for all."""

import torch
from torch import Tensor, nn

from workbench.method.gather import gather


class Center(nn.Module):
    """The moving mean of a teacher's logits (Caron et al. 2021, arXiv:2104.14294, eq. 4), of all processes.

    Logits are noted while a step's losses are computed, and enter once it is done: c ← m · c + (1 − m) · mean.
    """

    value: Tensor

    def __init__(self, entries: int, momentum: float) -> None:
        super().__init__()
        self.register_buffer("value", torch.zeros(entries))
        self.momentum = momentum
        self._noted: list[Tensor] = []

    def note(self, logits: Tensor) -> None:
        """logits: (..., entries), of any number of rows, also another one in each process, or none."""
        rows = logits.detach().float().flatten(0, -2)
        total = torch.cat((rows.sum(dim=0), rows.new_full((1,), len(rows))))
        self._noted.append(gather(total[None]).sum(dim=0))

    def move(self) -> None:
        """What was noted enters. Without any rows the center stays."""
        if not self._noted:
            return
        total = torch.stack(self._noted).sum(dim=0)
        mean, count = total[:-1] / total[-1].clamp(min=1), total[-1]
        self.value.copy_(torch.where(count > 0, self.value.lerp(mean, 1 - self.momentum), self.value))
        self._noted.clear()


def rising(first: float, last: float, share: float, fraction: float) -> float:
    """From `first` in a straight line to `last`, reached at `share` of the run; `fraction` is where it stands."""
    return last if fraction >= share else first + (last - first) * fraction / share
