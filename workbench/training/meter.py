"""What the curves show: means since the last point, gathered without making the device wait."""

import time
from collections.abc import Mapping

import torch
from torch import Tensor

EVERY_SECONDS = 0.5


class Meter:
    """Adds up the loss and its parts on the device, and gives their means when a point is due.

    `whole` is the sum over the epoch so far, and `steps` how many steps it holds: they go through
    checkpoints, so that the mean loss of an epoch does not depend on where a run was interrupted.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}
        self._steps = 0
        self._images = 0
        self._since = time.perf_counter()
        self._waited = 0.0
        self._watched = 0.0
        self._total = 0.0
        self._total_watched = 0.0
        self.whole = torch.zeros((), device=device)
        self.whole_steps = 0

    def add(self, values: Mapping[str, Tensor], *, images: int) -> None:
        """One step: named detached scalars, 'loss' among them."""
        for name, value in values.items():
            self._sums[name] = self._sums[name] + value.float() if name in self._sums else value.float()
        self.whole = self.whole + values["loss"].float()
        self.whole_steps += 1
        self._steps += 1
        self._images += images

    def watched(self, seconds: float) -> None:
        """Time that went into looking at the representation, not into training."""
        self._watched += seconds

    def forget_time(self) -> None:
        """After a pause, or what comes before the first step: the clock starts again."""
        self._since = time.perf_counter()
        self._watched = 0.0
        self._images = 0  # Those of before were not made in the time that is counted from here.

    def due(self) -> bool:
        """Whether half a second has gone by since the last point."""
        return self._steps > 0 and time.perf_counter() - self._since >= EVERY_SECONDS

    def take(self, *, waited: float) -> dict[str, float]:
        """The point: means of what was added, throughput, and the share of waiting for data. Starts anew.

        'watching' is the share of all time so far: it comes in lumps. `waited` is the total of seconds
        that the loop has waited for data so far.
        """
        if self._steps == 0:
            return {}
        names = list(self._sums)
        means = (torch.stack([self._sums[name] for name in names]) / self._steps).tolist()  # The one wait.
        elapsed = max(1e-9, time.perf_counter() - self._since)
        training = max(1e-9, elapsed - self._watched)
        values = dict(zip(names, means, strict=True))
        values["images_per_second"] = self._images / training
        values["waiting"] = min(1.0, (waited - self._waited) / training)
        self._total += elapsed
        self._total_watched += self._watched
        values["watching"] = min(1.0, self._total_watched / self._total)
        self._sums.clear()
        self._steps = self._images = 0
        self._waited, self._watched = waited, 0.0
        self._since = time.perf_counter()
        return values

    def end_epoch(self) -> float:
        """The mean loss of the epoch."""
        mean = float(self.whole) / max(1, self.whole_steps)
        self.whole = torch.zeros((), device=self._device)
        self.whole_steps = 0
        return mean
