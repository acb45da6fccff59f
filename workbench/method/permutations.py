"""Permutations that are far from each other, so that a jigsaw has one right answer and no nearly right ones."""

import itertools
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_SEED = 0
LARGEST = 9
"""Of so many things all permutations are looked at: 362,880."""


@lru_cache(maxsize=8)
def far_apart(things: int, count: int) -> NDArray[np.int64]:
    """(count, things) int64: permutations chosen one after the other, each as far as can be from all before.

    That is the greedy choice of Noroozi & Favaro 2016 (arXiv:1603.09246, algorithm 1), by the least Hamming distance
    to those before, then by the mean one. Always the same; no more than there are. things: at most `LARGEST`.
    """
    if not 1 < things <= LARGEST:
        raise ValueError(f"{things} things: 2 to {LARGEST} have all their permutations looked at")
    every = np.array(list(itertools.permutations(range(things))), dtype=np.int8)
    np.random.Generator(np.random.PCG64(_SEED)).shuffle(every)  # Ties are broken by place: not always the same way.
    nearest = np.full(len(every), things, dtype=np.int64)
    total = np.zeros(len(every), dtype=np.int64)
    taken = [0]
    while len(taken) < min(count, len(every)):
        distance = (every != every[taken[-1]]).sum(axis=1)
        np.minimum(nearest, distance, out=nearest)
        total += distance
        nearest[taken[-1]] = -1
        taken.append(int((nearest * (things * len(every) + 1) + total).argmax()))
    chosen: NDArray[np.int64] = every[taken].astype(np.int64)
    chosen.setflags(write=False)
    return chosen
