"""HTML from plain values. Everything that a person or a file named goes through `escape`."""

import html
from collections.abc import Iterable, Sequence
from typing import Literal

Width = Literal["", "wide", "half", "third"]


def escape(text: object) -> str:
    """Text as it is read, with nothing in it that a browser would obey."""
    return html.escape(str(text), quote=True)


def card(title: str, body: str, *, note: str = "", width: Width = "", kind: str = "") -> str:
    """A titled box. `body` is HTML; `title` and `note` are text."""
    classes = " ".join(part for part in ("card", width, kind) if part)
    aside = f'<span class="note">{escape(note)}</span>' if note else ""
    return f'<section class="{classes}"><div class="head"><h2>{escape(title)}</h2>{aside}</div>{body}</section>'


def paragraph(text: str, *, kind: str = "") -> str:
    """A paragraph of text."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """Rows of HTML cells under a header of text. `numbers` are the columns to be set to the right."""

    def cell(tag: str, place: int, content: str) -> str:
        return f'<{tag} class="number">{content}</{tag}>' if place in numbers else f"<{tag}>{content}</{tag}>"

    head = "".join(cell("th", place, escape(name)) for place, name in enumerate(header))
    body = "".join(
        "<tr>" + "".join(cell("td", place, content) for place, content in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values, both text, as a table without a header."""
    body = "".join(
        f'<tr><td class="secondary">{escape(name)}</td><td class="path">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f"<table><tbody>{body}</tbody></table>"


def chip(text: str, level: Literal["", "good", "watch", "bad"] = "") -> str:
    """A word in a small colored box."""
    return f'<span class="chip {level}">{escape(text)}</span>'


def figure(name: str, value: str, more: str = "") -> str:
    """A large number with what it is."""
    return (
        f'<div class="figure"><div class="name">{escape(name)}</div><div class="value">{escape(value)}</div>'
        f'<div class="more">{escape(more)}</div></div>'
    )


def folded(title: str, body: str, *, opened: bool = False) -> str:
    """A card that opens with a click."""
    state = " open" if opened else ""
    return f'<section class="card"><details{state}><summary>{escape(title)}</summary>{body}</details></section>'


def heat_class(share: float) -> str:
    """The attribute of a shaded cell that makes its number readable: the accent is dark in light, and light in dark."""
    return ' class="hot"' if share > 0.8 else ' class="warm"' if share > 0.6 else ""


def percent(share: float) -> str:
    """0.7012 as 70.1 %."""
    return f"{share * 100:.1f} %"


def number(value: float) -> str:
    """Four significant digits, without an exponent where that reads well."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        text = f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
        return text.replace("-", "−")
    return f"{value:.2e}".replace("-", "−")


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes // 60:.0f} h {minutes % 60:.0f} min"


def size_words(size: int) -> str:
    """Bytes as kB or MB."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
