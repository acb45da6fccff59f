"""What every method of the catalog must do; a new one is tested by existing."""

import dataclasses
import io
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import pytest
import torch

from tests.contract.trial import (
    BATCH,
    REGISTRY,
    SIZE,
    SLIM,
    STEPS,
    TRAIN_IMAGES,
    as_batch,
    begin,
    build,
    make_batch,
    progress,
    setting,
    slim,
    train,
)
from workbench.inspect.symptoms import Fingerprint
from workbench.method.contract import Loss, Method, MethodInfo
from workbench.spec.params import ParamInfo, Params, describe

every_method = pytest.mark.parametrize("info", REGISTRY.methods.values(), ids=lambda info: str(info.name))
PARAMETERS = [
    pytest.param(info, parameter, id=f"{info.name}-{parameter.name}")
    for info in REGISTRY.methods.values()
    for parameter in describe(info.params)
]


def skip_gray(info: MethodInfo[Any], channels: int) -> None:
    if info.needs_color and channels == 1:
        pytest.skip("gray images are refused in words")


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
    skip_gray(info, channels)
    method = begin(info, build(info, channels=channels), channels=channels)
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
    if content == "the same" and info.family in ("rebuilding", "masked"):
        pytest.skip("there is nothing to paint in an image of one color")
    params = info.params()
    if "queue" in info.params.__struct_fields__:
        params = msgspec.structs.replace(params, queue=SLIM["queue"])  # so that it is full after some steps.
    if "bank_momentum" in info.params.__struct_fields__:
        params = msgspec.structs.replace(params, bank_momentum=0.0)  # so that it has forgotten its random start.
    method = begin(info, build(info, params, batch=64))
    generator = torch.Generator().manual_seed(0)
    for step in range(STEPS):
        shape = (info.global_views, 64, 3, SIZE, SIZE)
        views = torch.full(shape, 0.5) if content == "the same" else torch.randn(shape, generator=generator)
        loss = method(as_batch(info, list(views), step), progress(step))
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


@every_method
@pytest.mark.parametrize("channels", [1, 3])
def test_what_it_shows_of_its_task(info: MethodInfo[Any], channels: int) -> None:
    skip_gray(info, channels)
    overridden = type(build(info)).exhibit is not Method.exhibit
    assert info.exhibits == overridden, "the record tells whether there are pictures"
    if not info.exhibits:
        return
    panels = {}
    for seed in (0, 1):
        method = begin(info, build(info, channels=channels, seed=seed), channels=channels).eval()
        before = {name: value.clone() for name, value in method.state_dict().items()}
        with torch.no_grad():
            panels[seed] = method.exhibit(make_batch(info, channels=channels, batch=6), progress(0))
            again = method.exhibit(make_batch(info, channels=channels, batch=6), progress(1))
        assert all(torch.equal(value, before[name]) for name, value in method.state_dict().items())
        assert all(torch.equal(one.images, other.images) for one, other in zip(panels[seed], again, strict=True))
    assert "input" in [panel.part for panel in panels[0]]
    for panel, other in zip(panels[0], panels[1], strict=True):
        assert panel.title
        assert panel.images.shape[0] == 6
        assert panel.images.shape[1] in (1, 3, channels)
        assert torch.isfinite(panel.images).all()
        assert len(panel.captions) in (0, 6)
        assert len(panel.right) in ((0, 6) if panel.part == "answer" else (0,))
        assert panel.part == "answer" or torch.equal(panel.images, other.images), "it does not depend on the weights"
        assert panel.normalized or (panel.images.min() >= 0 and panel.images.max() <= 1)


@every_method
def test_its_own_questions_are_answered_without_a_trace(info: MethodInfo[Any]) -> None:
    method = begin(info, build(info)).eval()
    if type(method).exam is Method.exam:
        return
    before = {name: value.clone() for name, value in method.state_dict().items()}
    drawn = torch.get_rng_state()
    with torch.no_grad():
        first, again = (method.exam(make_batch(info), progress(0)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), drawn), "what it draws is drawn by the step"
    assert all(torch.equal(value, before[name]) for name, value in method.state_dict().items())
    assert first
    assert len({one.task for one in first}) == len(first)
    for one, other in zip(first, again, strict=True):
        assert 0 < one.chance < 1
        assert one.right.ndim == 1
        assert len(one.right) <= BATCH
        assert ((one.right >= 0) & (one.right <= 1)).all()
        assert torch.equal(one.right, other.right)


