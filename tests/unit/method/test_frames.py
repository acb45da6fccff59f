"""Windows of frames, against all of them written out."""

from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from tests.contract.trial import REGISTRY, build, make_batch, progress, slim
from workbench.method.frames import Frames, Windows

LENGTHS = (23, 7, 3, 15)
DISTANCE = 3


def films() -> Frames:
    """Four clips whose frames are stored in no order at all; one is shorter than any window."""
    draw = np.random.default_rng(5)
    clip = np.repeat(np.arange(len(LENGTHS)), LENGTHS)
    place = np.concatenate([np.arange(length) for length in LENGTHS])
    mixed = draw.permutation(len(clip))
    motion = torch.from_numpy(draw.random(len(clip)).astype(np.float32))
    return Frames(clip=torch.from_numpy(clip[mixed]), position=torch.from_numpy(place[mixed]), motion=motion)


def written_out(frames: Frames, length: int, still: float) -> set[tuple[int, ...]]:
    """Every window that is allowed, as rows."""
    at = {(int(c), int(p)): row for row, (c, p) in enumerate(zip(frames.clip, frames.position, strict=True))}
    allowed = set()
    for clip, frames_there in enumerate(LENGTHS):
        for step in range(1, DISTANCE + 1):
            span = step * (length - 1)
            moved = {
                start: np.mean([float(frames.motion[at[clip, start + ahead]]) for ahead in range(span)])
                for start in range(frames_there - span)
            }
            least = np.quantile(list(moved.values()), still) if moved else 0
            for start in moved:
                if moved[start] >= least - 1e-9:
                    allowed.add(tuple(at[clip, start + step * place] for place in range(length)))
    return allowed


@pytest.mark.parametrize("length", [4, 5])
@pytest.mark.parametrize("still", [0.0, 0.4])
def test_what_is_drawn_is_a_window_with_motion_that_the_frame_is_in(length: int, still: float) -> None:
    frames = films()
    windows = Windows(frames, length=length, distance=DISTANCE, still=still)
    allowed = written_out(frames, length, still)
    everyone = torch.arange(len(frames))
    seen: set[tuple[int, ...]] = set()
    for epoch in range(150):
        drawn = windows.draw(everyone, torch.Generator().manual_seed(epoch))
        rows = [tuple(one) for one in drawn.tolist()]
        seen |= set(rows)
        for image, row in enumerate(rows):
            if any(image in window for window in allowed):
                assert image in row
    assert seen == allowed
    clips, places = frames.clip[drawn], frames.position[drawn]
    assert (clips == clips[:, :1]).all()
    assert (places.diff(dim=1) > 0).all()


def test_a_window_depends_on_the_frame_and_not_on_its_batch() -> None:
    windows = Windows(films(), length=5, distance=DISTANCE, still=0.3)
    every = windows.draw(torch.arange(48), torch.Generator().manual_seed(2))
    few = windows.draw(torch.tensor([31, 4]), torch.Generator().manual_seed(2))
    assert torch.equal(few, every[[31, 4]])
    assert not torch.equal(every, windows.draw(torch.arange(48), torch.Generator().manual_seed(3)))


def test_a_frame_without_a_window_stands_for_the_nearest_that_has_one() -> None:
    frames = Frames(clip=torch.zeros(12, dtype=torch.int64), position=torch.arange(12), motion=torch.arange(12).float())
    windows = Windows(frames, length=4, distance=1, still=0.9)
    drawn = windows.draw(torch.arange(12), torch.Generator().manual_seed(0))
    assert drawn.tolist() == [[8, 9, 10, 11]] * 12
    nothing = Windows(frames, length=5, distance=1, still=0.0)
    assert nothing.any
    short = Frames(clip=torch.arange(6) // 3, position=torch.arange(6) % 3, motion=torch.ones(6))
    assert not Windows(short, length=4, distance=2, still=0.0).any


def test_questions_share_no_stretch_of_time() -> None:
    frames = films()
    for length in (4, 5):
        asked = Windows(frames, length=length, distance=DISTANCE, still=0.2).apart()
        assert {tuple(one) for one in asked.tolist()} <= written_out(frames, length, 0.2)
        for clip in range(len(LENGTHS)):
            here = asked[frames.clip[asked[:, 0]] == clip]
            first, last = frames.position[here[:, 0]], frames.position[here[:, -1]]
            assert (first[1:] > last[:-1]).all()
        steps = frames.position[asked[:, 1]] - frames.position[asked[:, 0]]
        assert set(steps.tolist()) == {1, 2, 3}


def test_in_order_is_what_a_frame_between_two_others_is() -> None:
    """A stub sees the time at which a frame was taken, and answers by the definition."""
    info = REGISTRY.method("shuffle_and_learn")
    method: Any = build(info, msgspec.structs.replace(slim(info), compare="features"))
    times = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])
    seen: list[torch.Tensor] = []

    class Clock(torch.nn.Module):
        dim = 1

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images[:, 0, 0, :1]

    class Judge(torch.nn.Module):
        def forward(self, tuples: torch.Tensor) -> torch.Tensor:
            seen.append(tuples)
            first, middle, last = tuples.T
            between = (middle - first) * (last - middle) > 0
            return torch.stack([(~between).float(), between.float()], dim=1) * 20

    method.encoder, method.head = Clock(), Judge()
    batch = make_batch(REGISTRY.method("shuffle_and_learn"))
    views = [torch.full_like(batch.views[0], float(time)) for time in times]
    batch = type(batch)(views=(views[0],), indices=batch.indices, partner_views=tuple((view,) for view in views[1:]))
    loss = method.loss(batch, progress(0))
    assert loss.value.item() < 1e-6
    assert loss.parts["accuracy"] == 1
    (answers,) = method.exam(batch, progress(0))
    assert answers.right.tolist() == [1.0] * len(batch.indices)
    asked = {tuple(row) for row in seen[0].tolist()}
    assert asked == {(1, 2, 3), (3, 2, 1), (1, 0, 3), (3, 0, 1), (1, 4, 3), (3, 4, 1)}


def test_the_twelve_orders_are_those_of_four_frames_forward_or_backward() -> None:
    import itertools

    from plugins.methods import order_prediction as module

    label = dict(zip(module._ORDERS, module._LABELS, strict=True))
    assert set(label) == set(itertools.permutations(range(4)))
    assert all(label[order] == label[order[::-1]] for order in label)
    assert sorted(label.values()) == [number for number in range(12) for _ in range(2)]


def test_frames_are_moved_by_whole_pixels_and_one_channel_stands_for_all() -> None:
    from plugins.methods import order_prediction as module

    images = torch.randn(3, 2, 9, 9)
    shift = torch.tensor([[0, 0], [2, -1], [-2, 2]])
    moved = module._shifted(images, shift, 2)
    assert torch.equal(moved[0], images[0])
    assert torch.equal(moved[1, :, 2:, :-1], images[1, :, :-2, 1:])
    assert torch.equal(moved[2, :, :-2, 2:], images[2, :, 2:, :-2])
    films_ = torch.randn(4, 3, 3, 5, 5)
    one = module._of_channel(films_, torch.tensor([0, 2, 1]))
    for number, channel in enumerate((0, 2, 1)):
        for shown in range(3):
            assert torch.equal(one[:, number, shown], films_[:, number, channel])
