"""Every op against torchvision's functional form at the same parameters.

Tolerances are in gray levels of 255. Geometry is resampled by the same bilinear rule everywhere but at the
rim of a crop, where torchvision stops at the crop's edge and we look half a pixel beyond it.
"""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision.transforms.v2 as tv
import torchvision.transforms.v2.functional as tvf
from torch import Tensor
from torchvision.transforms import InterpolationMode

from workbench.augment.draws import Draws, sample_keys
from workbench.augment.geometry import affine, resample
from workbench.augment.op import GeometricOp, Op
from workbench.catalog.registry import load_registry

OPS = load_registry().ops
N = 12
BILINEAR = InterpolationMode.BILINEAR


def images(size: int = 32, *, channels: int = 3, n: int = N, smooth: bool = False) -> Tensor:
    """Noise, the hardest case; or smooth pictures, the usual one."""
    generator = torch.Generator().manual_seed(7)
    if not smooth:
        return torch.rand(n, channels, size, size, generator=generator)
    coarse = torch.rand(n, channels, 8, 8, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=size, mode="bicubic").clamp(0, 1)


def built(name: str, **params: Any) -> Op[Any]:
    info = OPS[name]
    with_p = {"p": 1.0} if "p" in info.params.__struct_fields__ else {}
    return info.build(info.params(**{**with_p, **params}))


def drawn_for(op: Op[Any], batch: Tensor) -> dict[str, Tensor]:
    channels, height, width = batch.shape[1:]
    return dict(op.draw(Draws(sample_keys(0, 0, torch.arange(len(batch)), 0)), (channels, height, width)))


