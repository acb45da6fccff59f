"""Several tasks on one encoder: the weighted sum, what each sees, and what cannot be together."""

import dataclasses
from typing import Any

import pytest
import torch
from msgspec.structs import replace

from tests.contract.trial import FRAMES, REGISTRY, as_batch, build, make_batch, progress, setting, slim, train
from workbench.catalog.build import build_encoder, missing_needs
from workbench.catalog.tasks import method_of, params_of
from workbench.inspect.symptoms import Fingerprint
from workbench.method.contract import Batch, Method, MethodInfo
from workbench.method.several import Several, SeveralParams, narrowed
from workbench.spec import toml
from workbench.spec.errors import SpecError
from workbench.spec.experiment import BackboneSpec, DataSpec, Experiment, MethodSpec, TaskSpec
from workbench.spec.tasks import card_of

SPEC = MethodSpec(
    name="rotation",
    also=(TaskSpec(name="simclr", weight=0.5, params={"temperature": 0.3}), TaskSpec(name="consistency", weight=2.0)),
)
INFO = method_of(SPEC, REGISTRY)
PARAMS = SeveralParams(
    tasks=(
        slim(REGISTRY.method("rotation")),
        replace(slim(REGISTRY.method("simclr")), temperature=0.3),
        slim(REGISTRY.method("consistency")),
    )
)


def joined(seed: int = 0) -> Several:
    method = build(INFO, PARAMS, seed=seed)
    assert isinstance(method, Several)
    return method


def alone(method: Method, info: MethodInfo[Any], name: str) -> Method:
    """A method of its own with the same weights as that task of `method`."""
    torch.manual_seed(1)
    encoder = build_encoder(BackboneSpec(name="tinyconv"), channels=3, image_size=32, registry=REGISTRY)
    params = dict(zip((task.name for task in SPEC.tasks), PARAMS.tasks, strict=True))[name]
    found = info.build(encoder, params, setting())
    prefix = f"methods.{name}."
    found.load_state_dict(
        {key.removeprefix(prefix): value for key, value in method.state_dict().items() if key.startswith(prefix)}
    )
    return found


def test_the_loss_and_its_gradient_are_the_weighted_sum_of_each_task_alone() -> None:
    method, batch = joined(), make_batch(INFO)
    state = {key: value.clone() for key, value in method.state_dict().items()}
    loss = method(batch, progress(0))
    loss.value.backward()
    method.load_state_dict(state)
    total, gradient = torch.zeros(()), torch.zeros(())
    for task in SPEC.tasks:
        info = REGISTRY.method(task.name)
        single = alone(method, info, task.name)
        own = single(batch, progress(0))
        torch.testing.assert_close(loss.parts[task.name], own.value.detach())
        for name, part in own.parts.items():
            torch.testing.assert_close(loss.parts[f"{task.name}_{name}"], part)
        (task.weight * own.value).backward()
        total = total + task.weight * own.value.detach()
        own_gradient = next(single.encoder.parameters()).grad
        assert own_gradient is not None
        gradient = gradient + own_gradient
    torch.testing.assert_close(loss.value.detach(), total)
    torch.testing.assert_close(next(method.encoder.parameters()).grad, gradient)


def test_each_task_sees_what_it_would_see_alone() -> None:
    every = dataclasses.replace(
        REGISTRY.method("dino"), uses_labels=True, uses_corners=True, uses_tuples=True, local_views=True
    )
    views = [torch.randn(4, 3, 32, 32) for _ in range(2)]
    batch = dataclasses.replace(as_batch(every, views), partner_views=(tuple(views),))
    assert batch.local_views
    assert batch.labels is not None
    assert batch.corners
    bare = narrowed(batch, REGISTRY.method("simclr"))
    assert (bare.local_views, bare.labels, bare.corners, bare.partner_views) == ((), None, (), ())
    assert bare.views is batch.views
    assert narrowed(batch, every) == batch


def test_frames_of_a_film_come_behind_the_image_that_the_others_look_at() -> None:
    spec = MethodSpec(name="rotation", also=(TaskSpec(name="shuffle_and_learn"),))
    info, film = method_of(spec, REGISTRY), REGISTRY.method("shuffle_and_learn")
    params = SeveralParams(tasks=(slim(REGISTRY.method("rotation")), slim(film)))
    method, alone = build(info, params), build(film)
    indices = torch.tensor([3, 77, 120])
    named, frames = method.tuples(indices, progress(0)), alone.tuples(indices, progress(0))
    assert named is not None
    assert frames is not None
    assert torch.equal(named[:, 0], indices)
    assert torch.equal(named[:, 1:], frames)
    asked = method.exam_tuples(FRAMES)
    assert torch.equal(asked[:, 1:], alone.exam_tuples(FRAMES))
    views = [torch.randn(3, 3, 32, 32) for _ in range(named.shape[1])]
    batch = Batch(views=(views[0],), indices=indices, partner_views=tuple((view,) for view in views[1:]))
    own = narrowed(batch, film)
    assert [own.views[0], *(view for (view,) in own.partner_views)] == views[1:]
    other = narrowed(batch, REGISTRY.method("rotation"))
    assert (other.views, other.partner_views) == ((views[0],), ())
    single = dataclasses.replace(batch, partner_views=())
    assert narrowed(single, film).views == batch.views
    assert {one.task for one in method.exam(batch, progress(0))} == {"frame order"}
    assert {one.task for one in method.exam(single, progress(0))} == {"rotation"}


