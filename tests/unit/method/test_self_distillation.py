"""What iBOT and EsViT do around their losses: what is hidden, what moves, what is matched and shown."""

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from tests.contract.trial import REGISTRY, SIZE, build, make_batch, progress, setting, slim
from workbench.catalog.build import build_encoder
from workbench.inspect.symptoms import Fingerprint
from workbench.method.blockwise import blockwise_mask
from workbench.method.centering import Center, rising
from workbench.method.coloring import mosaic, number_colors, place_colors, tinted
from workbench.method.contract import Method
from workbench.method.masking import Draw
from workbench.spec.experiment import BackboneSpec


@pytest.mark.parametrize("grid", [(8, 8), (14, 14), (3, 5), (4, 4)])
def test_blocks_hide_as_many_patches_as_asked(grid: tuple[int, int]) -> None:
    patches = grid[0] * grid[1]
    counts = torch.arange(400) % (patches // 2 + 1)
    mask = blockwise_mask(Draw(torch.arange(400), epoch=1), grid, counts)
    assert mask.shape == (400, patches)
    short = counts - mask.sum(dim=1)
    assert (short >= 0).all()
    assert (short > 0).float().mean() < 0.05
    assert (mask.any(dim=1) == (counts > 0)).all()
    assert mask.any(dim=0).all(), "every place is hidden now and then"


def test_blocks_hang_together_and_depend_on_image_and_epoch_alone() -> None:
    counts = torch.full((300,), 19)
    mask = blockwise_mask(Draw(torch.arange(300), epoch=0), (8, 8), counts)
    cells = mask.view(-1, 8, 8)
    beside = (cells[:, 1:] & cells[:, :-1]).sum() + (cells[:, :, 1:] & cells[:, :, :-1]).sum()
    scattered = 300 * 2 * 56 * (19 * 18) / (64 * 63)
    assert beside > 2 * scattered
    order = torch.randperm(300, generator=torch.Generator().manual_seed(0))
    assert torch.equal(blockwise_mask(Draw(order, epoch=0), (8, 8), counts), mask[order])
    assert not torch.equal(blockwise_mask(Draw(torch.arange(300), epoch=1), (8, 8), counts), mask)


def test_a_center_weighs_rows_and_stays_without_any() -> None:
    center = Center(2, momentum=0.5)
    center.note(torch.empty(0, 2))
    center.move()
    assert torch.equal(center.value, torch.zeros(2))
    center.note(torch.tensor([[1.0, 0.0]]))
    center.note(torch.tensor([[[4.0, 0.0]], [[4.0, 6.0]]]))
    center.move()
    torch.testing.assert_close(center.value, torch.tensor([1.5, 1.0]))
    center.move()
    torch.testing.assert_close(center.value, torch.tensor([1.5, 1.0]))


def test_temperatures_rise_and_stay() -> None:
    assert [rising(0.2, 0.4, 0.5, at) for at in (0, 0.25, 0.5, 0.9)] == pytest.approx([0.2, 0.3, 0.4, 0.4])
    assert rising(0.2, 0.4, 0.0, 0.0) == 0.4


def built(name: str, **changes: object) -> Method:
    info = REGISTRY.method(name)
    return build(info, msgspec.structs.replace(slim(info), **changes))


@pytest.mark.parametrize("name", ["ibot", "esvit"])
def test_all_prototypes_stay_for_the_first_epoch(name: str) -> None:
    method = built(name, freeze=1.0)
    method(make_batch(REGISTRY.method(name)), progress(0)).value.backward()
    method.before_step(progress(0))
    still = {key for key, one in method.named_parameters() if one.requires_grad and one.grad is None}
    assert still == {key for key, _ in method.named_parameters() if key.endswith("head.prototypes") and key[0] != "t"}
    assert still


@pytest.mark.parametrize(("name", "second"), [("ibot", "patch_center"), ("esvit", "region_center")])
def test_each_level_has_a_center_of_its_own(name: str, second: str) -> None:
    method = built(name)
    method(make_batch(REGISTRY.method(name)), progress(0))
    centers = [method.get_buffer(f"{part}.value") for part in ("center", second)]
    assert all(torch.equal(center, torch.zeros_like(center)) for center in centers)
    method.after_step(progress(0))
    assert all(center.abs().sum() > 0 for center in centers)
    assert not torch.allclose(centers[0], centers[1])


def test_ibot_hides_from_the_student_and_not_from_the_teacher() -> None:
    info = REGISTRY.method("ibot")
    seen: dict[str, list[bool]] = {"student": [], "teacher": []}
    method = built("ibot", masked_share=1.0, hidden_least=0.5, hidden_most=0.5)

    def watch(encoder: Any, who: str) -> None:
        embedded: Callable[..., Tensor] = encoder.embedded

        def told(images: Tensor, mask: Tensor | None = None, mask_token: Tensor | None = None) -> Tensor:
            seen[who].append(mask is not None and mask.float().mean().item() > 0.4)
            return embedded(images, mask, mask_token)

        encoder.embedded = told

    watch(method.encoder, "student")
    watch(method.get_submodule("teacher.net.0"), "teacher")
    loss = method(make_batch(info), progress(0))
    assert seen["teacher"] == [False, False]
    assert seen["student"][:2] == [True, True]
    assert loss.parts["patches"] > 0
    assert built("ibot", masked_share=0.0)(make_batch(info), progress(0)).parts["patches"] == 0


@pytest.mark.parametrize("backbone", ["swin_nano", "vit_nano"])
def test_esvit_matches_regions_of_views_of_several_sizes(backbone: str) -> None:
    info = REGISTRY.method("esvit")
    encoder = build_encoder(BackboneSpec(name=backbone), channels=3, image_size=SIZE, registry=REGISTRY)
    method = info.build(encoder, slim(info), setting())
    loss = method(make_batch(info), progress(0))
    loss.value.backward()
    assert all(one.grad is not None for one in method.parameters() if one.requires_grad)
    torch.testing.assert_close(loss.value.detach(), (loss.parts["views"] + loss.parts["regions"]) / 2)
    panels = method.eval().exhibit(make_batch(info, batch=3), progress(0))
    assert all(panel.images.shape == (3, 3, SIZE, SIZE) for panel in panels)


@pytest.mark.parametrize(("name", "part"), [("ibot", "patch"), ("esvit", "region")])
def test_a_collapse_of_the_second_level_is_told(name: str, part: str) -> None:
    info = REGISTRY.method(name)
    healthy = {"teacher_entropy": 5.0, "information": 1.0, f"{part}_entropy": 5.0, f"{part}_information": 1.0}
    many = dataclasses.replace(setting(), train_images=50_000)
    fingerprint = Fingerprint(info=info, params=info.params(), setting=many)
    for change, sick in (({}, False), ({f"{part}_entropy": 8.317}, True), ({f"{part}_information": 0.01}, True)):
        values = {f"loss/{key}": value for key, value in {**healthy, **change}.items()}
        sign = fingerprint.read({"loss": 5.0, **values})
        assert (sign is not None and sign.bad) == sick


def test_numbers_and_places_have_colors_of_their_own() -> None:
    colors = number_colors(torch.arange(200))
    assert len(torch.unique((colors * 255).long(), dim=0)) > 190
    assert colors.min() >= 0
    assert colors.max() <= 1
    places = place_colors(4, 4).view(4, 4, 3)
    near, far = (places[:, 1:] - places[:, :-1]).norm(dim=2).max(), (places[0, 0] - places[3, 3]).norm()
    assert near < far
    gray = tinted(torch.randn(2, 1, 9, 9), number_colors(torch.arange(18)).view(2, 3, 3, 3))
    assert gray.shape == (2, 3, 9, 9)


def test_a_mosaic_takes_parts_from_where_it_is_told() -> None:
    images = torch.arange(2 * 16).float().reshape(2, 1, 4, 4)
    same = torch.arange(4).expand(2, 4)
    assert torch.equal(mosaic(images, (2, 2), same, (2, 2)), images)
    swapped = mosaic(images, (2, 2), same.flip(1), (2, 2))
    assert torch.equal(swapped[:, :, :2, :2], images[:, :, 2:, 2:])
    assert mosaic(images, (2, 2), torch.tensor([[3], [3]]), (1, 1)).equal(images[:, :, 2:, 2:])
    assert mosaic(torch.randn(2, 3, 7, 7), (3, 3), torch.zeros(2, 9, dtype=torch.long), (3, 3)).shape == (2, 3, 9, 9)
