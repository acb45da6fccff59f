"""The pixels of an image's patches, as masked methods predict them."""

import torch
import torch.nn.functional as F
from torch import Tensor

_EPSILON = 1e-6


def patchify(images: Tensor, patch: int) -> Tensor:
    """(B, C, h, w) to (B, N, patch² · C), row by row; within a patch rows, columns, channels (MAE, section 3).

    Images that are no whole number of patches are padded with zeros at the right and the bottom, as by encoders.
    """
    channels, height, width = images.shape[1:]
    padded = F.pad(images, (0, -width % patch, 0, -height % patch))
    return F.unfold(padded, patch, stride=patch).unflatten(1, (channels, -1)).permute(0, 3, 2, 1).flatten(2)


def unpatchify(patches: Tensor, like: Tensor, patch: int) -> Tensor:
    """(B, N, patch² · C) to images of the shape of `like` (B, C, h, w): the way back from `patchify`."""
    channels, height, width = like.shape[1:]
    padded = (height + -height % patch, width + -width % patch)
    columns = patches.unflatten(2, (-1, channels)).permute(0, 3, 2, 1).flatten(1, 2)
    return F.fold(columns, padded, patch, stride=patch)[..., :height, :width]


def normalized(patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Each patch (B, N, d) less its mean and divided by its deviation; the mean and the deviation, (B, N, 1) each.

    The targets of MAE (section 4.1, 'normalized pixels'); in a patch of one color they are 0. The deviation is that of
    the d numbers themselves, so that whoever says 0 has an error of 1 in patches of any size; the authors' code divides
    by d − 1, which makes 0.98 of it in patches of 4 px.
    """
    mean = patches.mean(dim=-1, keepdim=True)
    deviation = (patches.var(dim=-1, keepdim=True, correction=0) + _EPSILON).sqrt()
    return (patches - mean) / deviation, mean, deviation


def pasted(images: Tensor, patches: Tensor, where: Tensor, patch: int) -> Tensor:
    """Images with other patches (B, N, patch² · C) where `where` (B, N) bool is true."""
    return unpatchify(torch.where(where[..., None], patches.to(images.dtype), patchify(images, patch)), images, patch)


def blanked(images: Tensor, where: Tensor, patch: int) -> Tensor:
    """Images without the patches where `where` (B, N) bool is true: 0 there, the mean color if they are normalized."""
    return pasted(images, images.new_zeros(()), where, patch)


def one_color(patches: Tensor, hidden: Tensor, channels: int) -> Tensor:
    """Patches of one color for each image, that of its visible ones: (B, N, patch² · C) like `patches`.

    What somebody would paint who has learned nothing. hidden: (B, N) bool.
    """
    colors = patches.unflatten(2, (-1, channels)).mean(dim=2)
    visible = (~hidden).to(patches.dtype)[..., None]
    color = (colors * visible).sum(dim=1) / visible.sum(dim=1).clamp(min=1)
    return color.repeat(1, patches.shape[2] // channels)[:, None].expand_as(patches)
