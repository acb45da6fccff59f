"""A random number for every pixel of every image, from one key per image, on the images' own device.

Only integer arithmetic and a table look-up, so that CPU and GPU, and batches of every size, agree to
the bit (logarithms and cosines, as in Box and Muller's method, do not).
"""

from functools import lru_cache

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND = 0x94D049BB133111EB - (1 << 64)


def image_keys(images: Tensor, *parts: int) -> Tensor:
    """A key (n,) int64 for each image, for a field of its own: of its number (n,) int64 and of `parts` alone.

    The same purpose as `draws.sample_keys`, where numbers are wanted on the device and nobody shall wait for them.
    """
    keys = mixed(images * _GOLDEN)
    for part in parts:
        keys = mixed(keys + _signed((part + 1) * _FIRST))
    return keys


def mixed(words: Tensor) -> Tensor:
    """SplitMix64's finalizer: a bijection of 64-bit words (int64, any shape), as in `draws.mix`."""
    words = (words ^ _shifted(words, 30)) * _FIRST
    words = (words ^ _shifted(words, 27)) * _SECOND
    return words ^ _shifted(words, 31)


def uniform_field(keys: Tensor, count: int) -> Tensor:
    """(n, count) float32 in (0, 1), in steps of 2^-16. keys: (n,) int64, on the device where it is wanted."""
    return _uniform(_sixteen_bits(keys, count))


def normal_field(keys: Tensor, count: int) -> Tensor:
    """(n, count) float32 of mean 0 and deviation 1: quantiles of the normal distribution at 65,536 levels."""
    return _normal(_sixteen_bits(keys, count))


def paired_fields(keys: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """`uniform_field` and `normal_field` of the same keys: the one are the probabilities of the other."""
    levels = _sixteen_bits(keys, count)
    return _uniform(levels), _normal(levels)


def _uniform(levels: Tensor) -> Tensor:
    return (levels.float() + 0.5) * 2.0**-16


def _normal(levels: Tensor) -> Tensor:
    numbers: Tensor = _quantiles(levels.device).take(levels.long())
    return numbers


@lru_cache(maxsize=4)
def _quantiles(device: torch.device) -> Tensor:
    quantiles: Tensor = torch.special.ndtri((torch.arange(65536, dtype=torch.float64) + 0.5) / 65536)
    return quantiles.float().to(device)


def _sixteen_bits(keys: Tensor, count: int) -> Tensor:
    """(n, count) int32 from 0 to 65,535: four from each 64-bit word of SplitMix64."""
    counter = torch.arange(1, (count + 3) // 4 + 1, device=keys.device, dtype=torch.int64) * _GOLDEN
    return mixed(keys[:, None] + counter).view(torch.int16)[:, :count].int() + 32768


def _signed(word: int) -> int:
    """The lowest 64 bits, as int64 holds them."""
    return (word + (1 << 63)) % (1 << 64) - (1 << 63)


def _shifted(word: Tensor, bits: int) -> Tensor:
    """A logical shift: torch's own keeps the sign."""
    return (word >> bits) & ((1 << (64 - bits)) - 1)
