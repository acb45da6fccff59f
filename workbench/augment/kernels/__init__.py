"""The hot loops of augmentation on a CPU, compiled by numba: resampling, color, blur.

The same arithmetic as the torch code that calls them (`geometry`, `color`, `blur`), without its temporaries: an
image at a time, in pieces that stay in the first cache. What becomes of an image depends on nothing but that
image. All of them let go of Python's lock.

Images are (n, C, h, w) float32 in [0, 1], C-contiguous. Imported by `compiled` alone, when it is first needed.
"""

from workbench.augment.kernels.blur import blur
from workbench.augment.kernels.color import grayscale, jitter
from workbench.augment.kernels.levels import interleave
from workbench.augment.kernels.resampling import crop, sample

__all__ = ["blur", "crop", "grayscale", "interleave", "jitter", "sample"]
