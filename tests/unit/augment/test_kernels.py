"""The compiled loops of a CPU against the torch code that GPUs run, which has torchvision for an oracle."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations

import numpy as np
import pytest
import torch
from torch import Tensor

from workbench.augment import blur, color, compiled, geometry, pixels
from workbench.augment.geometry import affine, resample
from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import load_registry
from workbench.spec.experiment import OpSpec, ViewSpec

CHANNELS = [1, 2, 3, 5]


def by_torch(patch: pytest.MonkeyPatch, work: Callable[[], Tensor]) -> Tensor:
    """What the code for GPUs makes of it."""
    with patch.context() as inside:
        for module in (blur, color, geometry):
            inside.setattr(module, "kernels_for", lambda images: None)
        return work()


def noise(n: int, channels: int, height: int, width: int) -> Tensor:
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(n + channels + width))


def smooth(n: int, channels: int, height: int, width: int) -> Tensor:
    coarse = noise(n, channels, 5, 5)
    return torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")


def moves(n: int, seed: int, *, slanted: bool, shift: float = 0.5, scale: tuple[float, float] = (0.2, 1.4)) -> Tensor:
    """Random crops, mirrored ones among them, some reaching outside; with `slanted`, homographies."""
    generator = np.random.default_rng(seed)
    width, height = generator.uniform(*scale, (2, n)) * generator.choice([-1, 1], (2, n))
    right, down = generator.uniform(-shift, shift, (2, n))
    matrices = affine(
        (
            (torch.from_numpy(width), 0.0, torch.from_numpy(right)),
            (0.0, torch.from_numpy(height), torch.from_numpy(down)),
        )
    )
    if slanted:
        matrices[:, 0, 1] = torch.from_numpy(generator.uniform(-0.5, 0.5, n))
        matrices[:, 1, 0] = torch.from_numpy(generator.uniform(-0.5, 0.5, n))
        matrices[n // 2 :, 2, :2] = torch.from_numpy(generator.uniform(-0.3, 0.3, (n - n // 2, 2)))
    return matrices


def turns() -> Tensor:
    """The eight turns and flips of a square, exactly."""
    rows = []
    for transposed in (False, True):
        for x in (1.0, -1.0):
            for y in (1.0, -1.0):
                square = [[0.0, x], [y, 0.0]] if transposed else [[x, 0.0], [0.0, y]]
                rows.append([[*square[0], 0.0], [*square[1], 0.0], [0.0, 0.0, 1.0]])
    return torch.tensor(rows, dtype=torch.float64)


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


class TestResampling:
    @pytest.mark.parametrize("slanted", [False, True])
    @pytest.mark.parametrize("shift", [0.0, 0.5])
    @pytest.mark.parametrize("sizes", [(32, 32, 32, 32), (40, 23, 17, 31), (64, 64, 20, 20), (9, 70, 32, 8)])
    def test_as_torch(
        self, sizes: tuple[int, int, int, int], shift: float, slanted: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Noise at large differs by the float32 that torch has for places; smooth pictures hardly do."""
        height, width, *size = sizes
        matrices = moves(24, 3, slanted=slanted, shift=shift)
        for images, bound in ((noise(24, 3, height, width), 1e-4), (smooth(24, 3, height, width), 1e-5)):
            ours = resample(images, matrices, (size[0], size[1]))
            theirs = by_torch(monkeypatch, partial(resample, images, matrices, (size[0], size[1])))
            assert ours.shape == theirs.shape
            assert float((ours - theirs).abs().max()) < bound

    @pytest.mark.parametrize("channels", CHANNELS)
    def test_any_number_of_channels(self, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
        images, matrices = smooth(8, channels, 20, 20), torch.cat([moves(4, 0, slanted=False), turns()[:4]])
        theirs = by_torch(monkeypatch, lambda: resample(images, matrices, (20, 20)))
        assert torch.allclose(resample(images, matrices, (20, 20)), theirs, atol=1e-5)

    @pytest.mark.parametrize("sizes", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 2)])
    @pytest.mark.parametrize("slanted", [False, True])
    def test_tiny_images(self, sizes: tuple[int, int], slanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        images, matrices = noise(16, 2, *sizes), moves(16, 1, slanted=slanted)
        for size in ((4, 5), (1, 1)):
            theirs = by_torch(monkeypatch, partial(resample, images, matrices, size))
            assert torch.allclose(resample(images, matrices, size), theirs, atol=1e-5)

    def test_turns_are_exact(self, monkeypatch: pytest.MonkeyPatch) -> None:
        images = noise(8, 3, 13, 13)
        assert torch.equal(
            resample(images, turns(), (13, 13)), by_torch(monkeypatch, lambda: resample(images, turns(), (13, 13)))
        )
        other = resample(images, turns(), (7, 9))
        assert torch.allclose(other, by_torch(monkeypatch, lambda: resample(images, turns(), (7, 9))), atol=1e-6)

    def test_nothing_depends_on_the_batch(self) -> None:
        """Of crops, shrunk ones and slanted ones together: bitwise the same alone, and in another order."""
        matrices = torch.cat(
            [
                moves(12, 5, slanted=False, scale=(0.05, 1.2)),
                moves(12, 6, slanted=True),
                turns(),
                moves(9, 7, slanted=False),
            ]
        )
        images = noise(len(matrices), 3, 45, 33)
        order = torch.randperm(len(matrices), generator=torch.Generator().manual_seed(0))
        for size in ((19, 24), (8, 8), (45, 33)):
            whole = resample(images, matrices, size)
            assert torch.equal(resample(images[order], matrices[order], size), whole[order])
            for item in range(len(matrices)):
                assert torch.equal(resample(images[item : item + 1], matrices[item : item + 1], size)[0], whole[item])

    def test_images_in_pieces(self) -> None:
        """Views of other tensors: what comes in need not be contiguous."""
        images, matrices = noise(6, 3, 20, 20), moves(6, 2, slanted=False)
        turned = images.transpose(2, 3)
        assert torch.equal(resample(turned, matrices, (9, 9)), resample(turned.contiguous(), matrices, (9, 9)))


class TestColor:
    @pytest.mark.parametrize("channels", CHANNELS)
    @pytest.mark.parametrize("parts", [(0, 1, 2, 3), (0,), (1,), (2, 3), (1, 3), ()])
    def test_jitter_as_torch(self, channels: int, parts: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        """Every order of the four, at a size that fills no block."""
        order = torch.tensor(list(permutations(range(4))))
        rows = torch.arange(0, 2 * len(order), 2)
        generator = torch.Generator().manual_seed(1)
        factors = {
            color.PARTS[part]: torch.rand(len(order), generator=generator) * 1.6 - (0.8 if part == 3 else 0.0)
            for part in parts
        }
        images = noise(2 * len(order), channels, 31, 37)

        def jittered() -> Tensor:
            changed = images.clone()
            color.jitter_(changed, rows, order, factors)
            return changed

        ours = jittered()
        assert torch.equal(ours[1::2], images[1::2])
        assert float((ours - by_torch(monkeypatch, jittered)).abs().max()) < 5e-6

    def test_grayscale_as_torch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        images, rows = noise(5, 3, 17, 9), torch.tensor([0, 3])

        def gray() -> Tensor:
            changed = images.clone()
            color.grayscale_(changed, rows)
            return changed

        assert torch.allclose(gray(), by_torch(monkeypatch, gray), atol=1e-6)

    def test_jitter_does_not_depend_on_the_batch(self) -> None:
        images = noise(24, 3, 40, 30)
        order = torch.tensor(list(permutations(range(4))))
        factors = {part: torch.linspace(0.3, 1.4, 24) for part in color.PARTS}
        whole = images.clone()
        color.jitter_(whole, torch.arange(24), order, factors)
        for item in range(24):
            alone = images[item : item + 1].clone()
            part = {name: value[item : item + 1] for name, value in factors.items()}
            color.jitter_(alone, torch.arange(1), order[item : item + 1], part)
            assert torch.equal(alone[0], whole[item])


class TestBlur:
    @pytest.mark.parametrize("channels", CHANNELS)
    @pytest.mark.parametrize("sizes", [(64, 64), (33, 100), (8, 8), (2, 5), (1, 1)])
    def test_as_torch(self, channels: int, sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
        images, rows = noise(6, channels, *sizes), torch.tensor([1, 2, 3, 5])
        sigma = torch.tensor([0.05, 0.4, 1.3, 9.0])

        def blurred(widest_at: int = 0) -> Tensor:
            changed = images.clone()
            blur.blur_(changed, rows, sigma, widest_at=widest_at)
            return changed

        for widest_at in (0, min(sizes) - 1):
            ours = blurred(widest_at)
            assert torch.equal(ours[[0, 4]], images[[0, 4]])
            theirs = by_torch(monkeypatch, partial(blurred, widest_at))
            assert float((ours - theirs).abs().max()) < 1e-6

    def test_a_bell_does_not_depend_on_its_neighbors(self) -> None:
        images, sigma = noise(40, 1, 60, 60), torch.linspace(0.1, 3.0, 40)
        whole = images.clone()
        blur.blur_(whole, torch.arange(40), sigma)
        for item in range(40):
            alone = images[item : item + 1].clone()
            blur.blur_(alone, torch.arange(1), sigma[item : item + 1])
            assert torch.equal(alone[0], whole[item])


CHAIN = (
    OpSpec(op="random_resized_crop"),
    OpSpec(op="rotation", params={"p": 0.5}),
    OpSpec(op="color_jitter"),
    OpSpec(op="grayscale"),
    OpSpec(op="solarize", params={"p": 0.5}),
    OpSpec(op="gaussian_blur"),
    OpSpec(op="gaussian_noise"),
)


class TestLevels:
    @pytest.mark.parametrize("channels", CHANNELS)
    def test_as_torch(self, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
        images = 1.2 * noise(3, channels, 16, 51) - 0.1
        images[0, :, 0] = (torch.arange(51) + 0.5) / 255  # Between two levels: to the even one.
        pictures = pixels.as_levels(images)
        with monkeypatch.context() as inside:
            inside.setattr(pixels, "kernels_for", lambda images: None)
            assert torch.equal(pixels.as_levels(images), pictures)
        out = torch.zeros(5, 16, 51, channels, dtype=torch.uint8)
        pixels.as_levels(images, out[1:4])
        assert torch.equal(out[1:4], pictures)
        assert not out[[0, 4]].any()


class TestThreads:
    @pytest.mark.parametrize("inference", [False, True])
    def test_views_are_the_same_on_any_number(self, inference: bool, threads: Callable[[int], None]) -> None:
        plan = ViewPlan((ViewSpec(count=2, size=72, chain=CHAIN),), load_registry().ops)
        pixels = (noise(21, 3, 80, 80) * 255).to(torch.uint8)
        made = []
        for count in (1, 2, 3):
            threads(count)
            with torch.inference_mode(inference):
                made.append(plan.make(pixels, seed=1, epoch=2, ids=torch.arange(21)))
            assert torch.get_num_threads() == count
        for views in made[1:]:
            assert all(torch.equal(view, first) for view, first in zip(views, made[0], strict=True))

    def test_a_fault_in_a_thread_is_raised(self, threads: Callable[[int], None]) -> None:
        def broken(first: int, last: int) -> None:
            raise ValueError(f"{first} to {last}")

        from workbench.augment.plan import _share

        threads(2)
        with pytest.raises(ValueError, match="0 to 1"):
            _share(broken, [(0, 1), (1, 2)])


class TestLoading:
    def test_without_numba_torch_does_it_and_the_log_says_so(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        compiled.load.cache_clear()
        monkeypatch.setitem(sys.modules, "workbench.augment.kernels", None)
        monkeypatch.delattr("workbench.augment.kernels", raising=False)
        try:
            with caplog.at_level(logging.WARNING):
                images, matrices = smooth(3, 3, 16, 16), moves(3, 0, slanted=False)
                made = [resample(images, matrices, (16, 16)) for _ in range(3)]
            assert len([record for record in caplog.records if "slower" in record.message]) == 1
        finally:
            compiled.load.cache_clear()
        monkeypatch.undo()
        assert torch.allclose(made[0], resample(images, matrices, (16, 16)), atol=1e-5)

    def test_where_nothing_can_be_kept(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        from numba.core.caching import CacheImpl

        from workbench.augment.kernels.compiling import kernel

        monkeypatch.setattr(CacheImpl, "_locator_classes", [])
        with caplog.at_level(logging.INFO):

            @kernel("float32[::1]")
            def double(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
                for x in range(len(values)):
                    values[x] *= np.float32(2)

        values = np.ones(3, dtype=np.float32)
        double(values)
        assert values.tolist() == [2, 2, 2]
        assert "anew in every process" in caplog.text

    def test_numba_is_imported_when_it_is_needed(self) -> None:
        program = "import sys, workbench.augment.plan; print('numba' in sys.modules)"
        answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == "False"
