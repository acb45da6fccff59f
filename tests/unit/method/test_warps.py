"""Changes of geometry against torch's and torchvision's own, and of color against what they are called."""

import msgspec
import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms.v2 import functional as tv

from tests.contract.trial import REGISTRY, build, make_batch, progress, slim
from workbench.method.masking import Draw
from workbench.method.warps import CORNERS, LEVELS, affine, homography, projective, quarters, recolored, warp

IMAGES = torch.randn(5, 3, 24, 24, generator=torch.Generator().manual_seed(0))
DRAW = Draw(torch.arange(5), 3)


def test_an_affine_change_is_torchs_own() -> None:
    change = affine(DRAW, turn=180, move=0.2, scale=1.3, shear=30)
    grid = F.affine_grid(change[:, :2], [5, 3, 24, 24], align_corners=False)
    expected = F.grid_sample(IMAGES, grid, padding_mode="reflection", align_corners=False)
    torch.testing.assert_close(warp(IMAGES, change), expected, atol=1e-4, rtol=1e-4)
    scales = torch.linalg.det(change[:, :2, :2]).abs().sqrt()
    assert (scales <= 1.3 + 1e-4).all()
    assert (scales >= 1 / 1.3 - 1e-4).all()
    torch.testing.assert_close(affine(DRAW, turn=0, move=0, scale=1, shear=0), torch.eye(3).expand(5, 3, 3))


def test_a_homography_takes_corners_to_where_they_come_from() -> None:
    corners = projective(DRAW, move=0.125)
    found = homography(corners)
    whole = torch.cat((CORNERS, torch.ones(4, 1)), dim=1)
    taken = torch.einsum("bij,nj->bni", found, whole)
    torch.testing.assert_close(taken[..., :2] / taken[..., 2:], corners, atol=1e-4, rtol=1e-4)
    turned = homography(CORNERS.roll(1, dims=0)[None].expand(5, 4, 2))
    torch.testing.assert_close(warp(IMAGES, turned), torch.rot90(IMAGES, -1, (2, 3)), atol=1e-4, rtol=1e-4)


def test_a_projective_change_is_torchvisions_own() -> None:
    size = 24
    corners = CORNERS + 0.1 * torch.randn(4, 2, generator=torch.Generator().manual_seed(1))

    def pixels(points: torch.Tensor) -> list[list[float]]:
        return ((points + 1) * size / 2).tolist()

    image = IMAGES[:1]
    expected = tv.perspective(image, startpoints=None, endpoints=None,
        coefficients=_coefficients(pixels(CORNERS), pixels(corners)))  # fmt: skip
    mine = warp(image, homography(corners[None]))
    inner = slice(4, -4)
    torch.testing.assert_close(mine[..., inner, inner], expected[..., inner, inner], atol=1e-3, rtol=1e-3)


def _coefficients(to: list[list[float]], start: list[list[float]]) -> list[float]:
    rows, wanted = [], []
    for (x, y), (u, v) in zip(to, start, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    found: list[float] = torch.linalg.solve(torch.tensor(rows).double(), torch.tensor(wanted).double()).tolist()
    return found


def test_colors_change_by_their_names() -> None:
    levels = torch.tensor([LEVELS[-1]] * 4)
    images = IMAGES[:1].expand(4, 3, 24, 24)
    bright, contrast, saturation, balance = recolored(images, torch.arange(4), levels, 1.0)
    image = images[0]
    torch.testing.assert_close(bright - image, torch.ones_like(image))
    assert contrast.std() > 2 * image.std()
    torch.testing.assert_close(contrast.mean(), image.mean(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(saturation.mean(0), image.mean(0), atol=1e-4, rtol=1e-4)
    assert saturation.std(0).mean() > 2 * image.std(0).mean()
    torch.testing.assert_close((balance - image).mean((1, 2)), torch.tensor([1.0, 0.0, -1.0]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["affine", "projective", "colors"])
def test_each_kind_can_be_learned_shown_and_examined(kind: str) -> None:
    info = REGISTRY.method("transformation")
    method = build(info, msgspec.structs.replace(slim(info), kind=kind))
    loss = method(make_batch(info), progress(0))
    loss.value.backward()
    assert all(one.grad is not None for one in method.parameters())
    method.eval()
    with torch.no_grad():
        panels = method.exhibit(make_batch(info), progress(0))
        (answers,) = method.exam(make_batch(info), progress(0))
    assert answers.task == ("color change" if kind == "colors" else "quarter turn")
    assert answers.chance == pytest.approx(1 / 16 if kind == "colors" else 1 / 4, abs=0.03)
    assert [panel.title for panel in panels] == ["Image", "Changed", "Changed as it thinks"]


def test_quarter_turns_are_told_from_the_corners() -> None:
    turns = torch.tensor([0.0, 80.0, 100.0, 181.0, -91.0])
    angles = torch.deg2rad(turns)
    matrix = torch.zeros(5, 3, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = angles.cos(), -angles.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = angles.sin(), angles.cos()
    matrix[:, 2, 2] = 1
    assert quarters(matrix).tolist() == [0, 1, 1, 2, 3]


@pytest.mark.parametrize("kind", ["affine", "projective"])
def test_a_guess_of_the_mean_has_a_loss_of_one(kind: str) -> None:
    info = REGISTRY.method("transformation")
    method = build(info, msgspec.structs.replace(slim(info), kind=kind), batch=64)
    torch.nn.init.zeros_(method.get_submodule("head").weight)  # type: ignore[arg-type]
    torch.nn.init.zeros_(method.get_submodule("head").bias)  # type: ignore[arg-type]
    losses = [method(make_batch(info, step, batch=64), progress(0)).value.item() for step in range(2)]
    assert sum(losses) / 2 == pytest.approx(1, abs=0.12)
