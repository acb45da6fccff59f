"""Random numbers that depend on (seed, epoch, image, view) alone: counter-based, without any state.

A generator with state would tie an image's draw to its neighbors in the batch. Here every number is a
hash of a key and a counter: SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom
number generators"), vectorized over the batch. Draws are made on the CPU, so that they are the same
whichever device the images are on, and so that nobody waits for a GPU to learn who is touched.
"""

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_MASK = 0xFFFFFFFFFFFFFFFF

Slot = str | int


def mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finalizer: a bijection of 64-bit words in which every input bit moves every output bit."""
    word = state ^ (state >> np.uint64(30))
    word *= np.uint64(_FIRST)
    word ^= word >> np.uint64(27)
    word *= np.uint64(_SECOND)
    word ^= word >> np.uint64(31)
    return word


def sample_keys(seed: int, epoch: int, ids: Tensor, view: int) -> Tensor:
    """One 64-bit key per image. ids: (n,) int64, who the images are (`data.identity`); returns (n,) int64."""
    state = np.full(1, seed & _MASK, dtype=np.uint64)
    for part in (epoch, view):
        state = _fold(state, part)
    words = ids.detach().cpu().numpy().astype(np.int64).view(np.uint64)
    keys = mix(mix(state) + words * np.uint64(_GOLDEN))
    return torch.from_numpy(keys.view(np.int64))


@dataclass(frozen=True)
class Draws:
    """The random numbers of n images for one op. keys: (n,) int64 on the CPU.

    A slot names a number: the same slot gives the same number again, another one is independent of it.
    With `count`, a slot holds that many numbers per image, and the result is (n, count).
    """

    keys: Tensor

    def for_op(self, name: str, occurrence: int = 0) -> "Draws":
        """The stream of the op `name`, the `occurrence`-th of its kind in the chain.

        Streams go by name and not by position, so that adding, moving or switching off one op leaves
        the draws of all others as they were.
        """
        return Draws(torch.from_numpy(self._branch(zlib.crc32(name.encode()) + (occurrence << 32)).view(np.int64)))

    def uniform(self, slot: Slot, low: float = 0.0, high: float = 1.0, *, count: int | None = None) -> Tensor:
        """(n,) or (n, count) float32 in [low, high), of 24 random bits each."""
        values = low + self._unit(slot, count) * (high - low)
        return torch.from_numpy(values.astype(np.float32))

    def normal(self, slot: Slot, mean: float = 0.0, deviation: float = 1.0, *, count: int | None = None) -> Tensor:
        """(n,) or (n, count) float32, normally distributed (by the inverse distribution function)."""
        centered = torch.from_numpy(self._unit(slot, count) + 2.0**-25)
        standard: Tensor = torch.special.ndtri(centered)
        return (mean + standard * deviation).float()

    def flags(self, p: float, slot: Slot = "on") -> Tensor:
        """(n,) bool, true with probability p; never for 0 and always for 1."""
        if p <= 0 or p >= 1:
            return torch.full(self.keys.shape, p >= 1, dtype=torch.bool)
        return torch.from_numpy(self._unit(slot, None) < p)

    def integers(self, slot: Slot, high: int) -> Tensor:
        """(n,) int64 from 0 to high - 1."""
        return torch.from_numpy((self._unit(slot, None) * high).astype(np.int64))

    def order(self, slot: Slot, count: int) -> Tensor:
        """(n, count) int64: a random permutation of 0 … count - 1 per image."""
        return torch.from_numpy(np.argsort(self._unit(slot, count), axis=1, kind="stable"))

    def words(self, slot: Slot) -> Tensor:
        """(n,) int64: 64 random bits per image, to key a whole field of numbers (`workbench.augment.field`)."""
        return torch.from_numpy(mix(self._slot(slot)).view(np.int64))

    @cached_property
    def _mixed(self) -> NDArray[np.uint64]:
        """Every branch begins with this."""
        return mix(self.keys.numpy().view(np.uint64))

    def _branch(self, part: int) -> NDArray[np.uint64]:
        return self._mixed + _step(part)

    def _slot(self, slot: Slot) -> NDArray[np.uint64]:
        return self._branch(slot if isinstance(slot, int) else zlib.crc32(slot.encode()))

    def _unit(self, slot: Slot, count: int | None) -> NDArray[np.float64]:
        """(n,) or (n, count) float64: multiples of 2^-24 in [0, 1)."""
        state = self._slot(slot)
        if count is not None:
            state = state[:, None] + np.arange(count, dtype=np.uint64) * np.uint64(_GOLDEN)
        return (mix(state) >> np.uint64(40)).astype(np.float64) * 2.0**-24


def _fold(state: NDArray[np.uint64], part: int) -> NDArray[np.uint64]:
    """The key of a branch: hash, then step by the branch's own multiple of the golden ratio."""
    return mix(state) + _step(part)


def _step(part: int) -> np.uint64:
    return np.uint64((part + 1) * _GOLDEN & _MASK)