@pytest.mark.parametrize(("info", "parameter"), PARAMETERS)
def test_every_parameter_changes_something(info: MethodInfo[Any], parameter: ParamInfo) -> None:
    params = slim(info)
    others = other_values(parameter, getattr(params, parameter.name))
    changed = (msgspec.structs.replace(params, **{parameter.name: other}) for other in others)
    assert any(
        mine != usual
        for other in changed
        for mine, usual in zip(trace(info, other), usual_trace(info.name), strict=True)
    )


@lru_cache(maxsize=2)
def usual_trace(name: str) -> tuple[object, ...]:
    """That of a method as it is, for all its parameters."""
    info = REGISTRY.method(name)
    return tuple(trace(info, slim(info)))


def trace(info: MethodInfo[Any], params: Params) -> Iterator[object]:
    """What a person could notice of a setting, one thing after the other: shapes, then what every step leaves."""
    method = build(info, params)
    yield tuple((name, tuple(value.shape)) for name, value in method.state_dict().items())
    together = method.tuples(torch.arange(TRAIN_IMAGES), progress(0)) if info.uses_tuples else None
    yield () if together is None else tuple(together.flatten().tolist())
    for step in range(STEPS):
        losses = train(info, method, range(step, step + 1))
        yield (*losses, *(value.double().sum().item() for value in method.state_dict().values()))


def other_values(parameter: ParamInfo, value: Any) -> list[object]:
    """What else is allowed: one number, or every other choice, as 'auto' is one of them."""
    if parameter.kind == "bool":
        return [not value]
    if parameter.kind == "choice":
        return [choice for choice in parameter.choices if choice != value]
    low, high = parameter.low or 0.0, parameter.high
    assert high is not None
    if parameter.kind == "int":
        return [value + 1 if value + 1 <= high else value - 1]
    nearer = (value + low) / 2
    return [nearer if nearer != value else (value + min(high, low + 1)) / 2]


@every_method
def test_the_smallest_batch_works(info: MethodInfo[Any]) -> None:
    method = begin(info, build(info, batch=info.min_batch))
    loss = method(make_batch(info, batch=info.min_batch), progress(0))
    check_loss(loss)
    loss.value.backward()
    method.after_step(progress(0))


@every_method
def test_one_more_view_is_used(info: MethodInfo[Any]) -> None:
    more = make_batch(info, views=info.global_views + 1)
    fewer = as_batch(info, list(more.views[: info.global_views]))
    method = begin(info, build(info))
    losses = [method(batch, progress(0)) for batch in (more, fewer)]
    for loss in losses:
        check_loss(loss)
    assert losses[0].value.item() != losses[1].value.item()


@every_method
def test_local_views_are_used_where_it_takes_them(info: MethodInfo[Any]) -> None:
    if not info.local_views:
        pytest.skip("an experiment with local views is refused")
    batch = make_batch(info)
    method = begin(info, build(info))
    with_them, without = method(batch, progress(0)), method(dataclasses.replace(batch, local_views=()), progress(0))
    check_loss(without)
    assert with_them.value.item() != without.value.item()


@every_method
def test_a_batch_in_parts_has_the_gradient_of_the_parts_and_a_sentence_where_it_may_not(info: MethodInfo[Any]) -> None:
    """Two parts of a batch, before one step: whatever is gathered for `after_step` must hold both."""
    if info.no_accumulation:
        assert len(info.no_accumulation) > 40
        assert info.title in info.no_accumulation
        return
    method = begin(info, build(info))
    for step in range(2):
        for part in range(2):
            loss = method(make_batch(info, 2 * step + part), progress(step))
            (loss.value / 2).backward()
        method.before_step(progress(step))
        method.after_step(progress(step))
        check_loss(loss)


@every_method
def test_symptoms_are_of_parts_that_there_are_and_not_of_a_start(info: MethodInfo[Any]) -> None:
    method = begin(info, build(info))
    loss = method(make_batch(info), progress(0))
    values = {f"loss/{name}": float(part) for name, part in loss.parts.items()} | {"loss": float(loss.value.detach())}
    for symptom in info.symptoms:
        assert symptom.part == "" or symptom.part in loss.parts
        assert len(symptom.title) > 5
        assert len(symptom.text) > 40
    sign = Fingerprint(info=info, params=slim(info), setting=setting()).read(values)
    assert sign is None or not sign.bad


@every_method
def test_precautions_name_parameters_that_there_are(info: MethodInfo[Any]) -> None:
    """One that is not there raises; what is left to do says which it is."""
    if info.precautions is None:
        return
    known = {one.name for one in describe(info.params)}
    for words in info.precautions(info.params(), setting()):
        assert words.split("'")[1] in known
        assert ", so that " in words
