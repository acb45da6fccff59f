"""The heat map of one or two audits as an SVG file: op × strength, for documents and reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from workbench.runs.audit import Audit, LadderResult, Rung

_LABEL, _CELL, _ROW, _GAP = 150, 52, 21, 28
_HEAD, _EDGE, _COLUMNS = 64, 16, 4
_BAR = 150
_FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
_SEEN, _BLIND = (238, 242, 247), (36, 96, 200)
"""From another image's distance (gray) to blind (blue): one hue, dark to light, which no color blindness hides."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """An audit and what it is called in the picture."""

    name: str
    audit: Audit


def audit_svg(audits: Sequence[Named], *, title: str = "", keys: Sequence[str] = ()) -> str:
    """A picture of one or two audits beside each other, with their factor probes below.

    keys: only these ladders ('op/ladder'), in this order; without them all, most different or most blind first.
    """
    rows = list(keys or ranked([named.audit for named in audits]))
    factors = [factor.column for factor in audits[0].audit.factors]
    width = _EDGE * 2 + _LABEL + len(audits) * (_COLUMNS * _CELL + _GAP)
    below = _HEAD + len(rows) * _ROW + 24
    height = below + (24 + len(factors) * _ROW + 16 if factors else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="{_FONT}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(_EDGE, 24, title or "How alike are an image and its changed self?", size=14, bold=True),
    ]
    for number, named in enumerate(audits):
        left = _EDGE + _LABEL + number * (_COLUMNS * _CELL + _GAP)
        parts.append(_text(left, _HEAD - 10, named.name, bold=True))
        for row, key in enumerate(rows):
            ladder = named.audit.ladder(key)
            if ladder is not None:
                parts += _cells(ladder, left, _HEAD + row * _ROW)
        for row, column in enumerate(factors):
            parts += _factor(named.audit, column, left, below + 24 + row * _ROW)
    for row, key in enumerate(rows):
        found = next(ladder for named in audits if (ladder := named.audit.ladder(key)) is not None)
        parts.append(_text(_EDGE, _HEAD + row * _ROW + 14, found.title, color="#3c4654"))
    if factors:
        parts.append(_text(_EDGE, below + 10, "Linear probe of each factor (line: guessing)", bold=True))
        parts += [
            _text(_EDGE, below + 24 + row * _ROW + 14, column, color="#3c4654") for row, column in enumerate(factors)
        ]
    return "\n".join([*parts, "</svg>\n"])


def ranked(audits: Sequence[Audit]) -> list[str]:
    """The ladders of the first audit: the most different from the second first, or the blindest where it is alone."""
    first = audits[0]

    def rank(ladder: LadderResult) -> float:
        other = audits[1].ladder(ladder.key) if len(audits) > 1 else None
        return abs(ladder.cosine - other.cosine) if other is not None else ladder.cosine

    return [ladder.key for ladder in sorted(first.ladders, key=rank, reverse=True)]


def in_full(ladder: LadderResult, rung: Rung) -> str:
    """'Hue, up to ±0.25 turns: 0.93 (80 % of images from 0.81 to 0.99)'."""
    return f"{ladder.title}, {rung.label}: {rung.cosine:.2f} (80 % of images from {rung.low:.2f} to {rung.high:.2f})"


def _cells(ladder: LadderResult, left: float, top: float) -> list[str]:
    parts = []
    width = _COLUMNS * _CELL / len(ladder.rungs)
    for number, rung in enumerate(ladder.rungs):
        x = left + number * width
        share = min(1.0, max(0.0, rung.cosine))
        dark = share > 0.75
        parts += [
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{width - 1:.1f}" height="{_ROW - 1}" fill="{_shade(share)}">',
            f"<title>{escape(in_full(ladder, rung))}</title></rect>",
            _text(x + width / 2, top + 14, f"{rung.cosine:.2f}", color="#fff" if dark else "#1d2530", middle=True),
        ]
    return parts


def _factor(audit: Audit, column: str, left: float, top: float) -> list[str]:
    factor = audit.factor(column)
    if factor is None:
        return [_text(left, top + 14, "not probed", color="#6b7686")]
    x = left + factor.guessing * _BAR
    return [
        f'<rect x="{left}" y="{top + 4}" width="{_BAR}" height="12" fill="#eef2f7"/>',
        f'<rect x="{left}" y="{top + 4}" width="{factor.accuracy * _BAR:.1f}" height="12" fill="#2460c8"/>',
        f'<path d="M{x:.1f} {top + 1}v18" stroke="#1d2530" stroke-dasharray="2 2"/>',
        _text(
            left + _BAR + 6,
            top + 14,
            f"{100 * factor.accuracy:.0f} %  ({100 * factor.low:.0f} to {100 * factor.high:.0f})",
        ),
    ]


def _shade(share: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(_SEEN, _BLIND, strict=True))


def _text(
    x: float, y: float, words: str, *, size: int = 12, color: str = "#1d2530", bold: bool = False, middle: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}"{weight}{anchor}>{escape(words)}</text>'
