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

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from workbench.augment.axes import sums_along
from workbench.augment.compiled import kernels_for
from workbench.augment.moving import moved

Floats = NDArray[np.float32]

# Slightly shrunk views are sampled as they are: below this scale there is little to alias.
_SHRUNK = 1.25
# Outer samples may lie this far outside by rounding alone, in half image sides.
_ROUNDING = 1e-6
# Points with a smaller homogeneous coordinate are beyond the horizon of a perspective.
_HORIZON = 1e-4
# The corners of an image clockwise from the top left, x and then y; and which comes after which.
_SQUARE = np.array([[-1.0, 1.0, 1.0, -1.0], [-1.0, -1.0, 1.0, 1.0]])
_NEXT = [1, 2, 3, 0]
# Of the nine numbers of a matrix, those that are fixed in one that neither turns nor slants.
_SLANTS, _CROP = [1, 3, 6, 7, 8], np.array([0.0, 0.0, 0.0, 0.0, 1.0])


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
    return torch.from_numpy((_quads(matrices.numpy()).transpose(0, 2, 1) + 1) / 2)


def resample(images: Tensor, matrices: Tensor, size: tuple[int, int], out: Tensor | None = None) -> Tensor:
    """New images (n, C, h, w) of `size` (h, w), written to `out` where it is given (contiguous, of their shape).

    images: (n, C, H, W) float32; never written to, never returned.
    """
    result = images.new_empty((*images.shape[:2], *size)) if out is None else out
    moves = _moves(matrices.numpy(), (images.shape[2], images.shape[3]), size)
    kernels = kernels_for(images)
    if kernels is not None:
        _resample_compiled(kernels, images.contiguous(), moves, result)
        return result
    kinds = torch.from_numpy(np.where(moves.turns >= 0, -1 - moves.turns, 2 * moves.finer + moves.inside))
    present = sorted(set(kinds.tolist()))
    if len(present) == 1:
        return result.copy_(_resampled(images, matrices, size, present[0]))
    for kind in present:
        chosen = (kinds == kind).nonzero().squeeze(1)
        place = moved(chosen, images.device)
        result[place] = _resampled(images[place], matrices[chosen], size, kind)
    return result


class _Moves(NamedTuple):
    """What is to be done with n images.

    matrices: (n, 3, 3). turns: (n,) which turn of the square, -1 for none. finer: (n,) how many times finer than
    the view an image is sampled. inside: (n,) whether all of the view lies inside the image.
    """

    matrices: NDArray[np.float64]
    turns: NDArray[np.int64]
    finer: NDArray[np.int64]
    inside: NDArray[np.bool_]

    def of(self, rows: NDArray[np.int64]) -> "_Moves":
        """Those of some images."""
        if len(rows) == len(self.turns):
            return self
        return _Moves(self.matrices[rows], self.turns[rows], self.finer[rows], self.inside[rows])


def _moves(matrices: NDArray[np.float64], source: tuple[int, int], size: tuple[int, int]) -> _Moves:
    quads = _quads(matrices)
    inside: NDArray[np.bool_] = np.all(np.abs(quads) <= 1 + _ROUNDING, axis=(1, 2))
    return _Moves(np.ascontiguousarray(matrices), _turns(matrices), _finer(quads, source, size), inside)


def _resample_compiled(kernels: ModuleType, images: Tensor, moves: _Moves, result: Tensor) -> None:
    """By the kernels: crops and flips axis by axis, and all that is slanted point by point; turns are copies."""
    is_turn = moves.turns >= 0
    slanted = (moves.matrices.reshape(-1, 9)[:, _SLANTS] != _CROP).any(axis=1) & ~is_turn
    for number in sorted(set(moves.turns[is_turn].tolist())):
        place = torch.from_numpy(np.flatnonzero(moves.turns == number))
        result[place] = _resized(_turned(images[place], number), (result.shape[2], result.shape[3]))
    for factor in sorted(set(moves.finer[~is_turn].tolist())):
        for rows, one in _chosen(~(is_turn | slanted) & (moves.finer == factor), moves):
            _crop(kernels, images.numpy(), rows, one, result.numpy())
        for rows, one in _chosen(slanted & (moves.finer == factor), moves):
            _slant(kernels, images, rows, one, result.numpy())


def _crop(kernels: ModuleType, before: Floats, rows: NDArray[np.int64], moves: _Moves, after: Floats) -> None:
    """after[rows] from before[rows]."""
    factor = int(moves.finer[0])
    down, across = (
        sums_along(
            moves.matrices[:, place, place],
            moves.matrices[:, place, 2],
            moves.inside,
            source=before.shape[3 - place],
            size=after.shape[3 - place],
            factor=factor,
        )
        for place in (1, 0)
    )
    kernels.crop(before, rows, *down, *across, after)


