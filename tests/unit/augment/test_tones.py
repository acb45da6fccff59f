"""Tones, filters and specks against torchvision, scipy and the distributions that they are named after."""

import sys
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import torch
import torchvision.transforms.v2.functional as tvf
from torch import Tensor
from torchvision.transforms import v2

from workbench.augment.draws import Draws, sample_keys
from workbench.augment.field import paired_fields
from workbench.augment.median import medians
from workbench.augment.op import Op
from workbench.augment.tones import autocontrasted, equalized, posterized, sharpened, solarized
from workbench.catalog.registry import load_registry

OPS = load_registry().ops


def images(size: int = 24, *, channels: int = 3, n: int = 6) -> Tensor:
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(3))


def built(name: str, **params: Any) -> Op[Any]:
    return OPS[name].build(OPS[name].params(p=1.0, **params))


def applied(name: str, batch: Tensor, **params: Any) -> tuple[Tensor, dict[str, Tensor]]:
    op = built(name, **params)
    channels, height, width = batch.shape[1:]
    drawn = dict(op.draw(Draws(sample_keys(0, 0, torch.arange(len(batch)), 0)), (channels, height, width)))
    return op.apply(batch.clone(), drawn), drawn


def levels(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max()) * 255


@pytest.mark.parametrize("channels", [1, 3])
class TestTones:
    def test_solarized(self, channels: int) -> None:
        batch = images(channels=channels)
        thresholds = torch.linspace(0, 1, len(batch))
        expected = [tvf.solarize(one, float(at)) for one, at in zip(batch, thresholds, strict=True)]
        assert levels(solarized(batch, thresholds), torch.stack(expected)) == 0

    def test_posterized(self, channels: int) -> None:
        batch, bits = images(channels=channels), torch.tensor([1, 2, 3, 4, 6, 8])
        expected = [tvf.posterize(one, int(count)) for one, count in zip(batch, bits, strict=True)]
        assert levels(posterized(batch, bits), torch.stack(expected)) < 0.01

    def test_autocontrasted(self, channels: int) -> None:
        batch = images(channels=channels) * 0.5 + 0.2
        batch[0, 0] = 0.3  # a flat channel
        assert levels(autocontrasted(batch), tvf.autocontrast(batch)) < 0.01

    def test_equalized(self, channels: int) -> None:
        batch = images(channels=channels).square()
        batch[1] = 0.25
        batch = (batch * 255).round() / 255
        theirs = torch.stack([tvf.equalize((one * 255).round().byte()) for one in batch]).float() / 255
        assert levels(equalized(batch), theirs) < 0.01

    def test_sharpened(self, channels: int) -> None:
        batch, factors = images(channels=channels), torch.tensor([0.0, 0.3, 1.0, 1.5, 2.0, 6.0])
        expected = [tvf.adjust_sharpness(one, float(by)) for one, by in zip(batch, factors, strict=True)]
        assert levels(sharpened(batch, factors), torch.stack(expected)) < 0.01

    @pytest.mark.parametrize("shape", [(24, 24), (7, 33), (150, 170), (3, 2), (2, 5), (1, 9)])
    @pytest.mark.parametrize("radius", [1, 2, 3])
    def test_medians(self, channels: int, shape: tuple[int, int], radius: int) -> None:
        """Exactly; in several stretches where images are large, and with shorter reaches where they are tiny."""
        batch = torch.rand(2, channels, *shape, generator=torch.Generator().manual_seed(radius))
        batch[0] = (batch[0] * 8).round() / 8  # many equal values
        side = 2 * min(radius, min(shape) - 1) + 1
        theirs = scipy.ndimage.median_filter(batch.numpy(), size=(1, 1, side, side), mode="mirror")
        assert torch.equal(medians(batch, radius), torch.from_numpy(theirs))


def test_ops_use_what_they_drew() -> None:
    made, drawn = applied("posterize", images(), bits=(2.0, 5.0))
    assert set(drawn["bits"].tolist()) <= {2, 3, 4, 5}
    for one, bits in zip(made, drawn["bits"].tolist(), strict=True):
        assert len(torch.unique(one)) <= 2**bits
    made, drawn = applied("sharpness", images(), factor=(0.0, 3.0))
    assert torch.equal(made, sharpened(images(), drawn["factor"]))
    made, drawn = applied("median", images(n=20), radius=3)
    assert set(drawn["radius"].tolist()) == {1, 2, 3}
    assert torch.equal(made[4], medians(images(n=20)[4:5], int(drawn["radius"][4]))[0])


