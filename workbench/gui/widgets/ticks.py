"""Where an axis has its marks, and what is written there. No Qt."""

import math

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MINUS = "\N{MINUS SIGN}"


def linear_ticks(low: float, high: float, wanted: int) -> tuple[list[float], float]:
    """Round values from at most `low` to at least `high`, about `wanted` of them, and their step."""
    if not high > low:
        spread = abs(low) * 0.1 or 1.0
        low, high = low - spread, high + spread
    step = nice_step((high - low) / max(1, wanted))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)], step


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 5, 10, … × 10^n that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1.0, 2.0, 5.0):
        if rough <= factor * power * (1 + 1e-9):
            return factor * power
    return 10.0 * power


def log_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Exponents of ten from at most `low` to at least `high` (both logarithms), or halves of a decade where few."""
    if high - low < 1.0:
        return linear_ticks(low, high, wanted)[0]
    first, last = math.floor(low + 1e-9), math.ceil(high - 1e-9)
    stride = max(1, math.ceil((last - first) / max(1, wanted)))
    return [float(exponent) for exponent in range(first, last + stride, stride)]


def tick_text(value: float, step: float) -> str:
    """A mark on a linear axis, with the digits that its step needs."""
    if abs(value) < step * 1e-6:
        return "0"
    if abs(value) >= 1e6 or step < 1e-4:
        return _scientific(value)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{digits}f}".replace("-", _MINUS)


def log_text(exponent: float) -> str:
    """A mark on a logarithmic axis: 0.01, 1, 100, else 10⁻⁶."""
    if exponent == round(exponent) and not -3 <= exponent <= 4:
        return f"10{_raised(round(exponent))}"
    return f"{10.0**exponent:,.3g}" if exponent < 3 else f"{10.0**exponent:,.0f}"


def value_text(value: float) -> str:
    """A number read off a plot: four digits that count, or three and a power of ten."""
    if not math.isfinite(value):
        return "not finite"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return _scientific(value)
    text = f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return text.replace("-", _MINUS)


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')} × 10{_raised(int(exponent))}".replace("-", _MINUS)


def _raised(exponent: int) -> str:
    return str(exponent).translate(_SUPERSCRIPT)
