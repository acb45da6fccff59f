"""What DINO does between its losses, and the ablations of BYOL and SimSiam."""

import math
from typing import Any

import msgspec
import pytest
import torch
from torch import nn

from tests.contract.trial import REGISTRY, build, make_batch, slim
from workbench.catalog.build import build_encoder
from workbench.inspect.symptoms import Fingerprint
from workbench.method.contract import Batch, Method, Progress, Setting
from workbench.method.heads import has_batch_norm
from workbench.spec.experiment import BackboneSpec
from workbench.training.optimizer import parameter_groups

CHANCE = math.log(10)
"""DINO's, as 100 images have ten prototypes."""
SETTING = Setting(train_images=100, classes=0, batch_size=64, image_size=32, channels=3)


def at(step: int) -> Progress:
    """Two epochs of ten steps."""
    return Progress(step=step, total_steps=20, epoch=step // 10, total_epochs=2)


def built(name: str, **changes: object) -> Method:
    info = REGISTRY.method(name)
    return build(info, msgspec.structs.replace(slim(info), **changes))


def test_dinos_prototypes_stay_for_the_first_epoch_and_the_rest_does_not() -> None:
    info, method = REGISTRY.method("dino"), built("dino", freeze=1.0)
    for step, held in ((0, True), (9, True), (10, False), (15, False)):
        method.zero_grad()
        method(make_batch(info), at(step)).value.backward()
        method.before_step(at(step))
        still = {name for name, one in method.named_parameters() if one.requires_grad and one.grad is None}
        assert still == ({"head.prototypes"} if held else set())


def test_dinos_center_is_the_moving_mean_of_the_teachers_logits() -> None:
    info, method = REGISTRY.method("dino"), built("dino", center_momentum=0.7)
    teacher, center = method.get_submodule("teacher"), method.get_buffer("center.value")
    expected = torch.zeros_like(center)
    for step in range(3):
        batches = [make_batch(info, 10 * step + part) for part in range(2)]
        means = []
        for batch in batches:
            method(batch, at(step))
            means.append(teacher(torch.cat(batch.views)).mean(dim=0))
        assert torch.equal(center, expected)
        method.after_step(at(step))
        expected = 0.7 * expected + 0.3 * torch.stack(means).mean(dim=0)
        torch.testing.assert_close(center, expected)
        expected = center.clone()


@pytest.mark.parametrize("name", ["dino", "ibot", "esvit"])
def test_the_teacher_stays_as_sure_as_it_begins_unless_asked(name: str) -> None:
    """0.04 all along, the authors' default; short runs drift at 0.07."""
    info = REGISTRY.method(name)
    params = info.params()
    assert params.first_temperature == params.teacher_temperature == 0.04
    method: Any = build(info, msgspec.structs.replace(slim(info), teacher_temperature=0.04))
    assert [method.temperature(at(step)) for step in (0, 5, 19)] == [0.04] * 3


def test_dinos_teacher_becomes_less_sure_during_the_warm_up() -> None:
    info = REGISTRY.method("dino")
    method = built("dino", first_temperature=0.04, teacher_temperature=0.08, temperature_warmup=0.5)
    with torch.no_grad():
        entropies = [float(method(make_batch(info), at(step)).parts["teacher_entropy"]) for step in (0, 5, 10, 19)]
    assert entropies[0] < entropies[1] < entropies[2] == entropies[3]


@pytest.mark.parametrize(("backbone", "normed"), [("tinyconv", True), ("vit_tiny", False)])
def test_dinos_head_has_batch_norm_where_the_encoder_has_it(backbone: str, normed: bool) -> None:
    info = REGISTRY.method("dino")
    encoder = build_encoder(BackboneSpec(name=backbone), channels=3, image_size=32, registry=REGISTRY)
    normed_by = {}
    for choice in ("auto", "on", "off"):
        params = msgspec.structs.replace(slim(info), batch_norm=choice)
        normed_by[choice] = has_batch_norm(info.build(encoder, params, SETTING).get_submodule("head"))
    assert normed_by == {"auto": normed, "on": True, "off": False}


def test_dino_takes_views_of_several_sizes_through_a_transformer() -> None:
    info = REGISTRY.method("dino")
    encoder = build_encoder(BackboneSpec(name="vit_tiny"), channels=3, image_size=32, registry=REGISTRY)
    method = info.build(encoder, slim(info), SETTING)
    batch = make_batch(info, batch=2)
    assert {view.shape[-1] for view in (*batch.views, *batch.local_views)} == {16, 32}
    loss = method(batch, at(0))
    loss.value.backward()
    assert all(one.grad is not None for one in method.parameters() if one.requires_grad)


def test_dino_shows_which_image_a_crop_is_taken_for_and_where_a_transformer_looks() -> None:
    info = REGISTRY.method("dino")
    encoder = build_encoder(BackboneSpec(name="vit_nano"), channels=3, image_size=32, registry=REGISTRY)
    method = info.build(encoder, slim(info), SETTING).eval()
    batch = make_batch(info, batch=5)
    alike = Batch(views=batch.views, local_views=batch.views[:1], indices=batch.indices)
    with torch.no_grad():
        crop, whole, taken, looks = method.exhibit(alike, at(0))
    assert torch.equal(crop.images, whole.images)
    found = [int((whole.images == one).flatten(1).all(dim=1).nonzero()) for one in taken.images]
    assert taken.right == tuple(one == own for own, one in enumerate(found))
    assert looks.images.shape == (5, 1, 32, 32)
    assert torch.equal(looks.images.amax((1, 2, 3)), torch.ones(5))
    assert torch.equal(looks.images[:, 0, ::4, ::4].repeat_interleave(4, 1).repeat_interleave(4, 2), looks.images[:, 0])


@pytest.mark.parametrize(
    ("part", "value", "sick"),
    [("teacher_entropy", CHANCE, True), ("teacher_entropy", 0.9 * CHANCE, False), ("information", 0.01, True)],
)
def test_dinos_collapses_are_told(part: str, value: float, sick: bool) -> None:
    info = REGISTRY.method("dino")
    sign = Fingerprint(info=info, params=info.params(), setting=SETTING).read({"loss": 5.0, f"loss/{part}": value})
    assert (sign is not None and sign.bad) == sick


def test_without_a_predictor_byol_compares_the_projections_themselves() -> None:
    method = built("byol", predictor=False)
    assert isinstance(method.get_submodule("predictor"), nn.Identity)
    assert any(isinstance(part, nn.BatchNorm1d) for part in method.get_submodule("projector").children())
    plain = built("byol", batch_norm=False)
    heads = [plain.get_submodule(name) for name in ("projector", "predictor")]
    assert not any(isinstance(part, nn.BatchNorm1d) for head in heads for part in head.children())


def test_simsiams_predictor_keeps_its_rate() -> None:
    method = built("simsiam")
    groups = parameter_groups(method.parameters(), 0.1, steady=method.steady_parameters())
    steady = {id(one) for group in groups if group["steady"] for one in group["params"]}
    assert steady == {id(one) for one in method.get_submodule("predictor").parameters()}


@pytest.mark.parametrize(
    ("name", "spread", "sick"), [("byol", 0.15, True), ("byol", 0.5, False), ("simsiam", 0.6, True)]
)
def test_a_low_spread_is_told(name: str, spread: float, sick: bool) -> None:
    info = REGISTRY.method(name)
    sign = Fingerprint(info=info, params=info.params(), setting=SETTING).read({"loss": -0.9, "loss/spread": spread})
    assert (sign is not None and sign.bad) == sick
