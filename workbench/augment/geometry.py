"""Homographies of a batch, and the one resampling that carries them out.

Matrices are (n, 3, 3) float64 on the CPU and map output to input, in coordinates where (-1, -1) and
(1, 1) are the outer corners of an image. float64, so that a product of many stays exact to float32.

How a view is resampled, image by image:

- Flips, quarter turns and nothing at all, at the same size, are copies: exact to the pixel.
- Otherwise bilinear interpolation (`grid_sample`). Where the view lies inside the image, samples in the
  outer half pixel take the edge's value, as a resize does; where it reaches outside, the outside is black.
- A view with fewer pixels than the region it shows is sampled k times finer, k the scale rounded, and
  then shrunk by torch's antialiased bilinear filter, so that nothing aliases. torchvision crops to
  whole pixels and shrinks in one step; at a whole scale the two are equal, otherwise close.

On a CPU compiled loops do the same (`kernels`), to the rounding of float32.
"""

from collections.abc import Iterable
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.augment.compiled import kernels_for

# Slightly shrunk views are sampled as they are: below this scale there is little to alias.
_SHRUNK = 1.25
# Outer samples may lie this far outside by rounding alone, in half image sides.
_ROUNDING = 1e-6
# Points with a smaller homogeneous coordinate are beyond the horizon of a perspective.
_HORIZON = 1e-4


def identity(n: int) -> Tensor:
    """(n, 3, 3) matrices that move nothing."""
    return torch.eye(3, dtype=torch.float64).repeat(n, 1, 1)


