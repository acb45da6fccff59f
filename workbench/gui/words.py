"""Numbers as a person reads them."""

import re
import time
from datetime import datetime


def counted(number: int, one: str, many: str = "") -> str:
    """'1 image', '9,469 images'."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """'40 s', '12 min', '1 h 12 min', '3 d 4 h'."""
    if seconds < 60:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def milliseconds(count: float) -> str:
    """'38 ms', '1.2 s'."""
    return f"{count:.0f} ms" if count < 999.5 else f"{count / 1000:.1f} s"


def size(count: float) -> str:
    """Bytes: '900 B', '1.2 MB', '12 GB' (decimal, as files are measured)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def memory(count: float) -> str:
    """Bytes of memory: '12 GB', '7.8 GB' (binary, as memory is sold)."""
    gigabytes = count / 1024**3
    return f"{gigabytes:.0f} GB" if gigabytes >= 10 or gigabytes == round(gigabytes) else f"{gigabytes:.1f} GB"


def minus(text: str) -> str:
    """Negative numbers with a minus as wide as a plus: '−0.43'. Hyphens within words and names stay."""
    return re.sub(r"(?<![\w-])-(?=\d)", "\N{MINUS SIGN}", text)


def capitalized(text: str) -> str:
    """Sentences that begin with names of encoders, as sentences."""
    return re.sub(r"(^|\. )([a-z])", lambda found: found[1] + found[2].upper(), text)


def percent(share: float) -> str:
    """'70.1 %'."""
    return f"{100 * share:.1f} %"


def age(then: float, now: float | None = None) -> str:
    """'just now', '40 s ago', '3 h ago'; `then` is seconds since 1970."""
    seconds = (time.time() if now is None else now) - then
    if seconds < 5:
        return "just now"
    if seconds < 3600:
        return f"{duration(seconds)} ago"
    hours = round(seconds / 3600)
    return f"{hours} h ago" if hours < 48 else f"{hours // 24} d ago"


def moment(then: float) -> str:
    """'today 14:02', '22 Nov 14:02', '22 Nov 2024'."""
    when, now = datetime.fromtimestamp(then), datetime.now()
    if when.date() == now.date():
        return f"today {when:%H:%M}"
    return f"{when.day} {when:%b %H:%M}" if when.year == now.year else f"{when.day} {when:%b %Y}"


def shown_planes(count: int) -> str:
    """'planes 1, 2, 3 of 5 as red, green, blue': how so many planes are shown; '' where they are not several."""
    shown = min(3, count)
    if shown < 2:
        return ""
    numbers = ", ".join(str(number + 1) for number in range(shown))
    return f"planes {numbers} of {count} as {', '.join(('red', 'green', 'blue')[:shown])}"
