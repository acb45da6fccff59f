"""Two random batches of vectors, and what it means that two losses are the same: value and gradient."""

import torch
from torch import Tensor


def pair(rows: int = 6, columns: int = 5, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    one, other = torch.randn(2, rows, columns, generator=generator).unbind()
    return one.requires_grad_(), other.requires_grad_()


def gradients(value: Tensor, *inputs: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(value, inputs))


def assert_same(mine: Tensor, theirs: Tensor, *inputs: Tensor) -> None:
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)
    for one, other in zip(gradients(mine, *inputs), gradients(theirs, *inputs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
