"""How kernels are compiled: for exact types, ahead of their first call, without Python's lock, kept on disk."""

import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

IMAGES = "float32[:, :, :, ::1]"
ROWS = "int64[::1]"
"""Types in signatures."""

# Sums keep their order (no "reassoc"): results do not depend on how wide a machine's registers are.
_FAST: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"nnan", "ninf", "nsz", "contract"},
    "boundscheck": False,
}


def kernel(*arguments: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compiles a function that returns nothing, for numpy arrays of these types.

    Numba keeps the machine code beside the module, or in the user's cache folder where that is read-only. The
    files are written aside and renamed, so that processes never meet half of one. Where neither can be written,
    every process compiles anew.
    """

    def compiled(function: Callable[P, R]) -> Callable[P, R]:
        signature = f"void({', '.join(arguments)})"
        try:
            made: Callable[P, R] = njit(signature, cache=True, **_FAST)(function)
        except (RuntimeError, OSError) as error:
            logging.getLogger(__name__).info("Kernels are compiled anew in every process: %s", error)
            made = njit(signature, **_FAST)(function)
        return made

    return compiled


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """A function that kernels of the same file call, and that becomes part of them.

    Not for other files: what is kept of a kernel is renewed when its own file changes, and only then.
    """
    made: Callable[P, R] = njit(inline="always", **_FAST)(function)
    return made
