"""Whether images are worked on by compiled loops: on a CPU, where numba is there."""

import logging
from functools import cache
from types import ModuleType

from torch import Tensor

_log = logging.getLogger(__name__)


def kernels_for(images: Tensor) -> ModuleType | None:
    """`workbench.augment.kernels` for float images on a CPU; None where torch is to do it (a GPU, or no numba).

    The first call of a process loads them (a second), and the first of a machine compiles them (some seconds).
    """
    return load() if images.device.type == "cpu" else None


@cache
def load() -> ModuleType | None:
    """The kernels, or None with a warning in the log where numba cannot be imported."""
    try:
        from workbench.augment import kernels
    except (ImportError, OSError) as error:
        _log.warning("Augmentation on the CPU is several times slower than it could be: %s.", error)
        return None
    return kernels
