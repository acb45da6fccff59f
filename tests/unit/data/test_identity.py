"""An image's identity, which the draws of its views are keyed by."""

import numpy as np

from workbench.data.identity import image_ids


def test_an_id_is_of_the_path_alone() -> None:
    both = image_ids(("a/1.png", "a/2.png"))
    assert both.dtype == np.int64
    assert image_ids(("a/2.png",))[0] == both[1]
    assert both[0] != both[1]


def test_ids_of_many_images_differ() -> None:
    assert len(set(image_ids([f"{number:06d}.png" for number in range(20_000)]).tolist())) == 20_000


def test_no_images_have_no_ids() -> None:
    assert image_ids(()).shape == (0,)