def _slant(kernels: ModuleType, images: Tensor, rows: NDArray[np.int64], moves: _Moves, after: Floats) -> None:
    """Samples points, as many times finer as all of these images need, and shrinks them into after[rows]."""
    n, factor = len(rows), int(moves.finer[0])
    height, width = after.shape[2:]
    fine = np.empty((n, after.shape[1], height * factor, width * factor), dtype=np.float32)
    kernels.sample(images.flatten(2).numpy(), images.shape[2], rows, moves.matrices, moves.inside, fine)
    if factor == 1:
        after[rows] = fine
        return
    shrunk = np.empty((n, *after.shape[1:]), dtype=np.float32)
    whole = _Moves(identity(n).numpy(), moves.turns, moves.finer, np.ones(n, dtype=np.bool_))
    _crop(kernels, fine, np.arange(n), whole, shrunk)
    after[rows] = shrunk


def _chosen(which: NDArray[np.bool_], moves: _Moves) -> Iterator[tuple[NDArray[np.int64], _Moves]]:
    """The rows that are true and their moves, where there are any."""
    rows = np.flatnonzero(which)
    if len(rows) > 0:
        yield rows, moves.of(rows)


def _resampled(images: Tensor, matrices: Tensor, size: tuple[int, int], kind: int) -> Tensor:
    """Images of one kind: -1 - turn for a turn of the square, else 2 * (times finer) + (inside the image)."""
    if kind < 0:
        return _resized(_turned(images, -1 - kind), size)
    return _sampled(images, matrices, size, kind // 2, within=bool(kind % 2))


def _quads(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2, 4): x and y of the output's four corners, on the input."""
    mapped = matrices[:, :, 0:1] * _SQUARE[0] + matrices[:, :, 1:2] * _SQUARE[1] + matrices[:, :, 2:3]
    quads: NDArray[np.float64] = mapped[:, :2] / np.maximum(mapped[:, 2:3], _HORIZON)
    return quads


def _turns(matrices: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,): which of the eight turns and flips of a square a matrix is exactly, -1 for none.

    Number 4 t + 2 v + h: transposed or not, then y mirrored or not, then x.
    """
    (xx, xy, x0), (yx, yy, y0), (zx, zy, zz) = matrices.transpose(1, 2, 0)
    straight = (xy == 0) & (yx == 0) & (np.abs(xx) == 1) & (np.abs(yy) == 1)
    crossed = (xx == 0) & (yy == 0) & (np.abs(xy) == 1) & (np.abs(yx) == 1)
    exact = (straight | crossed) & (x0 == 0) & (y0 == 0) & (zx == 0) & (zy == 0) & (zz == 1)
    numbers = 4 * crossed + 2 * (xy + yy < 0) + (xx + yx < 0)
    turns: NDArray[np.int64] = np.where(exact, numbers, -1)
    return turns


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


def _finer(quads: NDArray[np.float64], source: tuple[int, int], size: tuple[int, int]) -> NDArray[np.int64]:
    """(n,): how many times finer than the view a region is sampled, by the longest side of its outline."""
    height, width = source
    x, y = quads[:, 0] * (width / 2), quads[:, 1] * (height / 2)
    sides = np.sqrt((x - x[:, _NEXT]) ** 2 + (y - y[:, _NEXT]) ** 2)
    scale = np.maximum(sides[:, 0::2].max(axis=1) / size[1], sides[:, 1::2].max(axis=1) / size[0])
    largest = max(1, -(-height // size[0]), -(-width // size[1]))
    return np.where(scale <= _SHRUNK, 1.0, np.ceil(scale - 0.25)).clip(1, largest).astype(np.int64)


def _sampled(images: Tensor, matrices: Tensor, size: tuple[int, int], factor: int, *, within: bool) -> Tensor:
    height, width = size[0] * factor, size[1] * factor
    grid = _grid(matrices, height, width, images.device)
    padding = "border" if within else "zeros"
    fine = F.grid_sample(images, grid, mode="bilinear", padding_mode=padding, align_corners=False)
    return fine if factor == 1 else _resized(fine, size)


def _grid(matrices: Tensor, height: int, width: int, device: torch.device) -> Tensor:
    """(n, height, width, 2) float32: where each output pixel's center lies in the input."""
    x = (2 * torch.arange(width, dtype=torch.float64) + 1) / width - 1
    y = (2 * torch.arange(height, dtype=torch.float64) + 1) / height - 1
    x, y = moved(x, device, torch.float32), moved(y, device, torch.float32)
    entries = moved(matrices, device, torch.float32)[..., None, None].unbind(1)
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
