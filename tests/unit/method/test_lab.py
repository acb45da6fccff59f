import pytest
import torch
from kornia.color import lab_to_rgb as kornia_lab_to_rgb
from kornia.color import rgb_to_lab as kornia_rgb_to_lab
from torch import Tensor

from workbench.method.lab import gray_picture, lab_to_rgb, rgb_to_lab


def pictures(dtype: torch.dtype = torch.float32) -> Tensor:
    """Random colors, and those where the formulas bend: black, white, and some near both knees."""
    random = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=dtype)
    for place, level in enumerate((0.0, 1.0, 0.002, 0.04, 0.0405, 0.05, 0.09, 0.1)):
        random[0, :, 0, place] = level
    return random


def by_hand(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """One color, from the formulas of IEC 61966-2-1 and CIE 15."""
    r, g, b = (level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in (red, green, blue))
    x = (0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047
    y = 0.212671 * r + 0.715160 * g + 0.072169 * b
    z = (0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883
    fx, fy, fz = (value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116 for value in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def test_lab_is_kornias_and_what_the_formulas_say_color_by_color() -> None:
    colors = pictures(torch.float64)
    lab = rgb_to_lab(colors)
    torch.testing.assert_close(lab, kornia_rgb_to_lab(colors), rtol=0, atol=2e-3)
    for place in range(16):
        wanted = by_hand(*colors[0, :, 0, place].tolist())
        assert lab[0, :, 0, place].tolist() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
    ],
)
def test_the_corners_of_the_cube_are_where_tables_have_them(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    found = rgb_to_lab(torch.tensor(rgb, dtype=torch.float32)[None, :, None, None]).flatten().tolist()
    assert found == pytest.approx(lab, abs=0.02)


def test_there_and_back() -> None:
    colors = pictures()
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(colors)), colors, rtol=0, atol=1e-4)
    lab = rgb_to_lab(colors)
    torch.testing.assert_close(lab_to_rgb(lab), kornia_lab_to_rgb(lab), rtol=0, atol=1e-3)


def test_colors_that_a_screen_cannot_show_are_cut_off() -> None:
    found = lab_to_rgb(torch.tensor([[60.0, -100.0, -100.0], [30.0, 110.0, 110.0]])[..., None, None])
    assert found.min() >= 0
    assert found.max() <= 1


def test_a_gray_picture_has_the_lightness_and_no_color() -> None:
    lightness = torch.linspace(0, 100, 11)[None, None, None]
    lab = rgb_to_lab(gray_picture(lightness))
    torch.testing.assert_close(lab[:, :1], lightness, rtol=0, atol=0.02)
    assert lab[:, 1:].abs().max() < 0.02


def test_half_precision_around_it_does_not_reach_it() -> None:
    colors = pictures()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(rgb_to_lab(colors), rgb_to_lab(colors.clone()))
        inside = rgb_to_lab(colors)
    assert torch.equal(inside, rgb_to_lab(colors))