@pytest.mark.parametrize("rate", [0.05, 0.7, 4.0, 5.9, 6.1, 10.0, 60.0, 900.0])
def test_poisson_counts_have_the_right_distribution(rate: float) -> None:
    poisson = sys.modules[type(built("poisson_noise")).__module__].poisson
    count = 60_000
    keys = torch.tensor([17])
    uniform, normal = paired_fields(keys, count)
    counts = poisson(torch.full((count,), rate), uniform[0], normal[0]).numpy()
    assert np.array_equal(counts, counts.round())
    assert abs(counts.mean() - rate) < 5 * np.sqrt(rate / count) + 0.002 * rate
    assert abs(counts.var() / rate - 1) < 0.03 + (0.1 if rate < 0.1 else 0)
    at = np.quantile(counts, [0.05, 0.5, 0.95])
    assert np.all(np.abs(at - scipy.stats.poisson(rate).ppf([0.05, 0.5, 0.95])) <= 1)


def test_poisson_noise_is_proportional_to_the_light() -> None:
    batch = torch.tensor([0.1, 0.3, 0.5])[:, None, None, None].expand(3, 1, 128, 128).clone()
    made, _ = applied("poisson_noise", batch, photons=(50.0, 50.0))
    variances = made.flatten(1).var(dim=1) / batch[:, 0, 0, 0] * 50
    assert torch.allclose(variances, torch.ones(3), atol=0.08)
    assert torch.allclose(made.mean(dim=(1, 2, 3)), batch[:, 0, 0, 0], atol=0.01)


def test_salt_and_pepper_are_as_many_as_asked() -> None:
    batch = torch.full((2, 3, 200, 200), 0.5)
    made, _ = applied("salt_and_pepper", batch, share=(0.2, 0.2), salt=0.25)
    assert float((made == 1).float().mean()) == pytest.approx(0.05, abs=0.005)
    assert float((made == 0).float().mean()) == pytest.approx(0.15, abs=0.01)
    assert torch.equal(made[:, 0], made[:, 2]), "all channels of a pixel together"
    assert set(torch.unique(made).tolist()) == {0.0, 0.5, 1.0}


