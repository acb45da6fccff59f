"""The colors that a colorization chooses from: a grid over a and b of CIE Lab, as far as a screen can show them."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.lab import rgb_to_lab
from workbench.method.losses.precision import float32

BINS = 313
"""As in Zhang et al. 2016: those of a grid of 10 that lie nearest to the colors of sRGB. These fall into 261 of them;
the others are around, so that colors at the border have neighbors, too."""

NEIGHBORS, SIGMA = 5, 5.0
"""Between how many bins a color is shared out, and how quickly the shares fall off (section 2.2)."""

TEMPERATURE = 0.38
"""Of the annealed mean: between the mean, which is pale, and the most likely bin, which is speckled (section 2.3)."""

_STEP, _REACH = 10, 110
_CELL = 2


class ColorBins(nn.Module):
    """Colors (a, b) to shares of bins, and back. centers: (313, 2), a and b of each bin."""

    centers: Tensor
    candidates: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centers", bin_centers(), persistent=False)
        self.register_buffer("candidates", _candidates(), persistent=False)

    def nearest(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """ab: (B, 2, h, w). Returns (B, 5, h, w) int64, the five nearest bins, and the squared distances to them."""
        cells = (ab / _CELL).round().long().clamp(-_REACH // _CELL, _REACH // _CELL) + _REACH // _CELL
        near = self.candidates[cells[:, 0], cells[:, 1]]
        apart = (self.centers[near] - ab.permute(0, 2, 3, 1)[..., None, :]).square().sum(dim=-1)
        squared, place = apart.topk(NEIGHBORS, dim=-1, largest=False)
        return near.gather(-1, place).permute(0, 3, 1, 2), squared.permute(0, 3, 1, 2)

    def shares(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """The soft encoding of colors: five bins (B, 5, h, w) int64, nearest first, and their shares, of sum 1."""
        bins, squared = self.nearest(ab.float())
        return bins, torch.softmax(-squared / (2 * SIGMA**2), dim=1)

    def annealed_mean(self, logits: Tensor) -> Tensor:
        """(B, 313, h, w) to colors (B, 2, h, w): the mean after a sharper softmax (Zhang et al. 2016, eq. 5)."""
        with float32(logits):
            shares = torch.softmax(logits.float() / TEMPERATURE, dim=1)
            return torch.einsum("bqhw,qc->bchw", shares, self.centers)

    def weights(self, counts: Tensor, uniform: float) -> Tensor:
        """How much a pixel of each bin counts, so that rare colors are not drowned by grays (section 2.2, eq. 4).

        counts: (313,) pixels of the data set per bin. Their distribution is smoothed (σ = 5) and mixed with a
        `uniform` share of equal numbers; weights are its inverse, scaled so that their mean over pixels is 1.
        """
        blur = torch.softmax(-torch.cdist(self.centers, self.centers).double().square() / (2 * SIGMA**2), dim=0)
        smooth = blur @ (counts.double() / counts.sum())
        weights = 1 / ((1 - uniform) * smooth + uniform / BINS)
        return (weights / (smooth * weights).sum()).float()


@lru_cache(maxsize=1)
def bin_centers() -> Tensor:
    """(313, 2) float32, ordered by a, then b."""
    levels = torch.linspace(0, 1, 65, dtype=torch.float64)
    face = torch.stack(torch.meshgrid(levels, levels, indexing="ij"))
    # Every color's a and b are found on the surface of the cube of colors, too.
    sides = [
        torch.cat([face[:axis], torch.full_like(face[:1], end), face[axis:]]) for axis in range(3) for end in (0, 1)
    ]
    colors = rgb_to_lab(torch.stack(sides))[:, 1:].permute(0, 2, 3, 1).reshape(-1, 2)
    grid = _grid(_STEP)
    chosen = torch.cdist(grid, colors).amin(dim=1).argsort()[:BINS].sort().values
    return grid[chosen].float()


@lru_cache(maxsize=1)
def _candidates() -> Tensor:
    """(111, 111, k) int64: for every color, rounded to steps of 2, the bins among which its five nearest are."""
    apart = torch.cdist(_grid(_CELL), bin_centers().double())
    # A color is off its rounded place by half a diagonal at most, and so is each of its distances.
    within = apart <= apart.topk(NEIGHBORS, dim=1, largest=False).values[:, -1:] + _CELL * 2**0.5 + 1e-6
    most = int(within.sum(dim=1).max())
    side = 2 * _REACH // _CELL + 1
    return apart.topk(most, dim=1, largest=False).indices.view(side, side, most)


def _grid(step: int) -> Tensor:
    along = torch.arange(-_REACH, _REACH + 1, step, dtype=torch.float64)
    return torch.cartesian_prod(along, along)


def at_side(ab: Tensor, side: int) -> Tensor:
    """(B, 2, h, w) to (B, 2, side, side): each the mean of the pixels that it stands for."""
    return F.adaptive_avg_pool2d(ab, side)
