"""The audit's cosines, on encoders whose answers are known."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workbench.augment.normalize import Normalization
from workbench.catalog.registry import load_registry
from workbench.inspect.encoder import LoadedEncoder
from workbench.inspect.invariance import cosine, invariance, strengths
from workbench.method.backbone import Encoder
from workbench.spec.experiment import DataSpec, Experiment

OPS = load_registry().ops


class Known(Encoder):
    """Features by a function of the images."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.net = nn.Identity()
        self.dim = 256

    def forward(self, images: Tensor) -> Tensor:
        gray = images
        if self.kind == "gray":
            weights = torch.tensor([0.2989, 0.587, 0.114])[: images.shape[1], None, None]
            gray = (images * weights).sum(dim=1, keepdim=True)
        if self.kind == "mirror":
            gray = gray + gray.flip(3)
        small = nn.functional.adaptive_avg_pool2d(gray, 16 if gray.shape[1] == 1 else 9)
        return nn.functional.pad(small.flatten(1), (0, 256))[:, :256]


def loaded(kind: str, channels: int = 3) -> LoadedEncoder:
    return LoadedEncoder(
        encoder=Known(kind).eval(),
        normalization=Normalization([0.0] * channels, [1.0] * channels),
        experiment=Experiment(data=DataSpec(folder=".")),
        epoch=1,
        channels=channels,
        image_size=32,
    )


def pictures(n: int = 12, channels: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    coarse = torch.rand(n, channels, 6, 6, generator=torch.Generator().manual_seed(0))
    return (nn.functional.interpolate(coarse, size=40, mode="bicubic").clamp(0, 1) * 255).byte().numpy()


def answers(kind: str, channels: int = 3) -> dict[str, float]:
    made = invariance(
        loaded(kind, channels), pictures(channels=channels), np.arange(12), ops=OPS, device=torch.device("cpu")
    )
    return {ladder.key: ladder.cosine for ladder in made.ladders}


def test_a_gray_encoder_is_blind_to_grayscale_and_a_mirrored_one_to_flips() -> None:
    gray, mirror = answers("gray"), answers("mirror")
    assert gray["grayscale/grayscale"] == pytest.approx(1, abs=1e-5)
    assert mirror["grayscale/grayscale"] < 0.9
    assert mirror["horizontal_flip/horizontal_flip"] == pytest.approx(1, abs=1e-5)
    assert gray["horizontal_flip/horizontal_flip"] < 0.5
    assert gray["vertical_flip/vertical_flip"] < 0.5


def test_every_ladder_of_the_catalog_has_all_its_rungs_and_gets_worse() -> None:
    made = invariance(loaded("all"), pictures(), np.arange(12), ops=OPS, device=torch.device("cpu"))
    expected = {f"{info.name}/{ladder.name}": ladder for info in OPS.values() for ladder in info.ladders}
    assert {ladder.key for ladder in made.ladders} == set(expected)
    for ladder in made.ladders:
        assert [rung.label for rung in ladder.rungs] == [
            expected[ladder.key].words(strength) for strength in strengths(expected[ladder.key])
        ]
        assert all(rung.low <= rung.high <= 1 + 1e-6 for rung in ladder.rungs)
    noise = next(ladder for ladder in made.ladders if ladder.key == "gaussian_noise/noise")
    assert noise.rungs[0].cosine > noise.rungs[-1].cosine


def test_color_changes_are_left_out_on_gray_images() -> None:
    made = invariance(loaded("all", 1), pictures(channels=1), np.arange(12), ops=OPS, device=torch.device("cpu"))
    assert {"Hue", "Saturation", "Grayscale"} <= set(made.skipped)
    assert not any(ladder.key == "color_jitter/hue" for ladder in made.ladders)


def test_what_changes_nothing_is_left_out_however_the_images_are_stored() -> None:
    """Gray images in three equal channels look blind to hue only because nothing happens to them."""
    gray = np.repeat(pictures(channels=1), 3, axis=1)
    told: list[tuple[int, int]] = []
    made = invariance(
        loaded("all"),
        gray,
        np.arange(12),
        ops=OPS,
        device=torch.device("cpu"),
        report=lambda _what, done, total: told.append((done, total)),
    )
    assert set(made.skipped) == {"Hue", "Saturation", "Grayscale"}
    assert any(ladder.key == "channel_drop/channel_drop" for ladder in made.ladders)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
    planes = invariance(loaded("all", 5), pictures(channels=5), np.arange(12), ops=OPS, device=torch.device("cpu"))
    assert set(planes.skipped) == {"Hue", "Saturation", "Grayscale"}


def test_cosines_and_their_reference_by_a_loop() -> None:
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=(7, 5)).astype(np.float32), draw.normal(size=(7, 5)).astype(np.float32)
    second[3] = 0
    expected = [
        float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) if np.linalg.norm(b) else 0.0
        for a, b in zip(first.astype(np.float64), second.astype(np.float64), strict=True)
    ]
    assert np.allclose(cosine(first, second), expected)
    images = pictures()
    encoder = loaded("all")
    made = invariance(encoder, images, np.arange(12), ops={}, device=torch.device("cpu"))
    from workbench.inspect.embed import embed

    features = embed(encoder.encoder, encoder.normalization, images, image_size=32, device=torch.device("cpu"))
    pairs = [cosine(features[i : i + 1], features[j : j + 1])[0] for i in range(12) for j in range(12) if i != j]
    assert made.between == pytest.approx(np.mean(pairs), abs=1e-6)