def affine(rows: Iterable[Iterable[Tensor | float]]) -> Tensor:
    """(n, 3, 3) from the two upper rows, given as tensors (n,) or numbers; at least one is a tensor."""
    entries = [entry for row in rows for entry in row]
    n = next(len(entry) for entry in entries if isinstance(entry, Tensor))
    matrices = identity(n)
    for position, entry in enumerate(entries):
        matrices[:, position // 3, position % 3] = torch.as_tensor(entry, dtype=torch.float64)
    return matrices


def compose(first: Tensor, second: Tensor) -> Tensor:
    """The matrices of `first` and then `second`, scaled to a last entry of one.

    Written out: a library's product may round differently in batches of different sizes.
    """
    product = sum(
        (first[:, :, k : k + 1] * second[:, k : k + 1, :] for k in range(3)),
        torch.zeros_like(first),
    )
    return product / product[:, 2:3, 2:3]


def corners(matrices: Tensor) -> Tensor:
    """(n, 4, 2): where a view's corners lie on the image, in [0, 1]: top left, top right, bottom right, bottom left."""
    return (_mapped_corners(matrices) + 1) / 2


def resample(images: Tensor, matrices: Tensor, size: tuple[int, int], out: Tensor | None = None) -> Tensor:
    """New images (n, C, h, w) of `size` (h, w), written to `out` where it is given.

    images: (n, C, H, W) float32; never written to, never returned.
    """
    result = images.new_empty((*images.shape[:2], *size)) if out is None else out
    turns = _turns(matrices)
    quads = _mapped_corners(matrices)
    inside = (quads.abs() <= 1 + _ROUNDING).all(dim=2).all(dim=1)
    finer = _finer(quads, (images.shape[2], images.shape[3]), size)
    kernels = kernels_for(images)
    if kernels is not None:
        _compiled(kernels, images, _Wanted(matrices, turns, finer, inside), result)
        return result
    kinds = torch.where(turns >= 0, -1 - turns, 2 * finer + inside)
    present = sorted(set(kinds.tolist()))
    if len(present) == 1:
        return result.copy_(_resampled(images, matrices, size, present[0]))
    for kind in present:
        chosen = (kinds == kind).nonzero().squeeze(1)
        place = chosen.to(images.device)
        result[place] = _resampled(images[place], matrices[chosen], size, kind)
    return result


class _Wanted(NamedTuple):
    """What is to be done with n images: their matrices, turns (-1 for none), times finer, and whether inside."""

    matrices: Tensor
    turns: Tensor
    finer: Tensor
    inside: Tensor

    def of(self, chosen: Tensor) -> "_Wanted":
        """Those of some images."""
        return _Wanted(*(part[chosen] for part in self))


def _compiled(kernels: ModuleType, images: Tensor, wanted: _Wanted, result: Tensor) -> None:
    """By the kernels: crops and flips of one kind, axis by axis; everything that is slanted, point by point."""
    slanted = (wanted.matrices[:, (0, 1, 2, 2), (1, 0, 0, 1)] != 0).any(dim=1) | (wanted.matrices[:, 2, 2] != 1)
    kinds = torch.where(wanted.turns >= 0, -1 - wanted.turns, slanted.long())
    size = (result.shape[2], result.shape[3])
    for kind in sorted(set(kinds.tolist())):
        chosen = (kinds == kind).nonzero().squeeze(1)
        whole = len(chosen) == len(images)
        part = images.contiguous() if whole else images[chosen]
        if kind < 0:
            result[chosen] = _resized(_turned(part, -1 - kind), size)
            continue
        target = result if whole else images.new_empty((len(chosen), *result.shape[1:]))
        work = _slant if kind else _crop
        work(kernels, part, wanted.of(chosen), target)
        if not whole:
            result[chosen] = target


def _crop(kernels: ModuleType, images: Tensor, wanted: _Wanted, target: Tensor) -> None:
    sources, sizes = np.array(images.shape[2:]), np.array(target.shape[2:])
    slopes = wanted.matrices[:, (1, 0), (1, 0)].abs().numpy()
    finer = wanted.finer.numpy()
    apart = slopes * sources / (sizes * finer[:, None])
    longest = int(np.ceil((2 * finer[:, None] - 1) * apart).max()) + 3
    kernels.crop(
        images.numpy(), wanted.matrices.contiguous().numpy(), finer, wanted.inside.numpy(), longest, target.numpy()
    )


def _slant(kernels: ModuleType, images: Tensor, wanted: _Wanted, target: Tensor) -> None:
    """Point by point, as many times finer as needed, and then shrunk."""
    height, width = target.shape[2:]
    for factor in sorted(set(wanted.finer.tolist())):
        chosen = (wanted.finer == factor).nonzero().squeeze(1)
        fine = target.new_empty((len(chosen), target.shape[1], height * factor, width * factor))
        matrices = wanted.matrices[chosen].contiguous()
        kernels.sample(images[chosen].numpy(), matrices.numpy(), wanted.inside[chosen].numpy(), fine.numpy())
        if factor > 1:
            shrunk = target.new_empty((len(chosen), *target.shape[1:]))
            everywhere = torch.ones(len(chosen), dtype=torch.bool)
            _crop(kernels, fine, _Wanted(identity(len(chosen)), everywhere, wanted.finer[chosen], everywhere), shrunk)
            fine = shrunk
        target[chosen] = fine


def _resampled(images: Tensor, matrices: Tensor, size: tuple[int, int], kind: int) -> Tensor:
    """Images of one kind: -1 - turn for a turn of the square, else 2 * (times finer) + (inside the image)."""
    if kind < 0:
        return _resized(_turned(images, -1 - kind), size)
    return _sampled(images, matrices, size, kind // 2, within=bool(kind % 2))


def _mapped_corners(matrices: Tensor) -> Tensor:
    """(n, 4, 2) float64: the four corners of the output, on the input."""
    points = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)
    x, y = points[:, 0], points[:, 1]
    mapped = [m[:, 0:1] * x + m[:, 1:2] * y + m[:, 2:3] for m in matrices.unbind(1)]
    depth = mapped[2].clamp_min(_HORIZON)
    return torch.stack([mapped[0] / depth, mapped[1] / depth], dim=2)


def _turns(matrices: Tensor) -> Tensor:
    """(n,) int64: which of the eight turns and flips of a square a matrix is exactly, -1 for none.

    Number 4 t + 2 v + h: transposed or not, then y mirrored or not, then x.
    """
    (xx, xy, x0), (yx, yy, y0), (zx, zy, zz) = matrices.numpy().transpose(1, 2, 0)
    straight = (xy == 0) & (yx == 0) & (np.abs(xx) == 1) & (np.abs(yy) == 1)
    crossed = (xx == 0) & (yy == 0) & (np.abs(xy) == 1) & (np.abs(yx) == 1)
    exact = (straight | crossed) & (x0 == 0) & (y0 == 0) & (zx == 0) & (zy == 0) & (zz == 1)
    numbers = 4 * crossed + 2 * (xy + yy < 0) + (xx + yx < 0)
    return torch.from_numpy(np.where(exact, numbers, -1))


def _turned(images: Tensor, turn: int) -> Tensor:
    if turn >= 4:
        images = images.transpose(2, 3)
    mirrored = [axis for axis, bit in ((3, 1), (2, 2)) if turn & bit]
    return images.flip(mirrored) if mirrored else images


def _resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """The whole images at a size, as torchvision's antialiased resize does it."""
    if tuple(images.shape[2:]) == size:
        return images
    return F.interpolate(images.contiguous(), size=size, mode="bilinear", align_corners=False, antialias=True)


def _finer(quads: Tensor, source: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """(n,) int64: how many times finer than the view a region is sampled, by the longest side of its outline."""
    height, width = source
    pixels = quads * torch.tensor([width / 2, height / 2], dtype=torch.float64)
    sides = (pixels - pixels.roll(-1, dims=1)).square().sum(dim=2).sqrt()
    scale = torch.maximum(sides[:, 0::2].amax(1) / size[1], sides[:, 1::2].amax(1) / size[0])
    largest = max(1, -(-height // size[0]), -(-width // size[1]))
    return torch.where(scale <= _SHRUNK, 1.0, (scale - 0.25).ceil()).clamp(1, largest).long()


def _sampled(images: Tensor, matrices: Tensor, size: tuple[int, int], factor: int, *, within: bool) -> Tensor:
    height, width = size[0] * factor, size[1] * factor
    grid = _grid(matrices, height, width, images.device)
    padding = "border" if within else "zeros"
    fine = F.grid_sample(images, grid, mode="bilinear", padding_mode=padding, align_corners=False)
    return fine if factor == 1 else _resized(fine, size)


def _grid(matrices: Tensor, height: int, width: int, device: torch.device) -> Tensor:
    """(n, height, width, 2) float32: where each output pixel's center lies in the input."""
    x = ((2 * torch.arange(width, dtype=torch.float64) + 1) / width - 1).to(device, torch.float32)
    y = ((2 * torch.arange(height, dtype=torch.float64) + 1) / height - 1).to(device, torch.float32)
    entries = matrices.to(torch.float32).to(device)[..., None, None].unbind(1)
    grid = torch.empty((len(matrices), height, width, 2), device=device)

    def linear(row: Tensor) -> tuple[Tensor, Tensor]:
        a, b, c = row.unbind(1)
        return a * x, b * y[:, None] + c

    projective = bool((matrices[:, 2, :2] != 0).any())
    depth = torch.add(*linear(entries[2])).clamp_min_(_HORIZON) if projective else None
    for axis in (0, 1):
        torch.add(*linear(entries[axis]), out=grid[..., axis])
        if depth is not None:
            grid[..., axis] /= depth
    return grid
