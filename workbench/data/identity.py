"""Who an image is: a number made of its path, the same whichever other images are used beside it."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def image_ids(paths: Sequence[str]) -> NDArray[np.int64]:
    """(n,) int64 for paths relative to the data folder: the first 64 bits of their BLAKE2b hash.

    The draws of views are keyed by it. A row in the pixel store would not do: it moves when a file is
    broken, when another one is added, or when a limit leaves some out.
    """
    words = b"".join(hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest() for path in paths)
    return np.frombuffer(words, dtype="<i8").astype(np.int64)
