"""All training images through a network: for methods whose targets need the whole set (clusters, neighbors)."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.inspect.embed import resize
from workbench.spec.progress import Report
from workbench.training.ranks import Ranks

_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class AllImages:
    """An `EncodeAll` over `rows` of `pixels` (N, C, S, S), shared out among the processes."""

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    normalization: nn.Module
    image_size: int
    device: torch.device
    ranks: Ranks
    report: Report

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> Tensor:
        """(N, d) float32 on the device, the same in every process. The network is left in the mode it was in."""
        training = network.training
        network.eval()
        try:
            mine = self._encode(network, self.rows[self.ranks.rank :: self.ranks.world])
        finally:
            network.train(training)
        return mine if self.ranks.world == 1 else self._gathered(mine)

    def _encode(self, network: nn.Module, rows: NDArray[np.int64]) -> Tensor:
        found = []
        for start in range(0, len(rows), _BATCH):
            self.report("looking at all images", start, len(rows))
            block = torch.from_numpy(np.ascontiguousarray(self.pixels[rows[start : start + _BATCH]]))
            images = self.normalization(resize(block.to(self.device), self.image_size))
            found.append(network(images).float())
        self.report("looking at all images", len(rows), len(rows))
        return torch.cat(found)

    def _gathered(self, mine: Tensor) -> Tensor:
        """Rank r has images r, r + world, …; those of the last ranks may be one fewer."""
        world, longest = self.ranks.world, -(-len(self.rows) // self.ranks.world)
        padded = torch.cat([mine, mine.new_zeros(longest - len(mine), mine.shape[1])])
        parts = [torch.empty_like(padded) for _ in range(world)]
        dist.all_gather(parts, padded)
        return torch.stack(parts, dim=1).flatten(0, 1)[: len(self.rows)]