class TestTorchvisionsForms:
    """What the exported Python does, where it is more than the transform of the same name."""

    @staticmethod
    def made(name: str, image: Tensor, **params: Any) -> Tensor:
        info = OPS[name]
        assert info.torchvision is not None
        torch.manual_seed(0)
        form = eval(info.torchvision(info.params(p=1.0, **params), 40), {"v2": v2, "torch": torch})
        made: Tensor = form(image)
        assert made.shape == image.shape
        return made

    def test_median_and_sharpness(self) -> None:
        image = images()[0]
        assert torch.equal(self.made("median", image, radius=1), medians(image[None], 1)[0])
        assert any(torch.equal(self.made("median", image, radius=3), medians(image[None], r)[0]) for r in (1, 2, 3))
        sharp = sharpened(image[None], torch.tensor([3.0]))[0]
        assert levels(self.made("sharpness", image, factor=(3.0, 3.0)), sharp) < 0.01
        assert levels(self.made("sharpness", image, factor=(2.99999, 3.0)), sharp) < 0.1

    def test_gamma_and_window(self) -> None:
        image = images(40)[:1]
        ours, _ = applied("gamma", image, gamma=(2.0, 2.0))
        assert levels(self.made("gamma", image[0], gamma=(2.0, 2.0)), ours[0]) < 0.01
        window: dict[str, Any] = {"center": (0.4, 0.4), "width": (0.6, 0.6)}
        ours, _ = applied("window_level", image, **window)
        assert levels(self.made("window_level", image[0], **window), ours[0]) < 0.01

    @pytest.mark.parametrize("fill", ["black", "mean"])
    def test_channel_drop(self, fill: str) -> None:
        image = images(40, channels=5)[0] + 0.1
        made = self.made("channel_drop", image, most=3, fill=fill)
        flat = made.amax(dim=(1, 2)) == made.amin(dim=(1, 2))
        assert 1 <= int(flat.sum()) <= 3
        assert torch.equal(made[~flat], image[~flat])
        if fill == "mean":
            assert torch.allclose(made.mean(dim=(1, 2)), image.mean(dim=(1, 2)), atol=1e-5)
        assert torch.equal(self.made("channel_drop", image[:1], fill=fill), image[:1]), "the only channel stays"

    @pytest.mark.parametrize("fill", ["black", "gray", "mean", "noise"])
    def test_what_hides_parts(self, fill: str) -> None:
        image = images(40)[0] * 0.2 + 0.3
        for name, params, low, high in (
            ("random_mask", {"patches": 9, "ratio": 0.5}, 0.4, 0.6),
            ("erasing", {"area": (0.3, 0.3)}, 0.25, 0.35),
        ):
            made = self.made(name, image, fill=fill, **params)
            hidden = (made != image).any(dim=0)
            assert low < float(hidden.float().mean()) < high
            inside = made[:, hidden]
            assert 0 <= float(inside.min()) <= float(inside.max()) <= 1
            if fill == "noise":
                assert float(inside.std()) == pytest.approx(12**-0.5, abs=0.03)
            else:
                value = {"black": 0.0, "gray": 0.5}.get(fill, image.mean(dim=(1, 2)))
                assert torch.allclose(inside.mean(dim=1), torch.as_tensor(value).expand(3), atol=1e-4)

    def test_random_masks_are_of_the_same_patches(self) -> None:
        image = torch.ones(1, 40, 40)
        made = self.made("random_mask", image, patches=9, ratio=0.5, fill="black")
        patches = made[0, :36, :36].reshape(9, 4, 9, 4)
        assert torch.equal(patches.amin(dim=(1, 3)), patches.amax(dim=(1, 3)))
        assert int((patches[:, 0, :, 0] == 0).sum()) == round(0.5 * 81)
        assert torch.equal(made[0, 36:, :36], made[0, 35:36, :36].expand(4, 36)), "the last patches take what is left"

    def test_elastic(self) -> None:
        """On ramps, the shift of every pixel can be read off: as large, and as smooth, as ours."""
        y, x = torch.meshgrid(torch.linspace(-1, 1, 41), torch.linspace(-1, 1, 41), indexing="ij")
        ramps = torch.stack([x, y])[:, :40, :40]
        for shift in (0.02, 0.05):
            moved = self.made("elastic", ramps, shift=(shift, shift))
            ours = applied("elastic", ramps[None], shift=(shift, shift))[0][0]
            ways, expected = (one[:, 4:-4, 4:-4] - ramps[:, 4:-4, 4:-4] for one in (moved, ours))
            assert float(ways.abs().max()) == pytest.approx(float(expected.abs().max()), rel=0.35)
            assert float(ways.abs().max()) < 2 * shift * 1.05
            rough = [float((one[..., 1:] - one[..., :-1]).abs().mean() / one.abs().mean()) for one in (ways, expected)]
            assert rough[0] == pytest.approx(rough[1], rel=0.35)

    def test_noise(self) -> None:
        gray = torch.full((3, 160, 160), 0.4)
        for sigma in ((0.1, 0.1), (0.0999, 0.1)):
            made = self.made("gaussian_noise", gray, sigma=sigma)
            assert float(made.std()) == pytest.approx(0.1, abs=0.002)
        made = self.made("poisson_noise", gray, photons=(30.0, 30.0))
        ours = applied("poisson_noise", gray[None], photons=(30.0, 30.0))[0]
        assert abs(float(made.mean() - ours.mean())) < 0.003
        assert abs(float(made.std() / ours.std()) - 1) < 0.02
        made = self.made("salt_and_pepper", gray, share=(0.2, 0.2), salt=0.25)
        assert torch.equal(made[0], made[2])
        assert [float((made == value).float().mean()) for value in (0.0, 1.0)] == pytest.approx([0.15, 0.05], abs=0.01)
