"""What every method of the catalog must do; a new one is tested by existing."""

import io
import math
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from workbench.catalog.build import build_encoder
from workbench.catalog.registry import load_registry
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting
from workbench.spec.experiment import BackboneSpec
from workbench.spec.params import ParamInfo, Params, describe

REGISTRY = load_registry()
every_method = pytest.mark.parametrize("info", REGISTRY.methods.values(), ids=lambda info: str(info.name))
PARAMETERS = [
    pytest.param(info, parameter, id=f"{info.name}-{parameter.name}")
    for info in REGISTRY.methods.values()
    for parameter in describe(info.params)
]
BATCH, SIZE, CLASSES, STEPS = 8, 32, 3, 4
SLIM = {"hidden": 48, "dim": 32, "bottleneck": 16, "queue": 2 * BATCH}
"""Widths at which every method does the same in a fraction of the time."""


def slim(info: MethodInfo[Any]) -> Params:
    """The defaults, with small heads."""
    changes = {name: value for name, value in SLIM.items() if name in info.params.__struct_fields__}
    params: Params = msgspec.structs.replace(info.params(), **changes)
    return params


def setting(*, batch: int = BATCH, channels: int = 3) -> Setting:
    return Setting(train_images=100_000, classes=CLASSES, batch_size=batch, image_size=SIZE, channels=channels)


def build(
    info: MethodInfo[Any], params: Params | None = None, *, batch: int = BATCH, channels: int = 3, seed: int = 0
) -> Method:
    torch.manual_seed(seed)
    encoder = build_encoder(BackboneSpec(name="tinyconv"), channels=channels, image_size=SIZE, registry=REGISTRY)
    return info.build(encoder, params or slim(info), setting(batch=batch, channels=channels))


def make_batch(
    info: MethodInfo[Any], step: int = 0, *, batch: int = BATCH, channels: int = 3, views: int | None = None
) -> Batch:
    generator = torch.Generator().manual_seed(step)
    content = torch.randn(batch, channels, SIZE, SIZE, generator=generator)
    noise = [torch.randn(content.shape, generator=generator) for _ in range(views or info.global_views)]
    return as_batch(info, [content + 0.3 * one for one in noise])


def as_batch(info: MethodInfo[Any], views: list[Tensor]) -> Batch:
    rows = torch.arange(len(views[0]))
    return Batch(views=tuple(views), indices=rows, labels=rows % CLASSES if info.uses_labels else None)


def progress(step: int) -> Progress:
    return Progress(step=step, total_steps=STEPS, epoch=0, total_epochs=1)


def train(info: MethodInfo[Any], method: Method, steps: range) -> list[float]:
    """The losses of a few plain steps."""
    optimizer = torch.optim.SGD([one for one in method.parameters() if one.requires_grad], lr=0.01)
    losses = []
    for step in steps:
        loss = method(make_batch(info, step), progress(step))
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
        method.after_step(progress(step))
        losses.append(loss.value.item())
    return losses


def check_loss(loss: Loss) -> None:
    assert loss.value.shape == ()
    assert loss.value.dtype == torch.float32
    assert torch.isfinite(loss.value)
    for name, part in loss.parts.items():
        assert part.shape == (), name
        assert torch.isfinite(part), name
        assert not part.requires_grad, name


@every_method
def test_the_card_speaks_to_a_person(info: MethodInfo[Any]) -> None:
    card = info.card()
    assert len(card.explanation) > 150
    assert len(card.when) > 60
    assert len(card.collapse) > 60
    assert 20 < len(card.summary) < 160
    assert card.recipe.source
    assert card.paper.startswith("arXiv:") or card.family == "baseline"
    assert REGISTRY.preset(card.preset)


@every_method
def test_the_preset_makes_enough_views(info: MethodInfo[Any]) -> None:
    views = REGISTRY.preset(info.preset).views
    assert sum(view.count for view in views if view.role == "global") >= info.global_views


