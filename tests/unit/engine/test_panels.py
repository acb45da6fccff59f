"""Columns of pictures come out of the pipe as they went in."""

import numpy as np

from workbench.engine.panels import received, sent
from workbench.runs.exhibit import ShownPanel


def test_columns_arrive_in_order_with_their_words_and_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 2, 4, 4, 3), dtype=np.uint8)
    columns = [
        ShownPanel(part="input", title="Turned", pictures=pixels[1], captions=("90°", "0°")),
        ShownPanel(part="answer", title="Said", pictures=pixels[2]),
    ]
    words, arrays = sent(pixels[0], columns)
    first, *others = received(words, arrays, original="Stored")
    assert (first.part, first.title) == ("original", "Stored")
    assert [(one.part, one.title, one.captions) for one in others] == [
        (one.part, one.title, one.captions) for one in columns
    ]
    np.testing.assert_array_equal(np.stack([one.pictures for one in (first, *others)]), pixels)
