"""A black and a white for a whole set of deep images, from the values of some of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.data.planes import read_values
from workbench.spec.errors import DataError

_SAMPLED = 12
_BITS = (8, 10, 12, 14)


@dataclass(frozen=True, kw_only=True)
class Window:
    """What becomes black and white; equal where the range of the files' own type does. `reason` says why."""

    black: float
    white: float
    reason: str


def suggest_window(folder: Path, paths: Sequence[str]) -> Window | None:
    """From the lowest and highest value of a few images, spread over `paths`; None where none of them can be read.

    Whole numbers from 0 on that fit into 8, 10, 12 or 14 bits, as cameras give, get the range of so many bits. Other
    values get a range from the lowest to the highest found, both rounded outward to two digits.
    """
    found = []
    for row in np.linspace(0, len(paths) - 1, min(len(paths), _SAMPLED)).astype(int):
        try:
            values = read_values(folder / paths[row])
        except DataError:
            continue
        finite = values[np.isfinite(values)]
        if finite.size:
            found.append((float(finite.min()), float(finite.max()), values.dtype))
    if not found:
        return None
    low, high = min(one[0] for one in found), max(one[1] for one in found)
    kind = max((one[2] for one in found), key=lambda dtype: dtype.itemsize)
    looked = f"the values of {len(found)} images go from {low:.4g} to {high:.4g}"
    if kind.kind in "bu":
        return _of_whole(high, kind.itemsize * 8, looked)
    if kind.kind == "f" and low >= 0 and high <= 1:
        return Window(black=0, white=0, reason=f"Black is 0 and white 1, as usual for floating point: {looked}.")
    black, white = _outward(low, up=False), _outward(high, up=True)
    if white <= black:
        white = black + 1
    return Window(black=black, white=white, reason=f"Black is {black:g} and white {white:g}, because {looked}.")


def _of_whole(high: float, bits: int, looked: str) -> Window:
    used = next((known for known in _BITS if high < 2**known), 0)
    if bits > 16 and not used and high < 2**16:
        used = 16
    if not used or used >= bits:
        return Window(black=0, white=0, reason=f"Black and white are the ends of the files' own {bits} bits: {looked}.")
    white = 2**used - 1
    return Window(black=0, white=white, reason=f"White is {white:,}, the most of {used} bits, because {looked}.")


def _outward(value: float, *, up: bool) -> float:
    """To two digits, never towards zero and past the value."""
    if value == 0:
        return 0.0
    step = 10.0 ** (np.floor(np.log10(abs(value))) - 1)
    rounded = (np.ceil if up else np.floor)(value / step) * step
    return float(f"{rounded:.3g}")