def levels(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference, in gray levels of 255."""
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max()) * 255


def compare(op: Op[Any], batch: Tensor, theirs: Callable[[Tensor, dict[str, Any]], Any]) -> float:
    """The largest difference over a batch, when torchvision gets each image with what we drew for it."""
    drawn = drawn_for(op, batch)
    expected = []
    for item, image in enumerate(batch):
        expected.append(theirs(image, {name: value[item].tolist() for name, value in drawn.items()}))
    return levels(op.apply(batch.clone(), drawn), torch.stack(expected))


class TestColor:
    @pytest.mark.parametrize("part", ["brightness", "contrast", "saturation", "hue"])
    @pytest.mark.parametrize("size", [32, 80])
    def test_each_adjustment(self, part: str, size: int) -> None:
        strengths = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0, part: 0.5}
        adjust = getattr(tvf, f"adjust_{part}")
        op = built("color_jitter", **strengths)
        assert compare(op, images(size), lambda image, drawn: adjust(image, drawn[part])) < 0.01

    @pytest.mark.parametrize("size", [32, 80])
    def test_all_in_the_drawn_order(self, size: int) -> None:
        def theirs(image: Tensor, drawn: dict[str, Any]) -> Any:
            names = ("brightness", "contrast", "saturation", "hue")
            for part in drawn["order"]:
                image = getattr(tvf, f"adjust_{names[part]}")(image, drawn[names[part]])
            return image

        op = built("color_jitter", brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2)
        assert compare(op, images(size, n=48), theirs) < 0.05

    def test_gray_images(self) -> None:
        def theirs(image: Tensor, drawn: dict[str, Any]) -> Any:
            for part in drawn["order"]:
                if part == 0:
                    image = tvf.adjust_brightness(image, drawn["brightness"])
                elif part == 1:
                    image = tvf.adjust_contrast(image, drawn["contrast"])
            return image

        assert compare(built("color_jitter"), images(channels=1), theirs) < 0.01

    def test_hue_of_corner_cases(self) -> None:
        """Gray, black, white, pure colors, ties between channels, for every eighth of a turn."""
        values = torch.tensor([0.0, 0.5, 1.0])
        batch = torch.cartesian_prod(values, values, values).T[None, :, None, :].expand(9, 3, 1, 27).clone()
        op = built("color_jitter", brightness=0.0, contrast=0.0, saturation=0.0, hue=0.5)
        drawn = {**drawn_for(op, batch), "hue": torch.linspace(-0.5, 0.5, 9)}
        expected = [tvf.adjust_hue(image, float(hue)) for image, hue in zip(batch, drawn["hue"], strict=True)]
        assert levels(op.apply(batch.clone(), drawn), torch.stack(expected)) < 0.01

    def test_grayscale(self) -> None:
        theirs = lambda image, drawn: tvf.rgb_to_grayscale(image, num_output_channels=3)  # noqa: E731
        assert compare(built("grayscale"), images(), theirs) < 0.01

    @pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
    def test_solarize(self, threshold: float) -> None:
        op = built("solarize", threshold=threshold)
        assert compare(op, images(), lambda image, drawn: tvf.solarize(image, threshold)) == 0

    def test_gamma(self) -> None:
        op = built("gamma", gamma=(0.3, 3.0))
        assert compare(op, images(), lambda image, drawn: tvf.adjust_gamma(image, drawn["gamma"])) < 0.01

    def test_window(self) -> None:
        def theirs(image: Tensor, drawn: dict[str, Any]) -> Any:
            low = drawn["center"] - drawn["width"] / 2
            return tvf.normalize(image, [low] * 3, [drawn["width"]] * 3).clamp(0, 1)

        assert compare(built("window_level", center=(0.3, 0.7), width=(0.4, 1.2)), images(), theirs) < 0.01


class TestBlurAndNoise:
    @pytest.mark.parametrize(("size", "kernel"), [(32, 3), (96, 9), (224, 23)])
    def test_gaussian_blur(self, size: int, kernel: int) -> None:
        op = built("gaussian_blur")
        theirs = lambda image, drawn: tvf.gaussian_blur(image, kernel, drawn["sigma"])  # noqa: E731
        assert compare(op, images(size, n=6), theirs) < 0.5

    def test_gaussian_noise(self) -> None:
        """Mean and deviation of torchvision's, whose numbers are its own."""
        gray = torch.full((4, 3, 64, 64), 0.5)
        op = built("gaussian_noise", sigma=(0.1, 0.1))
        ours = op.apply(gray.clone(), drawn_for(op, gray))
        theirs = tvf.gaussian_noise(gray, sigma=0.1)
        assert abs(float(ours.mean() - theirs.mean())) < 0.003
        assert abs(float(ours.std() / theirs.std()) - 1) < 0.02
        quantiles = torch.tensor([0.01, 0.25, 0.75, 0.99])
        assert torch.allclose(ours.flatten().quantile(quantiles), theirs.flatten().quantile(quantiles), atol=0.01)
        neighbors = torch.corrcoef(torch.stack([ours[..., 1:].flatten(), ours[..., :-1].flatten()]))
        assert abs(float(neighbors[0, 1])) < 0.02
        assert abs(float(torch.corrcoef(torch.stack([ours[0].flatten(), ours[1].flatten()]))[0, 1])) < 0.03


class TestErasing:
    @pytest.mark.parametrize(("fill", "value"), [("black", 0.0), ("gray", 0.5)])
    def test_erase(self, fill: str, value: float) -> None:
        def theirs(image: Tensor, drawn: dict[str, Any]) -> Any:
            left, top, right, bottom = drawn["box"]
            return tvf.erase(image, top, left, bottom - top, right - left, torch.full((3, 1, 1), value))

        assert compare(built("erasing", fill=fill), images(), theirs) == 0

    def test_mean_and_noise_fill_only_the_box(self) -> None:
        for fill in ("mean", "noise"):
            op, batch = built("erasing", fill=fill), images()
            drawn = drawn_for(op, batch)
            made = op.apply(batch.clone(), drawn)
            left, top, right, bottom = drawn["box"][0].tolist()
            changed = (made[0] != batch[0]).any(dim=0)
            assert bool(changed[top:bottom, left:right].all())
            assert int(changed.sum()) == (right - left) * (bottom - top)
            if fill == "mean":
                assert torch.allclose(made[0, :, top, left], batch[0].mean(dim=(1, 2)), atol=1e-5)

    def test_areas_are_those_of_torchvision(self) -> None:
        batch = torch.zeros(1, 1, 64, 64).expand(2000, 1, 64, 64)
        left, top, right, bottom = drawn_for(built("erasing"), batch)["box"].float().unbind(1)
        ours = (right - left) * (bottom - top) / 64**2
        torch.manual_seed(0)
        eraser = tv.RandomErasing(p=1.0)
        theirs = torch.tensor([_erased_area(eraser) for _ in range(500)])
        assert abs(float(ours.mean() - theirs.mean())) < 0.015
        assert abs(float(ours.std() - theirs.std())) < 0.015


def test_erasing_never_takes_more_than_its_largest_area() -> None:
    batch = images()
    eraser = built("erasing", area=[0.7, 0.7], ratio=[0.1, 10.0])  # Most boxes of this area do not fit.
    left, top, right, bottom = drawn_for(eraser, batch)["box"].double().unbind(1)
    share = (right - left) * (bottom - top) / (batch.shape[2] * batch.shape[3])
    assert float(share.max()) < 0.75


def _erased_area(eraser: tv.RandomErasing) -> float:
    params = eraser.make_params([torch.zeros(1, 64, 64)])
    return float(params["h"] * params["w"]) / 64**2


class TestGeometry:
    def test_flips_and_quarter_turns_are_exact(self) -> None:
        batch = images(30)
        assert compare(built("horizontal_flip"), batch, lambda image, drawn: tvf.horizontal_flip(image)) == 0
        assert compare(built("vertical_flip"), batch, lambda image, drawn: tvf.vertical_flip(image)) == 0
        op = built("quarter_turn")
        assert len(set(drawn_for(op, batch)["turns"].tolist())) == 4
        assert compare(op, batch, lambda image, drawn: tvf.rotate(image, 90 * drawn["turns"])) == 0
        assert compare(built("rotation", degrees=0.0), batch, lambda image, drawn: image) == 0

    def test_rotation(self) -> None:
        theirs = lambda image, drawn: tvf.rotate(image, drawn["degrees"], interpolation=BILINEAR)  # noqa: E731
        assert compare(built("rotation", degrees=180.0), images(33), theirs) < 0.2

    def test_affine(self) -> None:
        def theirs(image: Tensor, drawn: dict[str, Any]) -> Any:
            # The float kernel behind `affine`: torchvision rounds nothing there.
            shift = [drawn["right"] * 40, drawn["down"] * 40]
            shear = [drawn["shear"], 0.0]
            return tvf.affine_image(image, drawn["degrees"], shift, drawn["scale"], shear, interpolation=BILINEAR)

        op = built("affine", degrees=90.0, translate=0.3, scale=(1.3, 2.0), shear=20.0)
        assert compare(op, images(40), theirs) < 0.2

    def test_perspective(self) -> None:
        size = 40

        def theirs(image: Tensor, drawn: dict[str, Any]) -> Any:
            start = [[0, 0], [size, 0], [size, size], [0, size]]
            inward = [drawn["inward"][2 * corner : 2 * corner + 2] for corner in range(4)]
            end = [
                [x + (d[0] if x == 0 else -d[0]) * size, y + (d[1] if y == 0 else -d[1]) * size]
                for (x, y), d in zip(start, inward, strict=True)
            ]
            return tvf.perspective_image(image, start, end, interpolation=BILINEAR)

        assert compare(built("perspective", distortion=0.2), images(size, smooth=True), theirs) < 1.0

    @pytest.mark.parametrize(("stored", "view"), [(32, 32), (48, 32), (32, 64)])
    def test_crop_at_whole_pixels(self, stored: int, view: int) -> None:
        """Away from the rim, an enlarged crop is torchvision's `resized_crop` to the last digit."""
        batch = images(stored)
        left, top, side = stored // 4, stored // 8, stored // 2
        ours = resample(batch, _crop(left, top, side, stored, N), (view, view))
        theirs = tvf.resized_crop(batch, top, left, side, side, [view, view], antialias=True)
        rim = math.ceil(view / side / 2)
        assert levels(ours[..., rim:-rim, rim:-rim], theirs[..., rim:-rim, rim:-rim]) < 0.1
        smooth = images(stored, smooth=True)
        ours = resample(smooth, _crop(left, top, side, stored, N), (view, view))
        theirs = tvf.resized_crop(smooth, top, left, side, side, [view, view], antialias=True)
        assert (ours - theirs).abs().mean() * 255 < 2

    @pytest.mark.parametrize(("stored", "view"), [(64, 32), (96, 32), (60, 32), (32, 48)])
    def test_without_geometry_it_is_a_resize(self, stored: int, view: int) -> None:
        ours = resample(images(stored), torch.eye(3, dtype=torch.float64).repeat(N, 1, 1), (view, view))
        assert levels(ours, tvf.resize(images(stored), [view, view], antialias=True)) < 0.01

    @pytest.mark.parametrize(("side", "bound"), [(64, 0.2), (96, 0.2), (80, 12.0), (56, 12.0), (40, 15.0)])
    def test_shrunk_crops_do_not_alias(self, side: int, bound: float) -> None:
        """At whole scales equal to torchvision's antialiased crop. Between them near it even on noise (where plain
        bilinear sampling is far off), and within a level on smooth pictures."""
        batch, place = images(128), (128 - side) // 2
        matrices = _crop(place, place, side, 128, N)
        ours = resample(batch, matrices, (32, 32))
        theirs = tvf.resized_crop(batch, place, place, side, side, [32, 32], antialias=True)
        plain = tvf.resized_crop(batch, place, place, side, side, [32, 32], antialias=False)
        typical = float((ours - theirs).square().mean().sqrt()) * 255
        assert typical < bound
        if side >= 56:
            assert typical < 0.4 * float((plain - theirs).square().mean().sqrt()) * 255
        smooth = images(128, smooth=True)
        ours = resample(smooth, matrices, (32, 32))
        theirs = tvf.resized_crop(smooth, place, place, side, side, [32, 32], antialias=True)
        assert float((ours - theirs).square().mean().sqrt()) * 255 < 1

    def test_mean_brightness_at_the_border_is_kept(self) -> None:
        """A crop along the image's edge has no dark rim: inside the image nothing comes from outside."""
        white = torch.ones(1, 3, 32, 32)
        assert resample(white, _crop(0, 0, 16, 32, 1), (40, 40)).min() > 0.9999

    def test_crop_boxes_are_those_of_torchvision(self) -> None:
        batch = torch.zeros(1, 3, 224, 224).expand(4000, 3, 224, 224)
        box = drawn_for(built("random_resized_crop"), batch)["box"]
        assert box.min() >= 0
        assert float((box[:, :2] + box[:, 2:]).max()) <= 1 + 1e-9
        torch.manual_seed(0)
        cropper = tv.RandomResizedCrop(224)
        drawn = [cropper.make_params([batch[0]]) for _ in range(2000)]
        theirs = torch.tensor([[d["left"], d["top"], d["width"], d["height"]] for d in drawn]) / 224
        assert torch.allclose(box.float().mean(dim=0), theirs.mean(dim=0), atol=0.015)
        assert torch.allclose(box.float().std(dim=0), theirs.std(dim=0), atol=0.015)

    def test_center_crop(self) -> None:
        """Half of the side is 16 whole pixels, whose enlargement differs at the rim only."""
        theirs = tvf.resize(tvf.center_crop(images(), [16, 16]), [32, 32], antialias=True)
        op = built("center_crop", side=0.5)
        ours = op.apply(images(), drawn_for(op, images()))
        assert levels(ours[..., 1:-1, 1:-1], theirs[..., 1:-1, 1:-1]) < 0.1

    def test_a_run_is_one_resampling_of_all(self) -> None:
        """Flip after rotation equals torchvision's two steps, since a flip loses nothing."""
        batch = images(33)
        rotation, flip = built("rotation", degrees=40.0), built("horizontal_flip")
        assert isinstance(rotation, GeometricOp)
        drawn = drawn_for(rotation, batch)
        both = rotation.apply(batch, drawn)
        turned = [
            tvf.rotate(image, degrees, interpolation=BILINEAR)
            for image, degrees in zip(batch, drawn["degrees"].tolist(), strict=True)
        ]
        expected = tvf.horizontal_flip(torch.stack(turned))
        assert levels(flip.apply(both, drawn_for(flip, both)), expected) < 0.2


def _crop(left: float, top: float, side: float, stored: int, n: int) -> Tensor:
    share = torch.full((n,), side / stored, dtype=torch.float64)
    return affine(((share, 0.0, (2 * left + side) / stored - 1), (0.0, share, (2 * top + side) / stored - 1)))
