"""A method's own questions about held-out images: who is asked, what is asked again, and what is told."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from workbench.catalog.registry import Registry
from workbench.evaluate.interval import wilson
from workbench.inspect.encoder import read_checkpoint
from workbench.method.contract import Batch, Progress
from workbench.runs.events import Exam, read_events
from workbench.runs.folder import RunFolder
from workbench.runs.split import read_split
from workbench.spec.experiment import Experiment, MethodSpec
from workbench.training.checkpoint import LAST
from workbench.training.exam import Examiner
from workbench.training.trainer import train

MakeRun = Callable[..., RunFolder]
TESTED = 12


@pytest.fixture
def experiment(experiment: Experiment) -> Experiment:
    from msgspec.structs import replace

    return replace(experiment, method=MethodSpec(name="rotation"))


def test_the_same_questions_about_test_images_are_told_at_every_probe(
    make_run: MakeRun, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    asked: list[tuple[Batch, Progress, bool, Any]] = []
    rotation: Any = registry.method("rotation").build
    plain = rotation.exam

    def exam(method: nn.Module, batch: Batch, progress: Progress) -> Any:
        asked.append((batch, progress, method.training or torch.is_grad_enabled(), plain(method, batch, progress)))
        return asked[-1][-1]

    monkeypatch.setattr(rotation, "exam", exam)
    state = train(run, registry=registry)
    told = [event for event in read_events(run.events_file) if isinstance(event, Exam)]
    assert [(one.epoch, one.task, one.images, one.chance) for one in told] == [
        (epoch, "rotation", TESTED, 0.25) for epoch in (0, 2, 4)
    ]
    looks = [asked[number : number + 2] for number in range(0, len(asked), 2)]
    assert len(looks) == 3
    for look, one in zip(looks, told, strict=True):
        assert [len(batch.indices) for batch, *_ in look] == [8, 4]
        assert [progress.step for _, progress, *_ in look] == [0, 1]
        assert torch.equal(torch.cat([batch.indices for batch, *_ in look]), torch.arange(TESTED))
        assert all(torch.equal(mine[0].views[0], first[0].views[0]) for mine, first in zip(look, looks[0], strict=True))
        assert not any(learning for _, _, learning, _ in look)
        right = sum(float(answers[0].right.sum()) for *_, answers in look)
        assert one.accuracy == pytest.approx(right / TESTED)
        assert (one.low, one.high) == pytest.approx(wilson(right, TESTED))
    assert state.last_exams() == (told[-1],)
    assert len(read_split(run.split_file).rows("test")) == TESTED


def test_asking_changes_nothing_of_the_training(
    make_run: MakeRun, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, unasked = make_run(), make_run()
    train(asked, registry=registry)
    monkeypatch.setattr(Examiner, "__call__", lambda *_: ())
    train(unasked, registry=registry)
    one, other = (read_checkpoint(run.checkpoints / LAST)["method"] for run in (asked, unasked))
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert not any(isinstance(event, Exam) for event in read_events(unasked.events_file))


def test_without_test_images_nothing_is_asked(make_run: MakeRun, registry: Registry) -> None:
    run = make_run(train={"epochs": 1})
    from workbench.training import watcher

    whole = watcher.choose_watched

    def none_held_out(*args: Any, **given: Any) -> Any:
        from dataclasses import replace

        found = whole(*args, **given)
        return replace(found, test_rows=found.test_rows[:0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watcher, "choose_watched", none_held_out)
        train(run, registry=registry)
    assert not any(isinstance(event, Exam) for event in read_events(run.events_file))
