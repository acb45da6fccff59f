"""Between color pictures and CIE Lab: lightness, and two axes of color that the eye sees about evenly."""

import torch
from torch import Tensor

from workbench.method.losses.precision import float32

# sRGB's primaries under daylight D65, to XYZ (IEC 61966-2-1, amendment 1), and that white.
_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
_WHITE = (0.95047, 1.0, 1.08883)

# CIE 15:2004, section 8.2: the cube root has a straight line near black, which meets it at (6/29)³.
_KNEE = 6 / 29
_SLOPE = 3 * _KNEE**2


def rgb_to_lab(pictures: Tensor) -> Tensor:
    """(B, 3, h, w) sRGB in [0, 1] to (B, 3, h, w): L from 0 to 100, a (green to red), b (blue to yellow)."""
    bent = pictures > 0.04045
    linear = torch.where(bent, ((pictures.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4, pictures / 12.92)
    relative = _mixed(linear, _matrix(pictures) / pictures.new_tensor(_WHITE)[:, None])
    roots = torch.where(relative > _KNEE**3, relative.clamp(min=_KNEE**3) ** (1 / 3), relative / _SLOPE + 4 / 29)
    x, y, z = roots.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """The way back: (B, 3, h, w) Lab to sRGB, colors that a screen cannot show cut off to [0, 1]."""
    lightness, a, b = lab.unbind(dim=1)
    y = (lightness + 16) / 116
    roots = torch.stack([y + a / 500, y, y - b / 200], dim=1)
    relative = torch.where(roots > _KNEE, roots**3, _SLOPE * (roots - 4 / 29))
    linear = _mixed(relative, torch.linalg.inv(_matrix(lab)) * lab.new_tensor(_WHITE))
    bent = linear > 0.0031308
    pictures = torch.where(bent, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)
    return pictures.clamp(0, 1)


def gray_picture(lightness: Tensor) -> Tensor:
    """L (B, 1, h, w), from 0 to 100, as a picture without color: (B, 3, h, w) in [0, 1], three equal channels."""
    lab = torch.cat([lightness, torch.zeros_like(lightness).expand(-1, 2, -1, -1)], dim=1)
    return lab_to_rgb(lab)[:, 1:2].expand(-1, 3, -1, -1)  # As they are computed they differ by some 1e-5.


def _matrix(like: Tensor) -> Tensor:
    return like.new_tensor(_TO_XYZ)


def _mixed(pictures: Tensor, matrix: Tensor) -> Tensor:
    with float32(pictures):
        return torch.einsum("oc,bchw->bohw", matrix, pictures)
