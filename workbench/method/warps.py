"""Changes of an image that a network can be asked for: affine, projective, or of its colors."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.masking import Draw

CORNERS = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
"""(x, y) of the corners of an image, from the top left one clockwise."""


def affine(draw: Draw, *, turn: float, move: float, scale: float, shear: float) -> Tensor:
    """(B, 3, 3): where each place of the changed image is taken from, in coordinates from -1 to 1.

    turn, shear: degrees, at most, either way; move: share of the side; scale: largest factor, smallest is 1 / scale.
    """
    angle, slant, right, down, size = (2 * draw.uniform("affine", 5) - 1).unbind(dim=1)
    angle, slant = torch.deg2rad(turn * angle), torch.deg2rad(shear * slant)
    factor = torch.exp(size * math.log(scale))
    cos, sin, zero, one = angle.cos() / factor, angle.sin() / factor, torch.zeros_like(angle), torch.ones_like(angle)
    rotated = _matrix([[cos, -sin, zero], [sin, cos, zero], [zero, zero, one]])
    slanted = _matrix([[one, slant.tan(), zero], [zero, one, zero], [zero, zero, one]])
    moved = _matrix([[one, zero, 2 * move * right], [zero, one, 2 * move * down], [zero, zero, one]])
    return moved @ rotated @ slanted


def projective(draw: Draw, *, move: float) -> Tensor:
    """(B, 4, 2): where the corners are taken from: turned by quarters, each moved by up to `move` of the side.

    As in Zhang et al. 2019 (arXiv:1901.04596, section 4.1.1).
    """
    quarters = draw.integers("quarters", 4)
    corners = torch.stack([CORNERS.to(quarters.device).roll(int(turn), dims=0) for turn in quarters])
    return corners + 2 * move * (2 * draw.uniform("corners", 8).unflatten(1, (4, 2)) - 1)


def homography(corners: Tensor) -> Tensor:
    """(B, 3, 3) that takes the corners of an image to these: (B, 4, 2). Of the 8 equations of 4 points."""
    x, y = CORNERS.to(corners.device).expand(len(corners), 4, 2).unbind(dim=2)
    u, v = corners.unbind(dim=2)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    rows = torch.cat(
        (
            torch.stack((x, y, one, zero, zero, zero, -u * x, -u * y), dim=2),
            torch.stack((zero, zero, zero, x, y, one, -v * x, -v * y), dim=2),
        ),
        dim=1,
    )
    found = torch.linalg.solve(rows.double(), torch.cat((u, v), dim=1).double()).to(corners.dtype)
    return torch.cat((found, found.new_ones(len(found), 1)), dim=1).unflatten(1, (3, 3))


def quarters(change: Tensor) -> Tensor:
    """(B,) int64 from 0 to 3: the quarter turn that is nearest to what a change (B, 3, 3) does to the upper edge."""
    corners = torch.cat((CORNERS[:2], torch.ones(2, 1)), dim=1).to(change)
    taken = torch.einsum("bij,nj->bni", change, corners)
    left, right = (taken[..., :2] / taken[..., 2:].clamp(min=1e-3)).unbind(dim=1)
    x, y = (right - left).unbind(dim=1)
    return (torch.atan2(y, x) / (math.pi / 2)).round().long() % 4


def warp(images: Tensor, change: Tensor) -> Tensor:
    """Images (B, C, h, w), each place taken from where `change` (B, 3, 3) says; beyond the edge it is mirrored."""
    height, width = images.shape[-2:]
    eye = torch.eye(2, 3, device=images.device).expand(len(images), 2, 3)
    grid = F.affine_grid(eye, [len(images), 1, height, width], align_corners=False)
    whole = torch.cat((grid, torch.ones_like(grid[..., :1])), dim=3)
    taken = torch.einsum("bij,bhwj->bhwi", change.to(grid), whole)
    places = taken[..., :2] / taken[..., 2:].clamp(min=1e-3)
    return F.grid_sample(images, places.to(images), mode="bilinear", padding_mode="reflection", align_corners=False)


LEVELS = (-2, -1, 1, 2)
"""How much a color changes: much less, less, more, much more."""


def color_changes(channels: int) -> tuple[str, ...]:
    """The names of what can be changed of images with so many channels."""
    return ("brightness", "contrast", "saturation", "balance") if channels > 1 else ("brightness", "contrast")


def recolored(images: Tensor, kind: Tensor, level: Tensor, strength: float) -> Tensor:
    """Normalized images (B, C, h, w), each changed in one way. kind: (B,) of `color_changes`; level: (B,) of `LEVELS`.

    balance: the first channel gains what the last one loses.
    """
    amount = (strength * level.to(images) / max(LEVELS)).view(-1, 1, 1, 1)
    mean, gray = images.mean(dim=(1, 2, 3), keepdim=True), images.mean(dim=1, keepdim=True)
    ways = [images + amount, mean + (images - mean) * torch.exp(amount)]
    if images.shape[1] > 1:
        tilt = torch.linspace(1, -1, images.shape[1], device=images.device).view(1, -1, 1, 1)
        ways += [gray + (images - gray) * torch.exp(1.5 * amount), images + amount * tilt]
    return torch.stack(ways, dim=1)[torch.arange(len(images), device=images.device), kind]


def _matrix(rows: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
