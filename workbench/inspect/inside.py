"""Where an encoder looks, and what it takes for the same: from its last map, or a transformer's tokens."""

import math

import torch
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.tokens import TokenEncoder

MASS = 0.6
"""Of the attention, what an object's mask keeps (Caron et al. 2021, section 4.2.2)."""


@torch.no_grad()
def attention(encoder: TokenEncoder, images: Tensor) -> Tensor:
    """Of the class token to the patches, in the last block: (B, heads, rows, columns), each head 1 in sum."""
    weights = encoder.attention(images)
    return weights / weights.sum(dim=(2, 3), keepdim=True)


@torch.no_grad()
def map_colors(maps: Tensor) -> Tensor:
    """(B, C, h, w) to colors (B, 3, h, w) from 0 to 1: the first three principal components over all places of all
    images, so that what is alike has one color in every image (Oquab et al. 2023, arXiv:2304.07193, section 7.5).

    Each component is scaled from its 2nd to its 98th percentile; its largest weight is positive.
    """
    rows = maps.double().permute(0, 2, 3, 1).flatten(0, 2)
    rows = rows - rows.mean(dim=0)
    _, _, directions = torch.linalg.svd(rows, full_matrices=False)
    count = min(3, len(directions))
    main = directions[:count]
    main = main * torch.sign(main.gather(1, main.abs().argmax(dim=1, keepdim=True)))
    shades = rows @ main.T
    low, high = (torch.quantile(shades[:: max(1, len(shades) // 100_000)], share, dim=0) for share in (0.02, 0.98))
    colors = ((shades - low) / (high - low).clamp(min=1e-12)).clamp(0, 1)
    if count < 3:
        colors = torch.cat((colors, colors.new_zeros(len(colors), 3 - count)), dim=1)
    batch, _, height, width = maps.shape
    shown_as: Tensor = colors.float().reshape(batch, height, width, 3).permute(0, 3, 1, 2)
    return shown_as


@torch.no_grad()
def saliency(maps: Tensor) -> Tensor:
    """(B, C, h, w) to (B, h, w), at least 0 and at most 1: Eigen-CAM, the projection of each place on the first
    principal direction of the image's map (Muhammad & Yeasin 2020, arXiv:2008.00299, eq. 2 to 4). No class is needed.
    """
    places = maps.double().flatten(2).transpose(1, 2)
    _, _, directions = torch.linalg.svd(places, full_matrices=False)
    shown = (places @ directions[:, 0, :, None])[..., 0]
    shown = shown * torch.sign(shown.sum(dim=1, keepdim=True))
    shown = shown.clamp(min=0)
    light: Tensor = (
        (shown / shown.amax(dim=1, keepdim=True).clamp(min=1e-12)).float().reshape(len(maps), *maps.shape[2:])
    )
    return light


@torch.no_grad()
def strongest_channels(maps: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The numbers (count,) of the channels with the largest deviation over all places, and their maps (B, count, h, w)
    from 0 to 1, one scale for all images.
    """
    deviation = maps.float().transpose(0, 1).flatten(1).std(dim=1, correction=0)
    chosen = deviation.argsort(descending=True, stable=True)[:count]
    found = maps[:, chosen].float()
    low, high = found.amin(dim=(0, 2, 3), keepdim=True), found.amax(dim=(0, 2, 3), keepdim=True)
    return chosen, (found - low) / (high - low).clamp(min=1e-12)


@torch.no_grad()
def likeness(maps: Tensor, image: int, place: tuple[int, int]) -> Tensor:
    """(B, h, w): the cosine of every place of every image with one `place` (row, column) of one of them."""
    unit = torch.nn.functional.normalize(maps.float(), dim=1)
    return torch.einsum("bchw,c->bhw", unit, unit[image, :, place[0], place[1]])


def object_mask(weights: Tensor, mass: float = MASS) -> Tensor:
    """(B, h, w) bool: the fewest places of each image that hold `mass` of its weights (B, h, w), none below 0."""
    flat = weights.flatten(1).double()
    share, order = (flat / flat.sum(dim=1, keepdim=True).clamp(min=1e-12)).sort(dim=1, descending=True, stable=True)
    before = share.cumsum(dim=1) - share
    kept = torch.zeros_like(flat, dtype=torch.bool).scatter_(1, order, before < mass)
    return kept.reshape(weights.shape)


def jaccard(found: Tensor, true: Tensor) -> Tensor:
    """(B,): places in both over places in either, of masks (B, h, w) bool; 1 where both are empty."""
    both, either = (found & true).flatten(1).sum(dim=1), (found | true).flatten(1).sum(dim=1)
    return torch.where(either > 0, both / either.clamp(min=1), torch.ones_like(both, dtype=torch.float32))


def center_box(shape: tuple[int, int], area: float) -> Tensor:
    """(h, w) bool: a box in the middle, of the image's proportions, with about this share of its area."""
    height, width = shape
    side = math.sqrt(area)
    rows = (torch.arange(height) + 0.5 - height / 2).abs() < side * height / 2
    columns = (torch.arange(width) + 0.5 - width / 2).abs() < side * width / 2
    return rows[:, None] & columns


def has_maps(encoder: Encoder, provides: tuple[str, ...]) -> bool:
    """Whether there are places to look at."""
    return isinstance(encoder, TokenEncoder) or "maps" in provides