@every_method
@pytest.mark.parametrize("channels", [1, 3])
def test_the_gradient_reaches_every_weight(info: MethodInfo[Any], channels: int) -> None:
    method = build(info, channels=channels)
    loss = method(make_batch(info, channels=channels), progress(0))
    check_loss(loss)
    assert loss.value.requires_grad
    loss.value.backward()
    trainable = {name: one for name, one in method.named_parameters() if one.requires_grad}
    assert [name for name, one in trainable.items() if one.grad is None] == []
    reached = [one.grad.abs().sum() > 0 for one in method.encoder.parameters() if one.grad is not None]
    assert all(reached)


@every_method
def test_steps_change_the_encoder(info: MethodInfo[Any]) -> None:
    method = build(info)
    before = {name: value.clone() for name, value in method.encoder.named_parameters()}
    losses = train(info, method, range(3))
    assert all(math.isfinite(loss) for loss in losses)
    assert all(not torch.equal(before[name], value) for name, value in method.encoder.named_parameters())


@every_method
@pytest.mark.parametrize("content", ["the same", "unrelated"])
def test_views_that_teach_nothing_leave_it_at_chance(info: MethodInfo[Any], content: str) -> None:
    if info.chance_loss is None:
        pytest.skip("the method declares no chance loss")
    params = info.params()
    if "queue" in info.params.__struct_fields__:
        params = msgspec.structs.replace(params, queue=SLIM["queue"])  # so that it is full after some steps.
    method = build(info, params, batch=64)
    generator = torch.Generator().manual_seed(0)
    for step in range(STEPS):
        shape = (info.global_views, 64, 3, SIZE, SIZE)
        views = torch.full(shape, 0.5) if content == "the same" else torch.randn(shape, generator=generator)
        loss = method(as_batch(info, list(views)), progress(step))
        method.after_step(progress(step))
    assert loss.value.item() == pytest.approx(info.chance_loss(params, setting(batch=64)), rel=0.2, abs=0.25)


@every_method
def test_a_resumed_method_goes_on_as_if_nothing_had_happened(info: MethodInfo[Any]) -> None:
    method = build(info)
    train(info, method, range(2))
    file = io.BytesIO()
    torch.save(method.state_dict(), file)
    file.seek(0)
    resumed = build(info, seed=99)
    resumed.load_state_dict(torch.load(file, weights_only=True), strict=True)
    assert train(info, resumed, range(2, STEPS)) == train(info, method, range(2, STEPS))
    for (name, mine), theirs in zip(method.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs), name


@pytest.mark.parametrize(("info", "parameter"), PARAMETERS)
def test_every_parameter_changes_something(info: MethodInfo[Any], parameter: ParamInfo) -> None:
    params = slim(info)
    value = other_value(parameter, getattr(params, parameter.name))
    assert trace(info, params) != trace(info, msgspec.structs.replace(params, **{parameter.name: value}))


def trace(info: MethodInfo[Any], params: Params) -> tuple[object, ...]:
    """What a person could notice of a setting: shapes, losses, and the state after some steps."""
    method = build(info, params)
    shapes = tuple((name, tuple(value.shape)) for name, value in method.state_dict().items())
    losses = train(info, method, range(STEPS))
    return (shapes, tuple(losses), tuple(value.double().sum().item() for value in method.state_dict().values()))


def other_value(parameter: ParamInfo, value: Any) -> object:
    """A value that is allowed and is not `value`."""
    if parameter.kind == "bool":
        return not value
    if parameter.kind == "choice":
        return next(choice for choice in parameter.choices if choice != value)
    low, high = parameter.low or 0.0, parameter.high
    assert high is not None
    if parameter.kind == "int":
        return value + 1 if value + 1 <= high else value - 1
    nearer = (value + low) / 2
    return nearer if nearer != value else (value + min(high, low + 1)) / 2


@every_method
def test_the_smallest_batch_works(info: MethodInfo[Any]) -> None:
    method = build(info, batch=info.min_batch)
    loss = method(make_batch(info, batch=info.min_batch), progress(0))
    check_loss(loss)
    loss.value.backward()
    method.after_step(progress(0))


@every_method
def test_one_more_view_is_used(info: MethodInfo[Any]) -> None:
    more = make_batch(info, views=info.global_views + 1)
    fewer = as_batch(info, list(more.views[: info.global_views]))
    method = build(info)
    losses = [method(batch, progress(0)) for batch in (more, fewer)]
    for loss in losses:
        check_loss(loss)
    assert losses[0].value.item() != losses[1].value.item()
