import dataclasses

import pytest

from tests.contract.trial import REGISTRY, build, make_batch, progress
from workbench.method.contract import Batch


def loss_of(mining: str, batch: Batch, step: int = 0) -> float:
    info = REGISTRY.method("triplet")
    method = build(info, info.params(mining=mining, margin=1.0, hidden=48, dim=32))
    return float(method(batch, progress(step)).value.detach())


def reversed_batch(batch: Batch) -> Batch:
    views = tuple(view.flip(0) for view in batch.views)
    return dataclasses.replace(batch, views=views, indices=batch.indices.flip(0))


@pytest.mark.parametrize("mining", ["random", "hard", "semi-hard"])
def test_the_order_of_a_batch_does_not_matter(mining: str) -> None:
    """Several processes gather their rows in another order than one has them, and must take the same negatives."""
    batch = make_batch(REGISTRY.method("triplet"))
    assert loss_of(mining, reversed_batch(batch)) == pytest.approx(loss_of(mining, batch), abs=1e-5)


def test_random_negatives_are_drawn_anew_in_each_step_and_never_the_own_image() -> None:
    info = REGISTRY.method("triplet")
    two = make_batch(info, batch=2)  # of two images there is one other.
    assert {loss_of("random", two, step) for step in range(5)} == {loss_of("hard", two)}
    batch = make_batch(info)
    assert len({loss_of("random", batch, step) for step in range(5)}) > 1
