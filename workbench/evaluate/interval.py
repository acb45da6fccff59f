"""How sure an accuracy is that was counted on a few images."""

import math

_Z95 = 1.959963984540054


def wilson(correct: float, total: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson 1927); (0, 1) where nothing was counted.

    `correct` may be a sum of shares, of things that are right in part: the interval is then at least as wide as it
    must be. Unlike p ± 1.96 s it stays within [0, 1] and is right for accuracies near 0 and 1.
    """
    if total <= 0:
        return 0.0, 1.0
    if not 0 <= correct <= total:
        raise ValueError(f"{correct} of {total} is not a proportion")
    share = correct / total
    spread = _Z95 * math.sqrt(share * (1 - share) / total + _Z95**2 / (4 * total**2))
    center = share + _Z95**2 / (2 * total)
    scale = 1 + _Z95**2 / total
    # At 0 and at `total` the bound is exact; the subtraction alone leaves a rounding error there.
    low = 0.0 if correct == 0 else (center - spread) / scale
    high = 1.0 if correct == total else (center + spread) / scale
    return low, high
