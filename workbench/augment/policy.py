"""The fourteen ops that AutoAugment and its successors choose from, each at a magnitude per image.

Cubuk et al. 2019 (arXiv:1805.09501), as torchvision defines them; but geometry is resampled bilinearly, and
translations are not rounded to whole pixels. Images are (n, C, h, w) float32 in [0, 1]; magnitudes (n,), on the CPU.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from workbench.augment.color import blend_, mean_luma
from workbench.augment.geometry import affine, resample
from workbench.augment.moving import moved, spread
from workbench.augment.tones import autocontrasted, equalized, posterized, sharpened, solarized

Change = Callable[[Tensor, Tensor], Tensor]


def changed(images: Tensor, kinds: Tensor, magnitudes: Tensor) -> Tensor:
    """Each image by the op of its own kind, a number into `OPS`, on the CPU as all of (n,). Returns new images."""
    result = images.clone()
    for kind in sorted(set(kinds.tolist())):
        rows = (kinds == kind).nonzero().squeeze(1)
        place = moved(rows, images.device)
        result[place] = OPS[NAMES[kind]](images[place], magnitudes[rows])
    return result


def _moved(images: Tensor, matrices: Tensor) -> Tensor:
    return resample(images, matrices, (images.shape[2], images.shape[3]))


def _identity(images: Tensor, magnitudes: Tensor) -> Tensor:
    del magnitudes
    return images


def _shear_x(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Pixels to the side per pixel down, about the upper left corner."""
    slant = magnitudes.double() * (images.shape[2] / images.shape[3])
    return _moved(images, affine(((1.0, slant, slant), (0.0, 1.0, 0.0))))


def _shear_y(images: Tensor, magnitudes: Tensor) -> Tensor:
    slant = magnitudes.double() * (images.shape[3] / images.shape[2])
    return _moved(images, affine(((1.0, 0.0, 0.0), (slant, 1.0, slant))))


def _translate_x(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Shares of the side to the right."""
    return _moved(images, affine(((1.0, 0.0, -2 * magnitudes.double()), (0.0, 1.0, 0.0))))


def _translate_y(images: Tensor, magnitudes: Tensor) -> Tensor:
    return _moved(images, affine(((1.0, 0.0, 0.0), (0.0, 1.0, -2 * magnitudes.double()))))


def _rotate(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Degrees, counter-clockwise, about the middle."""
    angle = magnitudes.double() * (math.pi / 180)
    cos, sin, aspect = angle.cos(), angle.sin(), images.shape[3] / images.shape[2]
    return _moved(images, affine(((cos, -sin / aspect, 0.0), (sin * aspect, cos, 0.0))))


def _brightness(images: Tensor, magnitudes: Tensor) -> Tensor:
    return blend_(images.clone(), spread(1 + magnitudes, images), None, None)


def _color(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Saturation; nothing on images that are not RGB."""
    if images.shape[1] != 3:
        return images
    return blend_(images.clone(), spread(1 + magnitudes, images), spread(-magnitudes, images), None)


def _contrast(images: Tensor, magnitudes: Tensor) -> Tensor:
    level = spread(-magnitudes, images) * mean_luma(images)
    return blend_(images.clone(), spread(1 + magnitudes, images), None, level)


def _sharpness(images: Tensor, magnitudes: Tensor) -> Tensor:
    return sharpened(images, 1 + magnitudes)


def _posterize(images: Tensor, magnitudes: Tensor) -> Tensor:
    """The bits that are kept."""
    return posterized(images, magnitudes.round().clamp(1, 8))


def _autocontrast(images: Tensor, magnitudes: Tensor) -> Tensor:
    del magnitudes
    return autocontrasted(images)


def _equalize(images: Tensor, magnitudes: Tensor) -> Tensor:
    del magnitudes
    return equalized(images)


OPS: Mapping[str, Change] = {
    "identity": _identity,
    "shear x": _shear_x,
    "shear y": _shear_y,
    "translate x": _translate_x,
    "translate y": _translate_y,
    "rotate": _rotate,
    "brightness": _brightness,
    "color": _color,
    "contrast": _contrast,
    "sharpness": _sharpness,
    "posterize": _posterize,
    "solarize": solarized,
    "autocontrast": _autocontrast,
    "equalize": _equalize,
}

NAMES = tuple(OPS)


def magnitudes_at(name: str, strength: Tensor, *, wide: bool) -> Tensor:
    """What an op gets at a strength (n,) from 0 to 1: RandAugment's ranges, or TrivialAugment's wide ones."""
    match name:
        case "shear x" | "shear y":
            return strength * (0.99 if wide else 0.3)
        case "translate x" | "translate y":
            # 32 px of the 224 that it is meant for; torchvision takes 32 px at every size.
            return strength * (32 / 224 if wide else 150 / 331)
        case "rotate":
            return strength * (135.0 if wide else 30.0)
        case "brightness" | "color" | "contrast" | "sharpness":
            return strength * (0.99 if wide else 0.9)
        case "posterize":
            return 8 - (strength * (6 if wide else 4)).round()
        case "solarize":
            return 1 - strength
        case _:
            return torch.zeros_like(strength)


SIGNED = ("shear x", "shear y", "translate x", "translate y", "rotate", "brightness", "color", "contrast", "sharpness")
"""Ops whose magnitude is negative for half of the images."""


def words(name: str, magnitude: float) -> str:
    """'rotate -12°', 'posterize 4 bits', 'equalize'."""
    match name:
        case "identity":
            return "as it is"
        case "autocontrast" | "equalize":
            return name
        case "rotate":
            return f"rotate {magnitude:+.0f}°"
        case "posterize":
            return f"posterize {magnitude:.0f} bits"
        case "solarize":
            return f"solarize from {magnitude:.2f}"
        case "brightness" | "color" | "contrast" | "sharpness":
            return f"{name} ×{1 + magnitude:.2f}"
        case _:
            return f"{name} {magnitude:+.2f}"
