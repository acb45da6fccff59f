"""A queue of embeddings of past batches, as buffers, so that it survives a resume."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Queue(nn.Module):
    """The newest `size` unit vectors of `dim` entries (He et al. 2020, sec. 3.2); random ones at the start."""

    vectors: Tensor
    position: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", F.normalize(torch.randn(size, dim), dim=1))
        self.register_buffer("position", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def push(self, z: Tensor) -> None:
        """Adds z: (B, dim), any norm, in place of the oldest vectors. Of more rows than fit, the last are kept."""
        size = len(self.vectors)
        newest = F.normalize(z.detach().float(), dim=1)[-size:]
        places = (self.position + torch.arange(len(newest), device=self.vectors.device)) % size
        self.vectors[places] = newest.to(self.vectors.device)
        self.position.copy_((self.position + len(newest)) % size)
