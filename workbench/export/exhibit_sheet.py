"""A method's task as one picture to show around: what it is given, asked and answers, image by image."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from workbench.runs.exhibit import ShownPanel

_GAP, _GROUP_GAP, _EDGE, _LINE, _WORDS = 8, 28, 12, 18, 20
_SMALLEST, _LARGEST = 112, 224
"""Sides of a picture: smaller ones are enlarged with their pixels square and sharp, larger ones are shrunk."""
_SHAPE = 1.6
"""The width of the whole over its height, about."""
_INK, _GRAY, _GOOD, _BAD = (28, 33, 39), (89, 99, 110), (17, 113, 50), (192, 28, 40)


def exhibit_sheet(panels: Sequence[ShownPanel], *, images: int = 0) -> Image.Image:
    """One row for each of the first `images` images (0: all), in as many groups of columns as make a good shape."""
    if not panels:
        raise ValueError("there are no panels to draw")
    count = min(len(panel.pictures) for panel in panels)
    count = min(count, images) if images else count
    side = min(_LARGEST, max(_SMALLEST, *(panel.pictures.shape[2] for panel in panels)))
    worded = any(panel.captions or panel.right for panel in panels)
    step = side + (_WORDS if worded else 0) + _GAP
    wide = len(panels) * (side + _GAP) - _GAP + _GROUP_GAP
    title, small = ImageFont.load_default(14), ImageFont.load_default(12)
    titles = [_lines(panel.title, title, side) for panel in panels]
    head = _LINE * max(len(lines) for lines in titles) + _GAP
    groups = min(
        range(1, count + 1),
        key=lambda groups: abs(math.log(groups * wide / (head + math.ceil(count / groups) * step) / _SHAPE)),
    )
    size = (2 * _EDGE + groups * wide - _GROUP_GAP, 2 * _EDGE + head + math.ceil(count / groups) * step - _GAP)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for column, panel in enumerate(panels):
        for group in range(groups):
            x = _EDGE + group * wide + column * (side + _GAP)
            top = _EDGE + head - _GAP - _LINE * len(titles[column])  # The last line stands above the pictures.
            for number, line in enumerate(titles[column]):
                draw.text((x, top + _LINE * number), line, fill=_INK, font=title)
        for row in range(count):
            x = _EDGE + row % groups * wide + column * (side + _GAP)
            y = _EDGE + head + row // groups * step
            sheet.paste(_scaled(panel, row, side), (x, y))
            _write_caption(draw, panel, row, (x, y + side + 3), small, side)
    return sheet


_Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


def _scaled(panel: ShownPanel, row: int, side: int) -> Image.Image:
    image = Image.fromarray(panel.pictures[row])
    kernel = Image.Resampling.NEAREST if image.width <= side else Image.Resampling.LANCZOS
    return image.resize((side, max(1, round(side * image.height / image.width))), kernel)


def _write_caption(
    draw: ImageDraw.ImageDraw, panel: ShownPanel, row: int, place: tuple[int, int], font: _Font, side: int
) -> None:
    x, y = place
    color = _GRAY
    if row < len(panel.right):
        right = panel.right[row]
        color = _GOOD if right else _BAD
        # The font has no such signs.
        strokes = [[(0, 6), (3, 10), (9, 2)]] if right else [[(1, 2), (8, 10)], [(8, 2), (1, 10)]]
        for stroke in strokes:
            draw.line([(x + across, y + down) for across, down in stroke], fill=color, width=2)
        x, side = x + 14, side - 14
    if row < len(panel.captions):
        draw.text((x, y), _fitted(panel.captions[row], font, side), fill=color, font=font)


def _lines(text: str, font: _Font, width: float) -> list[str]:
    """The text in lines of words that fit; a word that does not is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [_fitted(line, font, width) for line in lines]


def _fitted(text: str, font: _Font, width: float) -> str:
    """The text, or as much of it as there is room for."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"
