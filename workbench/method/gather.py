"""Embeddings of all processes, with gradient, so that a contrastive loss sees the whole batch."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def gather(z: Tensor) -> Tensor:
    """(B, d) of this process to (processes × B, d) of all, in order of rank. The same tensor in a single process.

    B must be equal everywhere. The gradient of every process's loss reaches the process that made a row, so
    that the mean over processes (which DistributedDataParallel takes) is the gradient of the whole batch.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return z
    gathered: Tensor = _Gather.apply(z)
    return gathered


def own_rows(every: Tensor, count: int) -> Tensor:
    """This process's `count` rows of what `gather` gave, or of what was made of it row by row."""
    if len(every) == count:
        return every
    first = dist.get_rank() * count
    return every[first : first + count]


def as_leader(tensor: Tensor) -> Tensor:
    """The tensor of the first process, in all: what they computed alike may differ in its last bits on GPUs."""
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        dist.broadcast(tensor, 0)
    return tensor


def smallest(values: Tensor) -> int:
    """The smallest of some whole numbers, among those of all processes."""
    least = values.min()
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        dist.all_reduce(least, dist.ReduceOp.MIN)
    return int(least)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        ctx.rows = len(z)
        parts = [torch.empty_like(z) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, z.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        gradient = gradients[0].contiguous()
        dist.all_reduce(gradient)
        first = dist.get_rank() * ctx.rows
        return gradient[first : first + ctx.rows]
