"""A contact sheet: images and their views in rows, as a picture to show around."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pictures = NDArray[np.uint8]

_GAP, _HEAD, _CELL = 6, 22, 112


def contact_sheet(columns: Sequence[tuple[str, Pictures]]) -> Image.Image:
    """One column per name, one row per image; columns are (n, h, w, 3), each shown in a square of 112 px.

    Smaller pictures keep their pixels square and sharp, larger ones are shrunk.
    """
    count = max((len(pictures) for _, pictures in columns), default=0)
    width = _GAP + len(columns) * (_CELL + _GAP)
    sheet = Image.new("RGB", (width, _HEAD + count * (_CELL + _GAP) + _GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for column, (name, pictures) in enumerate(columns):
        x = _GAP + column * (_CELL + _GAP)
        draw.text((x, 6), name, fill=(60, 70, 84))
        for row, picture in enumerate(pictures):
            image = Image.fromarray(np.ascontiguousarray(picture))
            kernel = Image.Resampling.NEAREST if image.width <= _CELL else Image.Resampling.LANCZOS
            sheet.paste(image.resize((_CELL, _CELL), kernel), (x, _HEAD + row * (_CELL + _GAP)))
    return sheet
