"""Normalization against torchvision's."""

import pytest
import torch
import torchvision.transforms.v2.functional as tvf

from workbench.augment.normalize import Normalization, normalization_for
from workbench.spec.experiment import DataSpec
from workbench.spec.normalization import IMAGENET_MEAN


@pytest.mark.parametrize("channels", [1, 3])
def test_as_torchvision(channels: int) -> None:
    images = torch.rand(4, channels, 8, 8)
    mean, std = [0.4, 0.5, 0.6][:channels], [0.2, 0.3, 0.25][:channels]
    assert torch.allclose(Normalization(mean, std)(images), tvf.normalize(images, mean, std))


def test_a_flat_channel_does_not_explode() -> None:
    normalized = Normalization([0.5, 0.0, 0.5], [0.2, 0.0, 0.2])(torch.zeros(1, 3, 4, 4))
    assert bool(torch.isfinite(normalized).all())
    assert normalized[:, 1].abs().max() == 0


def test_it_travels_with_a_model() -> None:
    other = Normalization([0.0], [1.0])
    other.load_state_dict(Normalization([0.3], [0.5]).state_dict())
    assert torch.equal(other(torch.full((1, 1, 1, 1), 0.8)), torch.ones(1, 1, 1, 1))
    assert other.channels == 1


def test_what_the_data_asks_for() -> None:
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)

    def chosen(kind: str, channels: int = 3) -> list[float]:
        data = DataSpec(folder="x", normalize=kind)  # type: ignore[arg-type]
        return normalization_for(data, mean[:channels], std[:channels]).mean.tolist()

    assert chosen("dataset") == pytest.approx(mean)
    assert chosen("imagenet") == pytest.approx(IMAGENET_MEAN)
    assert chosen("none") == [0, 0, 0]
    assert chosen("imagenet", 1) == pytest.approx([sum(IMAGENET_MEAN) / 3])
