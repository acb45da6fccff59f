"""Gaussian blur of a batch, every image with its own bell."""

import math

import torch
from torch import Tensor

from workbench.augment.compiled import kernels_for
from workbench.augment.moving import moved

# Beyond this many deviations the bell has 0.05 % of its weight: less than a tenth of a gray level of 255.
_REACH = 3.5


def blur_(images: Tensor, rows: Tensor, sigma: Tensor, *, widest_at: int = 0) -> None:
    """A bell along y and then along x, mirrored at the border; its reach is a twentieth of the side at most.

    images: (n, C, h, w) float32 in [0, 1], of which `rows` (m,) are blurred by deviations sigma (m,) in pixels;
    both are on the CPU. `widest_at`: another bound for the reach in pixels, below the side.
    """
    side = min(images.shape[2:])
    bound = min(widest_at or widest(side), side - 1)
    sigma = sigma.double()
    radii = (sigma * _REACH).ceil().clamp(1, bound).long()
    bells = _bells(sigma, radii, bound)
    kernels = kernels_for(images)
    if kernels is not None:
        kernels.blur(images.numpy(), rows.numpy(), bells.numpy(), radii.numpy())
        return
    for radius in sorted(set(radii.tolist())):
        chosen = (radii == radius).nonzero().squeeze(1)
        place = moved(rows[chosen], images.device)
        images[place] = _by_shifts(images[place], moved(bells[chosen, : radius + 1], images.device))


def widest(size: int) -> int:
    """The largest radius at an image side: kernels of 3 at 32 px, 9 at 96 px, 23 at 224 px."""
    return max(1, size // 10 // 2)


def reach(sigma: float, bound: int) -> int:
    """The radius at which a bell is cut off, in pixels: at most `bound`."""
    return max(1, min(bound, math.ceil(sigma * _REACH)))


def _bells(sigma: Tensor, radii: Tensor, bound: int) -> Tensor:
    """(m, bound + 1) float32: weights of a pixel and its neighbors to one side, up to `radii`; bells of sum one.

    As wide as any batch's, so that the order of the sum is always the same.
    """
    distance = torch.arange(bound + 1, dtype=torch.float64)
    weights = (-0.5 * (distance / sigma[:, None]) ** 2).exp() * (distance <= radii[:, None])
    total = weights[:, 0] + 2 * weights[:, 1:].sum(dim=1)
    return (weights / total[:, None]).float()


def _by_shifts(images: Tensor, weights: Tensor) -> Tensor:
    """Sums of shifted images, neighbors in pairs: on a CPU as quick as a convolution, and equal in every batch."""
    n, channels, height, width = images.shape
    radius = weights.shape[1] - 1
    tall = _mirrored(images, radius, axis=2)
    images = _weighted_sum([tall.narrow(2, k, height) for k in range(2 * radius + 1)], weights[..., None, None])
    # Along x, shifts go over whole images as one line: what runs from row to row falls into the margin.
    line = _mirrored(images, radius, axis=3).view(n, -1)
    length = line.shape[1] - 2 * radius
    summed = torch.empty_like(line)
    _weighted_sum([line.narrow(1, k, length) for k in range(2 * radius + 1)], weights, out=summed[:, :length])
    return summed.view(n, channels, height, width + 2 * radius)[..., :width].clamp(0, 1)


def _mirrored(images: Tensor, radius: int, *, axis: int) -> Tensor:
    """The images with `radius` mirrored rows or columns on both sides, the border itself not repeated."""
    size = images.shape[axis]
    shape = list(images.shape)
    shape[axis] += 2 * radius
    padded = images.new_empty(shape)
    padded.narrow(axis, radius, size).copy_(images)
    padded.narrow(axis, 0, radius).copy_(images.narrow(axis, 1, radius).flip(axis))
    padded.narrow(axis, radius + size, radius).copy_(images.narrow(axis, size - 1 - radius, radius).flip(axis))
    return padded


def _weighted_sum(shifted: list[Tensor], weights: Tensor, out: Tensor | None = None) -> Tensor:
    """The middle one and the pairs about it. weights: (n, radius + 1, …), a column per distance."""
    radius = weights.shape[1] - 1
    columns = [weights[:, k : k + 1] for k in range(radius + 1)]
    summed = torch.mul(shifted[radius], columns[0], out=out)
    pair = torch.empty_like(summed)
    for k in range(1, radius + 1):
        summed += torch.add(shifted[radius - k], shifted[radius + k], out=pair).mul_(columns[k])
    return summed
