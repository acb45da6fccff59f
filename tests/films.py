"""Painted films: a bright square that crosses a dark, patterned ground, in a folder per clip."""

from pathlib import Path

import numpy as np
from PIL import Image


def paint_films(folder: Path, *, clips: int, frames: int, size: int) -> None:
    """clip-0/frame-0.png, …: in every clip the square has a way of its own, and moves on with every frame."""
    draw = np.random.default_rng(1)
    side = size // 4
    for clip in range(clips):
        place = folder / f"clip-{clip}"
        place.mkdir(parents=True)
        ground = draw.integers(0, 90, (size // 4, size // 4, 3), dtype=np.uint8).repeat(4, axis=0).repeat(4, axis=1)
        begin, end = draw.uniform(0, size - side, (2, 2))
        while np.abs(end - begin).max() < size / 2:
            begin, end = draw.uniform(0, size - side, (2, 2))
        for frame in range(frames):
            image = ground.copy()
            top, left = np.round(begin + (end - begin) * frame / (frames - 1)).astype(int)
            image[top : top + side, left : left + side] = 255
            Image.fromarray(image).save(place / f"frame-{frame}.png")