def test_it_goes_on_as_if_nothing_had_happened() -> None:
    method = joined()
    train(INFO, method, range(2))
    other = joined(seed=5)
    other.load_state_dict(method.state_dict())
    assert train(INFO, other, range(2, 4)) == train(INFO, method, range(2, 4))


def test_what_they_need_together() -> None:
    spec = MethodSpec(name="rotation", also=(TaskSpec(name="dino"), TaskSpec(name="supervised")))
    info = method_of(spec, REGISTRY)
    assert (info.global_views, info.local_views, info.uses_labels) == (2, True, True)
    assert info.title == "Rotation prediction + DINO + Supervised baseline"
    assert info.preset == "dino", "the views of the task that asks for the most"
    assert card_of(spec, REGISTRY.cards()) == replace(info.card(), params=REGISTRY.method("rotation").card().params)
    with_maps = method_of(MethodSpec(name="rotation", also=(TaskSpec(name="vicregl"),)), REGISTRY)
    assert with_maps.uses_corners
    assert missing_needs(with_maps, REGISTRY.backbone("tinyconv"), REGISTRY) is None


def test_a_symptom_of_one_task_is_read_from_its_own_part() -> None:
    fingerprint = Fingerprint(info=INFO, params=PARAMS, setting=setting())
    healthy = {"loss": 3.0, "loss/simclr_spread": 0.9, "loss/consistency_spread": 0.9}
    assert fingerprint.read(healthy) is None
    sign = fingerprint.read({**healthy, "loss/consistency_spread": 0.001})
    assert sign
    assert sign.title == "Consistency: all images get the same vector"


def test_chance_is_known_where_all_know_theirs() -> None:
    spec = MethodSpec(name="rotation", also=(TaskSpec(name="simclr", weight=0.5),))
    info, params = method_of(spec, REGISTRY), params_of(spec, REGISTRY)
    parts = [REGISTRY.method(name) for name in ("rotation", "simclr")]
    alone = [part.chance_loss(part.params(), setting()) for part in parts if part.chance_loss]
    assert info.chance_loss
    assert info.chance_loss(params, setting()) == pytest.approx(alone[0] + 0.5 * alone[1])
    assert INFO.chance_loss is None


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (MethodSpec(name="consistency"), "leads nowhere alone"),
        (MethodSpec(name="rotation", also=(TaskSpec(name="rotation"),)), "is there twice"),
        (MethodSpec(name="rotation", also=(TaskSpec(name="simclr", params={"hot": 1}),)), r"method\.also\[0\]"),
        (MethodSpec(name="rotation", also=(TaskSpec(name="simclr", params={"temperature": -1}),)), "temperature"),
    ],
)
def test_what_cannot_be(spec: MethodSpec, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        method_of(spec, REGISTRY), params_of(spec, REGISTRY)


def test_a_file_holds_them_and_every_key_is_checked() -> None:
    experiment = Experiment(data=DataSpec(folder="leaves"), method=SPEC)
    text = toml.dumps(experiment)
    assert toml.loads(text) == experiment
    assert toml.set_value(experiment, "method.also.0.weight=3").method.also[0].weight == 3
    for change, words in (("method.also.0.weight=-1", r"method\.also\[0\]\.weight"), ("method.also=3", "also")):
        with pytest.raises(SpecError, match=words):
            toml.set_value(experiment, change)
    with pytest.raises(SpecError, match="unknown key 'wieght'"):
        toml.loads(text.replace("weight = 0.5", "wieght = 0.5"))


def test_only_puzzles_together_are_a_puzzle() -> None:
    """Where another task is beside them, it may be why the encoder gets no better."""
    puzzles = MethodSpec(
        name="rotation", also=(TaskSpec(name="jigsaw", params={"gap": 0.2}), TaskSpec(name="consistency"))
    )
    info = method_of(puzzles, REGISTRY)
    assert info.family == "puzzle"
    assert method_of(SPEC, REGISTRY).family == "contrastive"
    assert info.precautions
    left = info.precautions(params_of(puzzles, REGISTRY), setting())
    assert left[0].startswith("Jigsaw: raise 'gap' (now 0.2)")
