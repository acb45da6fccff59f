"""Embeddings of past batches, as buffers, so that they survive a resume."""

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


def fitting_size(queue: int, train_images: int) -> int:
    """The size of a queue: `queue`, or half of the images if that is less, so that few meet their own past in it."""
    return max(1, min(queue, train_images // 2))


class Bank(nn.Module):
    """One unit vector of `dim` entries per training image (Wu et al. 2018, section 3.1); random ones at the start."""

    vectors: Tensor

    def __init__(self, images: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", F.normalize(torch.randn(images, dim), dim=1))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """The rows to compare with: `count` drawn ones, with repetition, or all if `count` is 0 or not fewer."""
        images, device = len(self.vectors), self.vectors.device
        if count == 0 or count >= images:
            return torch.arange(images, device=device)
        return torch.randint(images, (count,), generator=generator).to(device)

    def beside(self, indices: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What images `indices` (B,) are compared with, as the losses of `losses.bank` take it.

        Their own vectors (B, dim), those of `rows` (M, dim), and which of these are their own (B, M).
        """
        return self.vectors[indices], self.vectors[rows], indices[:, None] == rows

    @torch.no_grad()
    def move(self, indices: Tensor, z: Tensor, *, momentum: float) -> None:
        """v ← momentum · v + (1 − momentum) · z, back on the sphere. indices: (B,), all different; z: (B, dim)."""
        toward = F.normalize(z.detach().float(), dim=1)
        moved = momentum * self.vectors[indices] + (1 - momentum) * toward
        self.vectors[indices] = F.normalize(moved, dim=1)
