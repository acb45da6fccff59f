"""Views of several sizes through one network."""

import torch
from torch import nn

from workbench.method.crops import by_size


def test_each_view_gets_its_own_answer_and_a_size_is_asked_once() -> None:
    asked: list[tuple[int, ...]] = []

    def network(images: torch.Tensor) -> torch.Tensor:
        asked.append(tuple(images.shape))
        return images.mean(dim=(2, 3))

    views = [torch.rand(3, 2, size, size) for size in (8, 8, 4, 4, 4, 8)]
    found = by_size(network, views)
    assert asked == [(6, 2, 8, 8), (9, 2, 4, 4), (3, 2, 8, 8)]
    for answer, view in zip(found, views, strict=True):
        torch.testing.assert_close(answer, view.mean(dim=(2, 3)))


def test_batch_norm_sees_all_views_of_a_size() -> None:
    norm = nn.BatchNorm2d(2, affine=False)
    bright, dark = torch.rand(4, 2, 5, 5) + 3, torch.rand(4, 2, 5, 5)
    first, second = by_size(norm, [bright, dark])
    assert first.mean() > 0.5
    torch.testing.assert_close(torch.cat([first, second]), norm(torch.cat([bright, dark])))


def test_no_views_are_no_answers() -> None:
    assert by_size(nn.Identity(), []) == []
