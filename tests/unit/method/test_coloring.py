from dataclasses import replace
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor, nn

from tests.contract.trial import REGISTRY, SIZE, build, progress, setting, slim
from workbench.method.contract import Batch, EncodeAll
from workbench.method.lab import rgb_to_lab
from workbench.method.scale import ViewScale
from workbench.spec.errors import CheckError

INFO = REGISTRY.method("colorization")


def showing(images: Tensor) -> EncodeAll:
    def encode(network: nn.Module) -> Tensor:
        found: Tensor = network(images)
        return found

    return encode


def some_images(count: int = 20) -> Tensor:
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def batch_of(images: Tensor) -> Batch:
    return Batch(views=(images,), indices=torch.arange(len(images)))


@pytest.mark.parametrize(("mean", "std"), [((0.0,), (1.0,)), ((0.5, 0.4, 0.3), (0.2, 0.1, 0.3))])
def test_the_scale_undoes_the_normalization(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    scale = ViewScale(replace(setting(), mean=mean, std=std))
    pictures = some_images()
    normalized = (pictures - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    torch.testing.assert_close(scale.pictures(normalized), pictures)
    torch.testing.assert_close(scale.views(pictures), normalized)


def test_the_encoder_sees_no_color() -> None:
    method: Any = build(INFO).eval()
    pictures = some_images(4)
    lab = rgb_to_lab(pictures)
    other = lab.clone()
    other[:, 1:] *= -0.3
    torch.testing.assert_close(method._answers(lab), method._answers(other))


def test_weights_come_from_the_colors_of_the_set_and_are_counted_once() -> None:
    method: Any = build(INFO)
    reds = torch.tensor([0.8, 0.1, 0.1])[:, None, None].expand(30, 3, SIZE, SIZE).clone()
    reds[:3] = torch.tensor([0.1, 0.2, 0.8])[:, None, None]
    method.before_epoch(showing(reds), progress(0))
    red, blue = (method.bins.nearest(rgb_to_lab(reds[[place]])[:, 1:])[0][0, 0, 0, 0] for place in (10, 0))
    assert method.weights[blue] > 2 * method.weights[red]
    before = method.weights.clone()
    method.before_epoch(showing(reds.flip(1)), progress(1))
    assert torch.equal(method.weights, before)


def test_a_set_without_color_is_refused_in_words() -> None:
    method = build(INFO)
    gray = some_images()[:, :1].expand(-1, 3, -1, -1)
    with pytest.raises(CheckError, match=r"cannot learn from these images: 100\.0 % of their area is gray"):
        method.before_epoch(showing(gray), progress(0))


@pytest.mark.parametrize("answer", ["classes", "regression"])
def test_it_learns_a_color_that_follows_from_lightness(answer: str) -> None:
    """Bright images are blue and dark ones red: at the end the pictures are so, too."""
    params = msgspec.structs.replace(slim(INFO), answer=answer)
    method = build(INFO, params)
    dark, bright = torch.tensor([0.45, 0.1, 0.1]), torch.tensor([0.55, 0.7, 1.0])
    images = torch.stack([dark, bright] * 4)[:, :, None, None] + 0.02 * some_images(8)
    optimizer = torch.optim.Adam(method.parameters(), lr=0.01)
    batch = batch_of(images.clamp(0, 1))
    for _ in range(40):
        loss = method(batch, progress(0))
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
    assert loss.parts["explained"] > 0.8
    with torch.no_grad():
        given, target, painted = method.exhibit(batch, progress(0))
    assert torch.equal(given.images[:, 0], given.images[:, 2]), "gray"
    lab, wanted = rgb_to_lab(painted.images), rgb_to_lab(target.images)
    torch.testing.assert_close(lab[:, 0].mean(), wanted[:, 0].mean(), rtol=0, atol=3)
    assert (painted.images[1::2, 2] > painted.images[1::2, 0]).float().mean() > 0.9, "bright ones are blue"
    assert (painted.images[::2, 0] > painted.images[::2, 2]).float().mean() > 0.9, "dark ones are red"
